#include "daemon/ownership.hpp"

#include "ceph/error.hpp"
#include "core/whole_number.hpp"
#include "daemon/state_pool.hpp"

#include <array>
#include <fstream>
#include <random>
#include <sstream>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::daemon {
namespace {

constexpr const char* journal_object = "journal";
constexpr const char* lock_object = "active";
/// A dead front's lock ends by itself after this; a take-over takes that long at most, and a poll.
constexpr std::chrono::seconds lock_duration{10};
/// Longer than anything that a dead front may still have under way.
constexpr std::uint32_t fence_seconds = 3600;

/// Field 22 of /proc/PID/stat; 0 when there is no such process.
unsigned long long start_time_of(long pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return 0;
    std::istringstream fields(line.substr(line.rfind(')') + 1));  // the name in brackets may hold anything
    std::string skipped;
    for (int n = 0; n < 19; ++n) fields >> skipped;
    unsigned long long started = 0;
    fields >> started;
    return started;
}

std::string own_host() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

std::string own_pid_space() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string boot;
    std::getline(file, boot);
    std::array<char, 64> name_space{};
    if (::readlink("/proc/self/ns/pid", name_space.data(), name_space.size() - 1) < 0) return {};
    return boot + " " + name_space.data();
}

std::string random_token() {
    std::random_device random;
    std::ostringstream text;
    text << std::hex;
    for (int n = 0; n < 4; ++n) text << random();
    return text.str();
}

}  // namespace

std::string OwnerDescription::encode() const {
    return nlohmann::json{{"url", url}, {"host", host},       {"pid_space", pid_space},
                          {"pid", pid}, {"started", started}, {"addresses", addresses}}
        .dump();
}

OwnerDescription OwnerDescription::decode(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    OwnerDescription owner;
    try {
        json.at("url").get_to(owner.url);
        json.at("host").get_to(owner.host);
        owner.pid_space = json.value("pid_space", "");
        owner.pid = whole_number(json.at("pid")).value_or(0);
        owner.started = static_cast<unsigned long long>(whole_number(json.at("started")).value_or(0));
        json.at("addresses").get_to(owner.addresses);
    } catch (const nlohmann::json::exception&) {
        return {};
    }
    return owner;
}

OwnerDescription OwnerDescription::own(std::string url) {
    const long pid = ::getpid();
    return {std::move(url), own_host(), own_pid_space(), pid, start_time_of(pid), {}};
}

bool OwnerDescription::is_dead_here() const {
    return pid != 0 && !pid_space.empty() && pid_space == own_pid_space() && start_time_of(pid) != started;
}

bool OwnerDescription::is_this_process() const {
    return pid == ::getpid() && pid_space == own_pid_space() && start_time_of(pid) == started;
}

Ownership::Ownership(std::shared_ptr<ceph::Cluster> cluster, const std::string& pool, OwnerDescription own)
    : cluster_(std::move(cluster)),
      own_(std::move(own)),
      token_(random_token()),
      store_(std::make_shared<ceph::RadosJournalStore>(cluster_, open_state_pool(*cluster_, pool), journal_object)),
      lock_(cluster_, open_state_pool(*cluster_, pool), lock_object, token_, lock_duration) {}

ceph::ActiveLock::Outcome Ownership::try_lock() {
    const auto outcome = lock_.take();
    if (outcome != ceph::ActiveLock::Outcome::taken) return outcome;
    const OwnerDescription holder = active();
    if (!holder.is_dead_here() && !holder.is_this_process()) return outcome;
    spdlog::info("the active ceph-taskd of this host is gone: taking over");
    lock_.break_others();
    return lock_.take();
}

OwnerDescription Ownership::active() {
    return OwnerDescription::decode(store_->owner().second);
}

void Ownership::fence(const OwnerDescription& before) {
    for (const auto& address : before.addresses) {
        std::string copy = address;
        const int rc = rados_blocklist_add(cluster_->handle(), copy.data(), fence_seconds);
        if (rc < 0) throw ceph::rados_error(rc, "blocklist " + address);
        spdlog::info("fenced {} of the ceph-taskd before", address);
    }
    if (before.addresses.empty()) return;
    if (const int rc = rados_wait_for_latest_osdmap(cluster_->handle()); rc < 0)
        throw ceph::rados_error(rc, "wait for the OSD map that fences the ceph-taskd before");
}

std::shared_ptr<ceph::JournalStore> Ownership::take_over() {
    const auto [token_before, description_before] = store_->owner();
    fence(OwnerDescription::decode(description_before));
    // In a troubled cluster this may have taken longer than the lock lives; somebody else may be at it by now.
    if (lock_.take() != ceph::ActiveLock::Outcome::held)
        throw Error(ErrorKind::conflict, EBUSY, "taskd", "the role was lost again before it was taken over");
    store_->claim(token_before, token_, description_with({}));
    return store_;
}

std::string Ownership::description_with(const std::vector<std::string>& worker_addresses) const {
    OwnerDescription owner = own_;
    owner.addresses = worker_addresses;
    owner.addresses.push_back(cluster_->addresses());
    return owner.encode();
}

void Ownership::give_back(std::vector<std::string> to_fence) noexcept {
    try {
        OwnerDescription nobody;
        nobody.addresses = std::move(to_fence);
        store_->claim(token_, token_, nobody.encode());
    } catch (const std::exception& error) {
        spdlog::warn("stopping: {}", error.what());
    }
    lock_.release();
}

}  // namespace taskd::daemon
