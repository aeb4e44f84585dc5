#include "daemon/lifecycle.hpp"

#include "ceph/caps.hpp"
#include "core/thread_name.hpp"
#include "daemon/ownership.hpp"

#include <cstdlib>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::daemon {

using Outcome = ceph::ActiveLock::Outcome;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds standby_interval{1'000};
constexpr milliseconds renew_interval{2'000};
constexpr milliseconds reconnect_pause{1'000};
/// For the last writes of the journal and the return of the role, beyond the grace time.
constexpr milliseconds farewell{4'000};

/// Who watches the tasks of a front that is no longer the active one is to go to the one that is.
void end_streams(const api::Access::Standing& before) {
    if (before.services && before.services->events != nullptr) before.services->events->close();
}

}  // namespace

Lifecycle::Lifecycle(Options options, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
                     std::vector<std::string> worker_command, std::string url)
    : options_(std::move(options)),
      cluster_(std::move(cluster)),
      registry_(registry),
      worker_command_(std::move(worker_command)),
      url_(std::move(url)) {
    publish(nullptr, "connecting");
    thread_ = std::thread([this] {
        name_this_thread("taskd-life");
        run();
        const MutexLock lock(mutex_);
        ended_ = true;
        wake_.notify_all();
    });
}

Lifecycle::~Lifecycle() {
    drain();
}

api::Access::Standing Lifecycle::standing() const {
    const MutexLock lock(mutex_);
    if (!standing_.services || !options_.use_journal) return standing_;
    const auto now = BootClock::now();
    const bool is_leased = now < lease_.end;
    if (!is_leased && pulse_.unbroken_since() > lease_.begin) {
        // While it was not run others may have taken over long ago, and changed what this memory tells.
        api::Access::Standing waking;
        waking.state = "active before it was stopped for a while; it asks whether it still is";
        return waking;
    }
    // A cluster that does not answer leaves the lock without a holder: then what is in memory is the best there is.
    auto standing = standing_;
    standing.is_sure = is_leased;
    standing.confirmed_at = std::chrono::steady_clock::now() - (now - lease_.begin);
    return standing;
}

bool Lifecycle::is_stopping() const {
    const MutexLock lock(mutex_);
    return stopping_;
}

bool Lifecycle::pause(milliseconds duration) {
    const auto until = std::chrono::steady_clock::now() + duration;
    const MutexLock lock(mutex_);
    while (!stopping_ && !lost_ && wake_.wait_until(mutex_, until) != std::cv_status::timeout) continue;
    return !stopping_;
}

void Lifecycle::wait_until_settled(milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    const MutexLock lock(mutex_);
    while (standing_.state != "active" && standing_.state != "standby" && !ended_ &&
           wake_.wait_until(mutex_, until) != std::cv_status::timeout)
        continue;
}

void Lifecycle::drain() {
    if (!thread_.joinable()) return;
    const auto until = std::chrono::steady_clock::now() + options_.grace + farewell;
    bool ended = false;
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
        while (!ended_ && wake_.wait_until(mutex_, until) != std::cv_status::timeout) continue;
        ended = ended_;
    }
    if (!ended) {
        // A call into librados that the cluster does not answer cannot be taken back, and its thread not be joined. All
        // that matters is in the journal.
        spdlog::error("the cluster does not answer: ending without it");
        std::_Exit(EXIT_FAILURE);
    }
    thread_.join();
}

void Lifecycle::publish(std::shared_ptr<Session> session, std::string state, std::string active_url) {
    api::Access::Standing standing;
    if (session) standing.services = std::shared_ptr<const api::Services>(session, &session->services());
    standing.active_url = std::move(active_url);
    standing.state = std::move(state);
    {
        const MutexLock lock(mutex_);
        if (lost_ && standing.services) return;
        std::swap(standing, standing_);
        wake_.notify_all();
    }
    end_streams(standing);
}

void Lifecycle::confirm(const Ownership& ownership) {
    const MutexLock lock(mutex_);
    lease_ = ownership.lease();
}

void Lifecycle::retire(std::shared_ptr<Session> session) {
    retired_.push_back(std::move(session));
    std::erase_if(retired_, [](const auto& old) { return old.use_count() == 1; });
}

void Lifecycle::handle_lost(const std::string& why) {
    spdlog::error("no longer the active ceph-taskd: {}", why);
    // At once: the thread that leads this life may wait for the cluster for seconds, while this memory lacks what the
    // new active front has found in the journal. The session goes on until that thread ends it.
    api::Access::Standing nobody;
    nobody.state = "standby";
    {
        const MutexLock lock(mutex_);
        lost_ = true;
        std::swap(nobody, standing_);
        wake_.notify_all();
    }
    end_streams(nobody);
}

std::shared_ptr<ceph::Cluster> Lifecycle::reconnect() {
    publish(nullptr, "connecting");
    for (;;) {
        try {
            return ceph::Cluster::connect(options_.cluster);
        } catch (const Error& error) {
            spdlog::error("{}", error.what());
            if (!pause(reconnect_pause)) return nullptr;
        }
    }
}

/// What the way to the role failed of: for most of it the user needs one and the same cap.
std::string Lifecycle::with_caps(const Error& error) const {
    const auto pool = options_.pool.empty() ? cluster_->conf("rbd_default_pool") : options_.pool;
    return ceph::with_needed_caps(error, options_.cluster.name,
                                  "mon 'profile rbd' and osd '" + ceph::osd_profile(pool) + "'")
        .what();
}

void Lifecycle::run() {
    if (!options_.use_journal) {
        be_alone(cluster_);
        return;
    }
    while (!is_stopping()) {
        End end = End::fenced;
        try {
            end = live(cluster_);
        } catch (const Error& error) {
            spdlog::error("{}", with_caps(error));
            pause(reconnect_pause);
        } catch (const std::exception& error) {
            spdlog::error("{}", error.what());
            pause(reconnect_pause);
        }
        {
            const MutexLock lock(mutex_);
            lost_ = false;
        }
        if (end == End::fenced && !is_stopping()) cluster_ = reconnect();
        if (!cluster_) return;
    }
}

/// Without a journal there is no role to share.
void Lifecycle::be_alone(const std::shared_ptr<ceph::Cluster>& cluster) {
    const auto session = std::make_shared<Session>(
        options_, Session::Surroundings{cluster, nullptr, &registry_, worker_command_, {}, url_});
    publish(session, "active");
    while (pause(renew_interval)) session->publish_status();
    publish(nullptr, "draining");
    session->drain(options_.grace);
    retire(session);
}

Lifecycle::End Lifecycle::live(const std::shared_ptr<ceph::Cluster>& cluster) {
    Ownership ownership(cluster, options_.pool, OwnerDescription::own(url_));
    const End end = stand_by(ownership);
    return end == End::lost ? be_active(cluster, ownership) : end;
}

/// @returns lost when the one before has lost the role to us.
Lifecycle::End Lifecycle::stand_by(Ownership& ownership) {
    for (;;) {
        switch (ownership.try_lock()) {
            case Outcome::held:
                return End::lost;
            case Outcome::fenced:
                return End::fenced;
            case Outcome::taken:
                // Ours, when it is an earlier life of this daemon that could not be told from another's: nobody is
                // sent there.
                const auto active = ownership.active().url;
                publish(nullptr, "standby", active == url_ ? std::string() : active);
        }
        if (!pause(standby_interval)) return End::stop;
    }
}

Lifecycle::End Lifecycle::be_active(const std::shared_ptr<ceph::Cluster>& cluster, Ownership& ownership) {
    publish(nullptr, "recovering");
    auto journal = std::make_shared<ceph::Journal>(ownership.take_over(), ownership.token(), options_.journal,
                                                   [this](const std::string& why) { handle_lost(why); });
    auto content = journal->load();
    const auto record_workers = [&ownership, journal](const std::vector<std::string>& addresses,
                                                      std::function<void()> recorded) {
        journal->describe_owner(ownership.description_with(addresses),
                                [recorded = std::move(recorded)](const auto& error) {
                                    if (!error) recorded();
                                });
    };
    const auto session = std::make_shared<Session>(
        options_, Session::Surroundings{cluster, journal, &registry_, worker_command_, record_workers, url_});
    session->recover(std::move(content));
    confirm(ownership);
    publish(session, "active");
    spdlog::info("active");
    session->read_history();

    const End end = hold(ownership, *session);
    publish(nullptr, end == End::stop ? "draining" : "standby");
    if (end == End::stop) {
        auto to_fence = session->drain(options_.grace);
        journal->wait_until_durable(farewell / 2);
        ownership.give_back(std::move(to_fence));
    } else {
        session->stop_now();
    }
    retire(session);
    return end;
}

Lifecycle::End Lifecycle::hold(Ownership& ownership, Session& session) {
    while (pause(renew_interval)) {
        {
            const MutexLock lock(mutex_);
            if (lost_) return End::fenced;
        }
        switch (ownership.renew()) {
            case Outcome::held:
                break;
            case Outcome::taken:
                return End::lost;
            case Outcome::fenced:
                return End::fenced;
        }
        confirm(ownership);
        session.services().journal->retry();
        session.publish_status();
    }
    return End::stop;
}

}  // namespace taskd::daemon
