#include "api/task_listing.hpp"

#include "api/rights.hpp"
#include "api/task_view.hpp"
#include "core/name_glob.hpp"

namespace taskd::api {
namespace {

OtherTask other(const mgr::ListedMgrTask& listed) {
    const auto& task = listed.task;
    return {.name = task.name,
            .identity = listed.identity,
            .begin_time = task.begin_time,
            .end_time = task.end ? task.end->time : WallTime(),
            // What the dashboard runs it runs itself, and somebody there waits for how it ends.
            .may_be_ours = task.is_event,
            .text = listed.text};
}

OtherTasks others(const mgr::MgrTaskList& list) {
    OtherTasks others;
    others.executing.reserve(list.executing.size());
    others.finished.reserve(list.finished.size());
    for (const auto& listed : list.executing) others.executing.push_back(other(*listed));
    for (const auto& listed : list.finished) others.finished.push_back(other(*listed));
    return others;
}

NameFilter names_for(const auth::User& caller, const std::string& name_glob) {
    if (name_glob.empty() && caller.is_administrator()) return {};
    return [&](std::string_view name) {
        return matches_glob(name_glob, std::string(name)) && (caller.is_administrator() || may_see(caller, name));
    };
}

}  // namespace

std::string all_tasks_text(const Services& services, const auth::User& caller, const std::string& name_glob,
                           const nlohmann::json& more) {
    const auto of_mgr = services.mgr_tasks ? services.mgr_tasks() : mgr::MgrTaskList();
    return with_members(services.tasks.list_text(names_for(caller, name_glob), others(of_mgr)), more);
}

}  // namespace taskd::api
