#pragma once

#include <string>
#include <string_view>

namespace taskd::worker {

/// The end of a process in words: "was killed by signal 6 (Aborted)", "exited with code 1".
/// @param code    siginfo_t::si_code
/// @param status  siginfo_t::si_status
std::string describe_end(int code, int status);

/// Keeps the end of what a process wrote on its standard error, to tell why it died.
/// @thread  One.
class LastWords {
  public:
    void add(std::string_view text);
    /// ": " and the line that matters (a failed assert, else the last line that says anything), or nothing.
    std::string summary() const;

  private:
    std::string text_;
};

}  // namespace taskd::worker
