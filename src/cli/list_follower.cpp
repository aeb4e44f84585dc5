#include "cli/list_follower.hpp"

#include "cli/render.hpp"
#include "cli/task_numbers.hpp"

namespace taskd::cli {
namespace {

using nlohmann::json;

double number(const json& task, const char* key) {
    const auto found = task.find(key);
    return found != task.end() && found->is_number() ? found->get<double>() : 0;
}

std::string id_of(const json& task) {
    const auto found = task.find("id");
    return found != task.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The dashboard's own listings have no ids; there a task is told by what it is and when it began.
std::string key_of(const json& task) {
    const std::string id = id_of(task);
    return id.empty() ? task_label(task) + task.value("begin_time", json()).dump() : id;
}

std::string end_line(const std::string& label, const json* task) {
    if (task == nullptr) return label + ": ended, and is not listed any more";
    const std::string state = state_text(*task);
    const std::string took = " after " + format_duration(number(*task, "duration"));
    if (state == "done") return label + ": done" + took;
    const auto exception = task->find("exception");
    return label + ": " + state + took + ": " + failure_text(exception == task->end() ? json() : *exception);
}

}  // namespace

ListFollower::News ListFollower::take(const json& listing) {
    News news;
    std::map<std::string, Seen> now;
    for (const json& task : listing.value("executing_tasks", json::array())) {
        if (!task.is_object()) continue;
        news.executing = true;
        if (news.first_executing.empty()) news.first_executing = id_of(task);
        const std::string key = key_of(task);
        Seen seen{.label = task_label(task), .state = state_text(task), .percent = progress_of(task)};
        const auto before = executing_.find(key);
        const bool changed = before == executing_.end() || before->second.state != seen.state ||
                             seen.percent >= before->second.percent + 5 || seen.percent < before->second.percent;
        if (changed) {
            const double elapsed = number(task, "duration");
            news.progress.push_back(progress_plain_line(
                {.label = seen.label, .state = seen.state, .percent = seen.percent, .elapsed_s = elapsed}));
        } else {
            seen.percent = before->second.percent;  // what was said last
        }
        now.emplace(key, std::move(seen));
    }
    std::map<std::string, const json*> finished;
    const json finished_tasks = listing.value("finished_tasks", json::array());
    for (const json& task : finished_tasks) {
        if (task.is_object()) finished.emplace(key_of(task), &task);
    }
    for (const auto& [key, seen] : executing_) {
        if (now.contains(key)) continue;
        const auto found = finished.find(key);
        news.ended.push_back(end_line(seen.label, found == finished.end() ? nullptr : found->second));
    }
    executing_ = std::move(now);
    return news;
}

}  // namespace taskd::cli
