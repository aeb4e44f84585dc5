#include "mgr/progress_events.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace taskd::mgr {
namespace {

using nlohmann::json;

/// A member that is a text; empty when it is not.
std::string text_of(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Seconds since the epoch as the mgr's Python has them. None of a time that is none.
std::optional<WallTime> time_of(const json& event, const char* name) {
    const auto found = event.find(name);
    if (found == event.end() || !found->is_number()) return std::nullopt;
    const auto seconds = found->get<double>();
    constexpr double none = 9e9;  // more than a WallTime holds
    if (!(seconds >= 0 && seconds < none)) return std::nullopt;
    const WallTime time{std::chrono::microseconds(std::llround(seconds * 1e6))};
    return is_plausible(time) ? std::optional(time) : std::nullopt;
}

std::string spec(const json& refs, const std::string& last) {
    const auto name_space = text_of(refs, "pool_namespace");
    return text_of(refs, "pool_name") + "/" + (name_space.empty() ? "" : name_space + "/") + last;
}

bool is_of_rbd_support(const json& refs) {
    return refs.is_object() && text_of(refs, "origin") == "rbd_support" && !text_of(refs, "action").empty() &&
           !text_of(refs, "pool_name").empty() &&
           (!text_of(refs, "image_name").empty() || !text_of(refs, "image_id").empty());
}

std::string rbd_name(const std::string& action) {
    if (action == "remove") return "rbd/delete";
    if (action == "trash remove") return "rbd/trash/remove";
    return "rbd/" + action;
}

json rbd_metadata(const json& refs) {
    if (const auto name = text_of(refs, "image_name"); !name.empty()) return {{"image_spec", spec(refs, name)}};
    return {{"image_id_spec", spec(refs, text_of(refs, "image_id"))}};
}

/// References are pairs (`["pool", 3]`), or an object already.
json metadata_of(const json& refs) {
    if (refs.is_object()) return refs;
    json metadata = json::object();
    if (!refs.is_array()) return metadata;
    for (const auto& pair : refs) {
        if (!pair.is_array() || pair.size() != 2) continue;
        metadata[pair[0].is_string() ? pair[0].get<std::string>() : pair[0].dump()] = pair[1];
    }
    return metadata;
}

/// @param is_over  Of those that the module has under `completed`.
std::optional<MgrTask> task_of_event(const json& event, bool is_over) {
    if (!event.is_object()) return std::nullopt;
    const auto began = time_of(event, "started_at");
    if (!began) return std::nullopt;
    const auto refs = event.value("refs", json());
    const bool is_rbd = is_of_rbd_support(refs);
    MgrTask task{.name = is_rbd ? rbd_name(text_of(refs, "action")) : "progress/" + text_of(event, "message"),
                 .metadata = is_rbd ? rbd_metadata(refs) : metadata_of(refs),
                 .begin_time = *began,
                 .is_event = true};
    if (!is_over) {
        const auto progress = event.find("progress");
        const double part = progress != event.end() && progress->is_number() ? progress->get<double>() : 0;
        task.progress = part >= 0 && part <= 1 ? static_cast<int>(100 * part) : 0;
        return task;
    }
    const auto ended = time_of(event, "finished_at");
    if (!ended) return std::nullopt;
    task.progress = 100;
    task.end = MgrTask::End{.time = *ended,
                            .duration_s = std::chrono::duration<double>(*ended - *began).count(),
                            .success = !event.contains("failed")};
    if (!task.end->success) task.end->exception = {{"detail", text_of(event, "failure_message")}};
    return task;
}

}  // namespace

std::vector<MgrTask> tasks_of_progress(const json& answer) {
    std::vector<MgrTask> tasks;
    if (!answer.is_object()) return tasks;
    for (const auto& [part, is_over] : {std::pair{"events", false}, std::pair{"completed", true}}) {
        const auto events = answer.find(part);
        if (events == answer.end() || !events->is_array()) continue;
        for (const auto& event : *events)
            if (auto task = task_of_event(event, is_over)) tasks.push_back(*std::move(task));
    }
    return tasks;
}

}  // namespace taskd::mgr
