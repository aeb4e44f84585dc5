#include "cli/process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iostream>
#include <system_error>

#include <sys/ioctl.h>

#include <poll.h>
#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::cli {
namespace {

constexpr std::size_t longest_input = 16U << 20;

/// Of whichever of the two is a terminal; zeros when none is or it does not tell.
winsize terminal_size() {
    winsize size{};
    for (const int descriptor : {STDERR_FILENO, STDOUT_FILENO}) {
        if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size;
    }
    return {};
}

}  // namespace

std::atomic<const std::string*> SignalInterruption::current_{nullptr};
static_assert(std::atomic<const std::string*>::is_always_lock_free, "read by a signal handler");

SteadyTime SystemTimer::now() {
    return std::chrono::steady_clock::now();
}

void SystemTimer::pause_until(SteadyTime time) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - now()).count();
        if (left <= 0) return;
        ::poll(nullptr, 0, static_cast<int>(std::min<long long>(left, 1'000'000)));
    }
}

SignalInterruption::SignalInterruption() {
    struct sigaction action = {};
    action.sa_handler = &SignalInterruption::on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

SignalInterruption::~SignalInterruption() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    current_.store(nullptr);
}

void SignalInterruption::say(const std::string& text) {
    const bool on_terminal = ::isatty(STDERR_FILENO) == 1;
    // The progress line stays, and what is said begins on a line of its own.
    said_.push_back(std::make_unique<const std::string>(on_terminal && !text.empty() ? "\n" + text : text));
    current_.store(said_.back().get());
}

void SignalInterruption::on_signal(int signal) noexcept {
    if (const std::string* text = current_.load()) {
        if (::write(STDERR_FILENO, text->data(), text->size()) < 0) ::_exit(128 + signal);
    }
    ::_exit(128 + signal);
}

Console system_console() {
    Console console{.out = std::cout, .err = std::cerr};
    const char* const kind = std::getenv("TERM");
    const bool knows_escapes = kind != nullptr && std::string_view(kind) != "dumb";
    console.out_is_terminal = knows_escapes && ::isatty(STDOUT_FILENO) == 1;
    console.err_is_terminal = knows_escapes && ::isatty(STDERR_FILENO) == 1;
    console.columns = [] {
        const std::size_t columns = terminal_size().ws_col;
        return columns > 0 ? columns : 80;
    };
    console.rows = [] {
        const std::size_t rows = terminal_size().ws_row;
        return rows > 0 ? rows : 24;
    };
    return console;
}

std::string read_input_file(const std::string& path) {
    std::ifstream file;
    if (path != "-") {
        file.open(path, std::ios::binary);
        if (!file) throw BadRequest("--in-file", "cannot open " + path + ": " + std::generic_category().message(errno));
    }
    std::istream& in = path == "-" ? std::cin : file;
    std::string text;
    std::vector<char> chunk(64U << 10);
    while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > longest_input) throw BadRequest("--in-file", path + " is longer than 16 MiB");
    }
    if (in.bad()) throw BadRequest("--in-file", "cannot read " + path);
    return text;
}

}  // namespace taskd::cli
