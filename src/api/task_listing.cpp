#include "api/task_listing.hpp"

#include "api/task_view.hpp"

namespace taskd::api {

std::string all_tasks_text(const Services& services, const auth::User& caller, const std::string& name_glob,
                           const nlohmann::json& more) {
    auto others = services.mgr_tasks ? services.mgr_tasks() : mgr::MgrTaskList();
    keep_wanted(others, name_glob, caller);
    // What pages poll: everything, and mostly nothing of the mgr's.
    if (name_glob.empty() && others.empty() && caller.is_administrator())
        return with_members(services.tasks.list_text(), more);
    auto own = services.tasks.list(name_glob);
    keep_visible(own, caller);
    leave_out_shown(others, own, services.tasks);
    return list_text(own, others, more);
}

}  // namespace taskd::api
