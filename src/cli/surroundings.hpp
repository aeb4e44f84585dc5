#pragma once

#include "cli/transport.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>

#include <taskd/clock.hpp>

namespace taskd::cli {

/// Time that passes; tests pass it at once.
class Timer {
  public:
    Timer() = default;
    virtual ~Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    virtual SteadyTime now() = 0;
    /// Returns when it is `time`, at once when it is later.
    virtual void pause_until(SteadyTime time) = 0;
};

/// What the user reads when he interrupts the program.
class Interruption {
  public:
    Interruption() = default;
    virtual ~Interruption() = default;
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    /// @param text  Whole lines; empty: the program just ends.
    virtual void say(const std::string& text) = 0;
};

/// Where output goes. Results are written to `out`, progress and errors to `err`.
struct Console {
    std::ostream& out;
    std::ostream& err;
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    std::function<std::size_t()> columns = [] { return std::size_t{80}; };  ///< Of the terminal.
    std::function<std::size_t()> rows = [] { return std::size_t{24}; };     ///< Of the terminal.
};

/// Everything outside of the program that it touches.
struct Surroundings {
    Transport& transport;
    Timer& timer;
    Interruption& interruption;
    Console console;
    /// The content of a file, or of standard input for "-". @throws BadRequest when it cannot be read or is too long.
    std::function<std::string(const std::string& path)> read_file;
};

}  // namespace taskd::cli
