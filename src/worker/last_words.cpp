#include "worker/last_words.hpp"

#include "core/utf8.hpp"

#include <csignal>
#include <cstring>

namespace taskd::worker {
namespace {

/// Enough for Ceph's assert text and the stack trace after it.
constexpr std::size_t most_kept_bytes = 32768;
constexpr std::size_t longest_summary_bytes = 500;

std::string_view line_around(std::string_view text, std::size_t at) {
    const std::size_t start = text.rfind('\n', at);
    const std::size_t begin = start == std::string_view::npos ? 0 : start + 1;
    return text.substr(begin, text.find('\n', at) - begin);
}

/// The last line that is not blank.
std::string_view last_line(std::string_view text) {
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    return end == std::string_view::npos ? std::string_view() : line_around(text.substr(0, end + 1), end);
}

}  // namespace

std::string describe_end(int code, int status) {
    if (code == CLD_EXITED) return "exited with code " + std::to_string(status);
    return "was killed by signal " + std::to_string(status) + " (" + ::strsignal(status) + ")";
}

void LastWords::add(std::string_view text) {
    text_ += text;
    if (text_.size() > most_kept_bytes) text_.erase(0, text_.size() - most_kept_bytes);
}

std::string LastWords::summary() const {
    // What ceph_assert, abort on an exception, and glibc say before the process dies.
    for (const std::string_view mark :
         {"FAILED ceph_assert", "terminate called", "what():", "Assertion `", "ceph_abort"}) {
        if (const std::size_t at = text_.find(mark); at != std::string::npos)
            return ": " + valid_utf8(line_around(text_, at).substr(0, longest_summary_bytes));
    }
    const std::string_view line = last_line(text_);
    return line.empty() ? std::string() : ": " + valid_utf8(line.substr(0, longest_summary_bytes));
}

}  // namespace taskd::worker
