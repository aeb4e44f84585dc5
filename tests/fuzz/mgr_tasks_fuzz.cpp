#include "fuzz/fuzzer.hpp"
#include "mgr/dashboard_list.hpp"
#include "mgr/dashboard_look.hpp"
#include "mgr/progress_events.hpp"

#include <algorithm>
#include <array>

#include <taskd/error.hpp>

/// What a mgr may say that it is at: in the first line of its progress module, behind it of its dashboard.
namespace taskd::fuzz {
namespace {

using mgr::MgrTask;

const WallTime now{std::chrono::seconds(1'795'570'294)};

void try_list(const mgr::MgrTaskList& list) {
    for (const auto* entries : {&list.executing, &list.finished})
        for (const auto& entry : *entries) {
            const auto view = nlohmann::json::parse(entry->text, nullptr, false);
            require(view.is_object() && view.at("metadata").is_object(), "what is listed is a task");
            const auto progress = view.at("progress").get<int>();
            require(progress >= 0 && progress <= 100, "progress is a percentage");
            require(parse_utc(view.at("begin_time").get<std::string>()) <= entry->task.begin_time,
                    "a time is told to microseconds");
        }
    const auto begin = [](const auto& entry) { return entry->task.begin_time; };
    require(std::is_sorted(list.executing.begin(), list.executing.end(),
                           [&](const auto& one, const auto& other) { return begin(one) > begin(other); }),
            "the newest comes first");
}

}  // namespace

void try_input(std::string_view input) {
    const auto [line, rest] = first_line(input);
    auto events = mgr::listed(mgr::tasks_of_progress(json_of(line).value_or(nlohmann::json())));
    try_list(events);
    std::vector<MgrTask> tasks;
    try {
        tasks = mgr::parse_dashboard_list(rest);
    } catch (const Error&) {
        return;
    }
    mgr::DashboardLook look("x");
    // As they were there at a first look, and are known at a second.
    look.learn({}, events, now, now);
    const auto learned = look.learn(tasks, events, now, now);
    require(learned.empty() || learned.size() <= tasks.size(), "nothing is made up");
    for (const auto& task : learned)
        require((task.end ? task.end->time : task.begin_time) <= now + std::chrono::minutes(2),
                "nothing is of the future");
    try_list(merged(events, mgr::listed(look.learn(tasks, events, now, now))));
}

}  // namespace taskd::fuzz
