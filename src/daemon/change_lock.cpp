#include "daemon/change_lock.hpp"

#include "daemon/state_pool.hpp"

#include <cerrno>
#include <chrono>

#include <poll.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

constexpr const char* object = "users";
/// Longer than a change takes whose monitors answer at the last moment: two questions and two writes.
constexpr std::chrono::seconds change_lock_duration{60};
constexpr std::chrono::milliseconds between_tries{50};

using LockOutcome = ceph::ActiveLock::Outcome;

Error busy() {
    return {ErrorKind::conflict, EBUSY, "auth", "somebody else is changing users and roles: nothing is changed here"};
}

}  // namespace

ChangeLock::ChangeLock(const std::shared_ptr<ceph::Cluster>& cluster, const std::string& pool)
    : lock_(cluster, open_state_pool(*cluster, pool), object, std::to_string(cluster->instance_id()),
            change_lock_duration) {
    const auto end = std::chrono::steady_clock::now() + change_lock_duration + std::chrono::seconds(5);
    while (lock_.take() != LockOutcome::held) {
        if (std::chrono::steady_clock::now() > end) throw busy();
        ::poll(nullptr, 0, static_cast<int>(between_tries.count()));
    }
}

ChangeLock::~ChangeLock() {
    lock_.release();
}

void ChangeLock::renew() {
    if (lock_.take() != LockOutcome::held) throw busy();
}

}  // namespace taskd::daemon
