#pragma once

#include "cli/command_line.hpp"
#include "cli/outcome.hpp"
#include "cli/progress_display.hpp"
#include "cli/surroundings.hpp"
#include "cli/waiter.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::cli {

/// A task that was asked for or is waited for, and how that went.
struct Followed {
    std::string label;                 ///< How messages call it.
    std::string id{};                  ///< Empty when the daemon made no task of the request.
    std::optional<Outcome> outcome{};  ///< Nothing: accepted, not known to have ended.
    std::string message{};             ///< Why it did not succeed, one line.
    nlohmann::json task = nullptr;     ///< The daemon's last object of it, or as much of one as its answer told.
    double seconds = 0;                ///< From the request to the end.
};

/// What all commands share: asking the daemon, waiting for tasks, and saying how it went.
class Session {
  public:
    Session(const CommandLine& command_line, Surroundings& surroundings);

    /// Asks, with the headers that every request has.
    /// @throws TransportError
    Answer ask(const std::string& method, const std::string& target, const nlohmann::json& body = nullptr,
               std::chrono::seconds hold = std::chrono::seconds(0), bool prefer_async = false,
               const std::string& version = "1.0");

    /// GET of any JSON, of an endpoint of this version ("2.0"); reports anything but status 200 as `get` does.
    std::optional<nlohmann::json> get_any(const std::string& target, const std::string& version, int& failure);

    /// GET; reports anything but a JSON object with status 200 and returns nothing then, with the exit code in
    /// `failure`.
    std::optional<nlohmann::json> get(const std::string& target, int& failure);

    /// Follows tasks until all have ended or the time is over, with progress.
    void wait_for(std::vector<Followed>& tasks, std::optional<std::chrono::seconds> timeout);

    /// One line on the standard error, prefixed with the program's name.
    void complain(const std::string& line);
    /// One JSON document on the standard output.
    void print_json(const nlohmann::json& document);

    bool as_json() const { return command_line_.format == Format::json; }
    bool color() const { return command_line_.color && surroundings_.console.out_is_terminal; }
    /// Columns for tables on standard output; 0 (unlimited) when it is no terminal.
    std::size_t columns() const;
    std::string program() const;
    Surroundings& surroundings() { return surroundings_; }
    ProgressDisplay& progress() { return progress_; }

  private:
    struct Waiting;
    void poll(Waiting& waiting, std::chrono::seconds hold);
    void show(Waiting& waiting, std::size_t position, std::size_t total);
    std::chrono::seconds hold() const;

    const CommandLine& command_line_;
    Surroundings& surroundings_;
    ProgressDisplay progress_;
};

/// The path of a task: `/api/task/{id}`.
std::string task_target(const std::string& id);

}  // namespace taskd::cli
