#include "ceph/active_lock.hpp"

#include "ceph/error.hpp"

#include <array>
#include <cerrno>

#include <sys/time.h>

namespace taskd::ceph {
namespace {

constexpr const char* lock_name = "ceph-taskd";

}  // namespace

ActiveLock::ActiveLock(std::shared_ptr<Cluster> cluster, Ioctx io, std::string object, std::string cookie,
                       std::chrono::seconds duration)
    : cluster_(std::move(cluster)),
      io_(std::move(io)),
      object_(std::move(object)),
      cookie_(std::move(cookie)),
      duration_(duration) {}

ActiveLock::Outcome ActiveLock::take() {
    // The OSD counts from when it is asked, which is later: by our clock the lease never ends too late.
    const auto asked_at = BootClock::now();
    timeval duration{static_cast<time_t>(duration_.count()), 0};
    const int rc = rados_lock_exclusive(io_.handle(), object_.c_str(), lock_name, cookie_.c_str(), "active ceph-taskd",
                                        &duration, LIBRADOS_LOCK_FLAG_MAY_RENEW);
    if (rc == 0) {
        lease_ = {asked_at, asked_at + duration_};
        return Outcome::held;
    }
    if (rc == -EBUSY || rc == -EEXIST) return Outcome::taken;
    if (rc == -ESHUTDOWN) return Outcome::fenced;
    throw rados_error(rc, "lock " + object_);
}

void ActiveLock::release() noexcept {
    rados_unlock(io_.handle(), object_.c_str(), lock_name, cookie_.c_str());
}

void ActiveLock::break_others() {
    int exclusive = 0;
    std::array<char, 256> tag{};
    std::array<char, 1024> clients{};
    std::array<char, 1024> cookies{};
    std::array<char, 1024> addresses{};
    std::size_t tag_size = tag.size();
    std::size_t clients_size = clients.size();
    std::size_t cookies_size = cookies.size();
    std::size_t addresses_size = addresses.size();
    const auto holders =
        rados_list_lockers(io_.handle(), object_.c_str(), lock_name, &exclusive, tag.data(), &tag_size, clients.data(),
                           &clients_size, cookies.data(), &cookies_size, addresses.data(), &addresses_size);
    if (holders < 0) throw rados_error(static_cast<int>(holders), "look who holds the lock " + object_);
    if (holders == 0 || cookie_ == cookies.data()) return;
    const int rc = rados_break_lock(io_.handle(), object_.c_str(), lock_name, clients.data(), cookies.data());
    if (rc < 0 && rc != -ENOENT) throw rados_error(rc, "break the lock " + object_);
}

}  // namespace taskd::ceph
