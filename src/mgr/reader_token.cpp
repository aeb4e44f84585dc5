#include "mgr/reader_token.hpp"

#include "core/task_id.hpp"

#include <algorithm>

namespace taskd::mgr {
namespace {

constexpr std::int64_t lifetime_s = 30;
/// The mgr refuses a token of the future; its clock may be behind ours.
constexpr std::int64_t issued_ago_s = 30;

std::size_t rights_of(const auth::User& user) {
    const auto permissions = user.permissions();
    std::size_t count = 0;
    for (std::size_t scope = 0; scope < auth::scope_count; ++scope)
        for (std::size_t permission = 0; permission < auth::permission_count; ++permission)
            if (permissions.allow(static_cast<auth::Scope>(scope), static_cast<auth::Permission>(permission))) ++count;
    return count;
}

}  // namespace

std::optional<std::string> reader_token(const auth::AccessState& state, std::int64_t now) {
    if (state.source != auth::AccessSource::dashboard || state.secret.empty()) return std::nullopt;
    std::shared_ptr<const auth::User> reader;
    for (const auto& [name, user] : state.users.all()) {
        if (!user->is_enabled || user->last_update > now) continue;
        if (name == reader_name) {
            reader = user;
            break;
        }
        if (!reader || rights_of(*user) < rights_of(*reader)) reader = user;
    }
    if (!reader) return std::nullopt;
    const auto issued_at = std::max(now - issued_ago_s, reader->last_update);
    return auth::sign(
        {"ceph-taskd-" + make_task_id(std::chrono::system_clock::now()), reader->name, issued_at, now + lifetime_s},
        state.secret);
}

}  // namespace taskd::mgr
