#pragma once

#include "api/meters.hpp"
#include "api/request_rate.hpp"
#include "api/task_events.hpp"
#include "auth/access_feed.hpp"
#include "auth/login_desk.hpp"
#include "ceph/caps_check.hpp"
#include "ceph/cluster_log.hpp"
#include "ceph/cluster_status.hpp"
#include "ceph/command_table.hpp"
#include "ceph/journal.hpp"
#include "ceph/task_history.hpp"
#include "mgr/mgr_task.hpp"
#include "rbd/lister.hpp"
#include "worker/operation_service.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <taskd/send_command_executor.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::api {

/// Who may do what, and how they show who they are.
struct Authority {
    /// The newest look at users and tokens; null while nothing is known of them. Never waits.
    std::function<std::shared_ptr<const auth::AccessState>()> state;
    auth::LoginDesk& logins;
    /// As auth::AccessFeed::revoke.
    std::function<void(const auth::Token& token, std::function<void(bool written)> done)> revoke;
    RequestRate* rate = nullptr;  ///< Null: each may send as many requests as they can.
    /// How long a login waits for the first look at the users, after a start.
    std::chrono::milliseconds first_look{3'000};
};

/// What the controllers work with while this front is the active one.
struct Services {
    TaskManager& tasks;
    worker::OperationService& operations;
    CommandPort& commands;
    /// The monitors' command table if it is at hand; never waits.
    std::function<std::shared_ptr<const ceph::CommandTable>()> command_table;
    /// The newest look at the cluster; never waits.
    const ceph::ClusterStatus& cluster;
    /// The finished tasks of the last days, newest last; null where none are kept.
    const ceph::TaskHistory* history = nullptr;
    /// Null: tasks live in memory only.
    std::shared_ptr<ceph::Journal> journal = {};
    /// Tells what images there are; null where there is no cluster to ask.
    rbd::Lister* lister = nullptr;
    /// Where the lines of the audit go beside the log; null: nowhere.
    ceph::ClusterLog* cluster_log = nullptr;
    /// Null: everybody who can connect may do everything.
    const Authority* authority = nullptr;
    /// What the mgr is at, as far as is known; never waits. Null: it is not asked.
    std::function<mgr::MgrTaskList()> mgr_tasks = {};
    /// What viewers of the task list are told; null: they have to ask again and again.
    TaskEvents* events = nullptr;
};

/// How a request gets at the services, which come and go with the active role. A request keeps what it got to its end.
/// @thread  Any. Never waits.
struct Access {
    struct Standing {
        std::shared_ptr<const Services> services;  ///< Null while this front is not the active one.
        std::string active_url;                    ///< Of the active one, if it is another and known.
        std::string state;                         ///< "connecting", "standby", "recovering", "active", in words.
        /// When the cluster last confirmed that this front is the active one; none where there is no role to share.
        std::optional<std::chrono::steady_clock::time_point> confirmed_at = {};
        /// Whether nobody else can be the active one by now, so that what this front does not know of does not exist.
        bool is_sure = true;
    };
    std::function<Standing()> standing;
    /// Whether the daemon's Ceph user has the caps that it needs; null until that is known. Never waits.
    std::function<std::shared_ptr<const ceph::CapsReport>()> caps = {};
    std::shared_ptr<const Meters> meters = {};  ///< Null: there is no /metrics.
};

}  // namespace taskd::api
