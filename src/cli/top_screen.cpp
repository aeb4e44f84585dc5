#include "cli/top_screen.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

#include <nlohmann/json.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

constexpr std::size_t bar_columns = 14;
constexpr std::size_t finished_rows = 5;  ///< That stay in sight however many execute.

std::vector<const json*> tasks_in(const json& listing, const char* key) {
    std::vector<const json*> found;
    const auto tasks = listing.find(key);
    if (tasks == listing.end() || !tasks->is_array()) return found;
    for (const auto& task : *tasks)
        if (task.is_object()) found.push_back(&task);
    return found;
}

std::string said_text(const json& task, const char* key) {
    const auto found = task.find(key);
    return found != task.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double said_number(const json& task, const char* key) {
    const auto found = task.find(key);
    return found != task.end() && found->is_number() ? found->get<double>() : 0;
}

std::string padded(const std::string& text, std::size_t columns) {
    return std::string(columns - std::min(columns, display_width(text)), ' ') + text;
}

std::string finished_line(const json& task) {
    const auto exception = task.find("exception");
    const bool is_failure = exception != task.end() && !exception->is_null();
    return state_text(task) + " after " + format_duration(said_number(task, "duration")) + "  " + task_label(task) +
           (is_failure ? ": " + failure_text(*exception) : "");
}

}  // namespace

std::string TopScreen::executing_line(const json& task) {
    const int percent = static_cast<int>(said_number(task, "progress"));
    const auto moves = moves_.find(said_text(task, "id"));
    const auto left = moves == moves_.end() ? std::nullopt : moves->second.remaining();
    std::array<char, 8> done{};
    std::snprintf(done.data(), done.size(), "%3d%%", std::clamp(percent, 0, 100));
    const std::string state = state_text(task);
    return bar(percent, bar_columns) + ' ' + done.data() + padded(format_duration(said_number(task, "duration")), 10) +
           padded(left ? format_duration(*left) : "", 10) + "  " + task_label(task) +
           (state == "running" ? "" : " (" + state + ")");
}

std::vector<std::string> TopScreen::draw(const json& listing, double at_seconds, std::size_t columns,
                                         std::size_t rows) {
    auto executing = tasks_in(listing, "executing_tasks");
    const auto finished = tasks_in(listing, "finished_tasks");

    std::map<std::string, EtaEstimator> moves;
    for (const auto* task : executing) {
        const std::string id = said_text(*task, "id");
        auto& estimator = moves[id] = moves_.contains(id) ? moves_.at(id) : EtaEstimator();
        estimator.observe(at_seconds, static_cast<int>(said_number(*task, "progress")));
    }
    moves_ = std::move(moves);

    const auto is_running = [](const json* task) { return said_text(*task, "state") == "running"; };
    std::stable_partition(executing.begin(), executing.end(), is_running);
    const auto running = std::count_if(executing.begin(), executing.end(), is_running);
    const auto failed = std::count_if(finished.begin(), finished.end(), [](const json* task) {
        const auto success = task->find("success");
        return success != task->end() && success->is_boolean() && !success->get<bool>();
    });

    std::vector<std::string> lines{
        std::to_string(running) + " running, " + std::to_string(executing.size() - static_cast<std::size_t>(running)) +
        " waiting; " + std::to_string(finished.size()) + " finished, " + std::to_string(failed) + " of them failed"};
    if (!executing.empty())
        lines.push_back(padded("DONE", bar_columns + 5) + padded("TOOK", 10) + padded("LEFT", 10) + "  TASK");
    const std::size_t room = rows > lines.size() ? rows - lines.size() : 0;
    const std::size_t kept = std::min({finished.size(), finished_rows, room / 2});
    const std::size_t shown = std::min(executing.size(), room - kept);
    for (std::size_t n = 0; n < shown; ++n) lines.push_back(executing_line(*executing[n]));
    if (shown < executing.size() && shown > 0)
        lines.back() = "… and " + std::to_string(executing.size() - shown + 1) + " more";
    for (std::size_t n = 0; n < finished.size() && lines.size() < rows; ++n)
        lines.push_back(finished_line(*finished[n]));
    for (auto& line : lines) line = truncated(line, columns);
    lines.resize(std::min(lines.size(), rows));
    return lines;
}

}  // namespace taskd::cli
