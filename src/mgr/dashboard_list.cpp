#include "mgr/dashboard_list.hpp"

#include <cerrno>
#include <chrono>

#include <taskd/error.hpp>

namespace taskd::mgr {
namespace {

using nlohmann::json;

/// What is nested deeper is left out: it is of no task, and would take the stack of whoever writes it.
constexpr int most_nested = 32;

bool is_shallow(int depth, json::parse_event_t /*event*/, const json& /*value*/) {
    return depth <= most_nested;
}

MgrTask listed_task(const json& entry, bool is_over) {
    MgrTask task{.name = entry.at("name"),
                 .metadata = entry.at("metadata"),
                 .begin_time = parse_utc(entry.at("begin_time").get_ref<const std::string&>()),
                 .progress = entry.at("progress")};
    if (is_over)
        task.end = MgrTask::End{.time = parse_utc(entry.at("end_time").get_ref<const std::string&>()),
                                .duration_s = entry.at("duration"),
                                .success = entry.at("success"),
                                .ret_value = entry.value("ret_value", json()),
                                .exception = entry.value("exception", json())};
    return task;
}

}  // namespace

std::vector<MgrTask> parse_dashboard_list(std::string_view text) {
    const auto document = json::parse(text, is_shallow, false);
    std::vector<MgrTask> tasks;
    for (const auto& [part, is_over] : {std::pair{"executing_tasks", false}, std::pair{"finished_tasks", true}}) {
        const auto entries = document.is_object() ? document.find(part) : document.end();
        if (!document.is_object() || entries == document.end() || !entries->is_array())
            throw Error(ErrorKind::unavailable, EBADMSG, "mgr", "the dashboard's answer is no list of tasks");
        for (const auto& entry : *entries) {
            try {
                auto task = listed_task(entry, is_over);
                if (task.metadata.is_object() && !task.name.starts_with("progress/")) tasks.push_back(std::move(task));
            } catch (const json::exception&) {
            } catch (const Error&) {
            }
        }
    }
    return tasks;
}

bool is_same_task(const MgrTask& local, const MgrTask& event, WallTime::duration ahead) {
    // The two come to microseconds on different ways.
    const auto apart = local.begin_time - ahead - event.begin_time;
    return std::chrono::abs(apart) < std::chrono::milliseconds(1) && local.name == event.name &&
           local.metadata == event.metadata;
}

}  // namespace taskd::mgr
