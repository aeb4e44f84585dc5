#include "mgr/dashboard_list.hpp"

#include "core/whole_number.hpp"

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

/// @throws BadRequest, json::exception
WallTime local_time_of(const json& entry, const char* name) {
    const auto time = parse_utc(entry.at(name).get_ref<const std::string&>());
    if (!is_plausible(time)) throw BadRequest(name, "no time of a task");
    return time;
}

/// @throws BadRequest, json::exception
int progress_of(const json& entry) {
    const auto percent = whole_number(entry.at("progress"));
    if (!percent || *percent < 0 || *percent > 100) throw BadRequest("progress", "no percentage");
    return static_cast<int>(*percent);
}

/// @throws BadRequest, json::exception
MgrTask listed_task(const json& entry, bool is_over) {
    MgrTask task{.name = entry.at("name"),
                 .metadata = entry.at("metadata"),
                 .begin_time = local_time_of(entry, "begin_time"),
                 .progress = progress_of(entry)};
    if (is_over)
        task.end = MgrTask::End{.time = local_time_of(entry, "end_time"),
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
