#include "api/task_listing.hpp"

#include "api/task_view.hpp"

namespace taskd::api {

std::string all_tasks_text(const Services& services, const auth::User& caller, const std::string& name_glob,
                           const nlohmann::json& more) {
    auto own = services.tasks.list(name_glob);
    keep_visible(own, caller);
    if (!services.mgr_tasks) return list_text(own, {}, more);
    auto others = services.mgr_tasks();
    keep_wanted(others, name_glob, caller);
    leave_out_shown(others, own, services.tasks);
    return list_text(own, others, more);
}

}  // namespace taskd::api
