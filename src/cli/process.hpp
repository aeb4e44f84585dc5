#pragma once

#include "cli/surroundings.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace taskd::cli {

/// The machine's clock.
class SystemTimer : public Timer {
  public:
    SteadyTime now() override;
    void pause_until(SteadyTime time) override;
};

/// Ends the program with exit code 130 on SIGINT and 143 on SIGTERM, with the text that was said last, wherever the
/// program is: also in the middle of a request. One object in a process.
class SignalInterruption : public Interruption {
  public:
    SignalInterruption();
    ~SignalInterruption() override;
    void say(const std::string& text) override;

  private:
    static void on_signal(int signal) noexcept;

    // The handler may read any text that was ever current, so none is freed before the object is; there are a few.
    std::vector<std::unique_ptr<const std::string>> said_;
    static std::atomic<const std::string*>
        current_;  // NOLINT(readability-identifier-naming): private data, though static
};

/// Standard output and error as they are. @param err_is_terminal etc. are looked up once, the size at every call.
Console system_console();

/// @throws BadRequest when the file cannot be read, or is longer than 16 MiB.
std::string read_input_file(const std::string& path);

}  // namespace taskd::cli
