#include "daemon/session.hpp"

#include "api/audit.hpp"
#include "api/error_view.hpp"
#include "auth/access_feed.hpp"
#include "auth/login_desk.hpp"
#include "ceph/checked_caller.hpp"
#include "ceph/command_port.hpp"
#include "ceph/command_sender.hpp"
#include "ceph/journalled_executor.hpp"
#include "ceph/service_map.hpp"
#include "ceph/task_history.hpp"
#include "core/thread_name.hpp"
#include "daemon/restored_list.hpp"
#include "daemon/service_status.hpp"
#include "daemon/version.hpp"
#include "mgr/reader_token.hpp"
#include "mgr/task_feed.hpp"
#include "rbd/lister.hpp"
#include "worker/dispatcher.hpp"
#include "worker/local_worker.hpp"
#include "worker/operation_service.hpp"
#include "worker/worker_process.hpp"

#include <map>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::daemon {
namespace {

/// Longer than anything that a dead worker may still have under way.
constexpr double worker_fence_seconds = 3600;
/// How long the end waits for the monitors to take what was done last.
constexpr std::chrono::milliseconds last_lines{1'000};

worker::Dispatcher::WorkerFactory make_factory(const Options& options, const Session::Surroundings& around) {
    using Role = worker::Dispatcher::Role;
    const std::size_t most_jobs = options.dispatcher.threads_per_worker * worker::threads_for_a_slot;
    if (options.dispatcher.workers == 0)
        return [cluster = around.cluster, registry = around.registry, most_jobs](Role, boost::asio::io_context& context,
                                                                                 worker::WorkerEvents& events) {
            return std::make_unique<worker::LocalWorker>(cluster, *registry, most_jobs, context, events);
        };
    return [cluster_options = options.cluster, command = around.worker_command, most_jobs, nice = options.worker_nice](
               Role role, boost::asio::io_context& context, worker::WorkerEvents& events) {
        const worker::protocol::Setup setup{cluster_options, role == Role::quarantine ? 1 : most_jobs, nice};
        return std::make_unique<worker::WorkerProcess>(command, setup, context, events);
    };
}

/// What the service map tells of this front.
std::map<std::string, std::string> service_metadata(const Session::Surroundings& around) {
    auto metadata = ceph::own_metadata(*around.cluster, std::string(version));
    if (!around.url.empty()) metadata.emplace("url", around.url);
    return metadata;
}

/// Whether a later try may find a monitor.
bool is_unanswered(const std::exception_ptr& failure) {
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        const int code = error.errno_value();
        return code == ETIMEDOUT || code == ENOTCONN || code == EINTR || error.kind() == ErrorKind::unavailable;
    } catch (const std::exception&) {
        return false;
    }
}

bool is_cancelled(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.kind() == ErrorKind::cancelled;
    } catch (...) {
        return false;
    }
}

worker::DispatcherOptions dispatcher_options(worker::DispatcherOptions options, const Session::Surroundings& around,
                                             ceph::CommandSender& sender) {
    if (options.workers == 0) options.workers = 1;  // the one of this process's own threads
    options.record_workers = around.record_workers;
    // What a dead worker had under way must not arrive after its task runs again; and its watches on images, which keep
    // librbd from removing them, go at once rather than after 30 s.
    using Fence = worker::DispatcherOptions::Fence;
    options.fence_worker = [&sender](const std::string& address, std::function<void(Fence)> fenced) {
        const nlohmann::json command{
            {"prefix", "osd blocklist"}, {"blocklistop", "add"}, {"addr", address}, {"expire", worker_fence_seconds}};
        try {
            sender.send(ceph::CommandTarget(), command, {}, [address, fenced](const ceph::CommandAnswer& answer) {
                if (answer.error || answer.result.return_code < 0)
                    spdlog::warn("cannot fence {}: {}", address,
                                 answer.error ? error_text(answer.error) : answer.result.status);
                fenced(is_unanswered(answer.error) ? Fence::unanswered : Fence::settled);
            });
        } catch (const Error& error) {
            spdlog::warn("cannot fence {}: {}", address, error.what());
            fenced(Fence::unanswered);
        }
    };
    return options;
}

/// The end of a command that was under way when its front died: nobody knows what became of it, and it is never sent
/// again.
std::exception_ptr outcome_unknown() {
    return std::make_exception_ptr(Error(
        ErrorKind::internal, EINTR, "taskd",
        "[errno 4] interrupted: ceph-taskd ended while the command was under way; whether it took effect is unknown"));
}

auth::AccessFeedOptions feed_options(Options::Auth auth) {
    auth::AccessFeedOptions feed;
    if (auth == Options::Auth::dashboard) feed.source = auth::AccessSource::dashboard;
    if (auth == Options::Auth::own) feed.source = auth::AccessSource::own;
    return feed;
}

/// The users who may log in, and what they may do here.
struct Users {
    Users(ceph::CommandSender& sender, const Options& options)
        : feed(sender, feed_options(options.auth)), rate(options.request_rate) {}

    auth::AccessFeed feed;
    auth::LoginDesk logins;
    api::RequestRate rate;
    const api::Authority authority{
        [this] { return feed.current(); }, logins,
        [this](const auth::Token& token, std::function<void(bool)> done) { feed.revoke(token, std::move(done)); },
        &rate};
};

void tell_left_alone(const std::string& problem) {
    spdlog::error("journal: left alone: {}", problem);
}

/// Ends a recovered task at once.
class EndAtOnce final : public TaskExecutor {
  public:
    explicit EndAtOnce(std::exception_ptr error) : error_(std::move(error)) {}
    void start() override { finish(nullptr, error_); }

  private:
    const std::exception_ptr error_;
};

}  // namespace

// In order of use: what is declared later is destroyed first.
struct Session::Impl {
    Impl(const Options& options, Surroundings given)
        : around(std::move(given)),
          retention(options.tasks.retention),
          clock(*options.tasks.clock),
          history(std::make_shared<ceph::TaskHistory>(options.journal.most_finished)),
          checked_caller(std::make_shared<ceph::CheckedCaller>(
              std::make_shared<ceph::LibradosCaller>([handle = around.cluster] { return handle; }))),
          command_sender(checked_caller),
          tasks(options.tasks),
          commands(command_sender, tasks.notifications()),
          cluster_status(command_sender),
          lister(around.cluster, command_sender),
          dispatcher(dispatcher_options(options.dispatcher, around, command_sender), make_factory(options, around)),
          operations(tasks, *around.registry, dispatcher, rbd::Limits{}, api::task_failure_view,
                     {around.cluster, around.journal}),
          service_map(around.cluster, std::to_string(::getpid()), service_metadata(around)),
          mgr_tasks(
              command_sender, [this] { return active_mgr(); }, [this] { return mgr_token(); }),
          services{tasks,          operations,
                   commands,       [this] { return checked_caller->cached_table(ceph::CommandTarget()); },
                   cluster_status, around.journal ? history.get() : nullptr,
                   around.journal, &lister} {
        services.mgr_tasks = [this] { return mgr_tasks.current(); };
        if (options.auth != Options::Auth::none) services.authority = &users.emplace(command_sender, options).authority;
        services.events = &events;
        if (options.audit_to_cluster) services.cluster_log = &cluster_log.emplace(command_sender);
        if (around.journal) keep_history();
        tell_ends();
    }

    mgr::ActiveMgr active_mgr() const {
        const auto known = cluster_status.current().snapshot;
        return known ? mgr::ActiveMgr{known->mgr_id, known->mgr_url} : mgr::ActiveMgr();
    }

    /// With which the dashboard is asked for its tasks, where its users are ours.
    std::optional<std::string> mgr_token() const {
        const auto state = users ? users->feed.current() : nullptr;
        return state ? mgr::reader_token(*state, auth::numeric_date_now()) : std::nullopt;
    }

    /// A line of the audit for each task that ends, and one of the log for each that fails: which, of what, and why.
    void tell_ends() {
        tasks.notifications().register_listener(
            [this](const nlohmann::json& ended) {
                const auto task = tasks.find_by_id(ended.at("id").get_ref<const std::string&>());
                if (!task || !task->is_accepted()) return;
                api::tell_end(cluster_log ? &*cluster_log : nullptr, *task);
                if (!task->failure()) return;
                const auto bound = task->bound();
                const auto image = bound.is_object() && bound.contains("image_id")
                                       ? ", image id " + bound["image_id"].get<std::string>()
                                       : std::string();
                const auto what = "task " + task->id() + " (" + task->name() + " " + task->metadata().dump() + image +
                                  ") failed: " + error_text(task->failure());
                const bool is_wanted = is_cancelled(task->failure());
                spdlog::log(is_wanted ? spdlog::level::info : spdlog::level::warn, "{}", what);
                if (!is_wanted) service_status.note_failure(what);
            },
            {std::string(TaskManager::finished_event)});
    }

    /// Whoever sees that a task has ended finds it in the history.
    void keep_history() const {
        around.journal->observe_ends(
            [history = history](const std::string& id, const nlohmann::json& view) { history->add(id, view); });
    }

    void restore_finished(std::vector<ceph::KeptTask> kept) {
        for (auto& [id, view] : still_listed(kept, retention, clock.wall())) {
            auto name = view.at("name").get<std::string>();
            auto metadata = view.at("metadata");
            tasks.restore_finished(id, std::move(name), std::move(metadata), std::move(view));
        }
        tasks.sweep();
        for (auto& task : kept) history->add_unread(std::move(task));
    }

    void fail(const ceph::TaskRecord& record, std::exception_ptr error) {
        RunOptions run;
        run.exception_handler = api::task_failure_view;
        run.arguments = record.arguments;
        run.id = record.id;
        run.begin_time = record.begin_time;
        run.owner = record.owner;
        run.executor =
            std::make_unique<ceph::JournalledExecutor>(std::make_unique<EndAtOnce>(std::move(error)), around.journal,
                                                       record, ceph::JournalledExecutor::Record::is_durable);
        tasks.run_function(record.name, record.metadata, {}, std::move(run));
    }

    const Surroundings around;
    const Retention retention;
    const Clock& clock;
    const std::shared_ptr<ceph::TaskHistory> history;  // shared with the journal, which may outlive this
    const std::shared_ptr<ceph::CheckedCaller> checked_caller;
    ceph::CommandSender command_sender;
    std::optional<ceph::ClusterLog> cluster_log;
    ServiceStatus service_status;
    TaskManager tasks;  // whose last listeners write to the cluster's log
    ceph::SenderCommandPort commands;
    ceph::ClusterStatus cluster_status;
    rbd::Lister lister;
    worker::Dispatcher dispatcher;
    worker::OperationService operations;
    ceph::ServiceMapEntry service_map;
    std::optional<Users> users;
    mgr::TaskFeed mgr_tasks;
    api::TaskEvents events{tasks};
    api::Services services;
    std::jthread history_reader;
};

Session::Session(const Options& options, Surroundings surroundings)
    : impl_(std::make_unique<Impl>(options, std::move(surroundings))) {
    publish_status();
}

Session::~Session() {
    impl_->dispatcher.stop_now();
    impl_->command_sender.stop();
}

const api::Services& Session::services() const noexcept {
    return impl_->services;
}

void Session::recover(ceph::JournalContent content) {
    impl_->restore_finished(std::move(content.finished));
    for (const auto& record : content.unfinished) {
        try {
            if (record.kind == ceph::TaskRecord::Kind::command) {
                impl_->fail(record, outcome_unknown());
            } else {
                impl_->operations.resume(record);
            }
        } catch (const Error&) {
            impl_->fail(record, std::current_exception());
        }
    }
    for (const auto& problem : content.unreadable) tell_left_alone(problem);
    if (!content.unfinished.empty()) spdlog::info("{} tasks of an earlier life go on", content.unfinished.size());
}

void Session::read_history() {
    try {
        impl_->history_reader =
            std::jthread([history = impl_->history, journal = impl_->around.journal](const std::stop_token& stop) {
                name_this_thread("taskd-history");
                const auto unreadable = history->read_all(stop);
                if (stop.stop_requested()) return;
                std::vector<std::string> keys;
                for (const auto& [key, why] : unreadable) {
                    tell_left_alone(key + ": " + why);
                    keys.push_back(key);
                }
                journal->begin_to_drop(keys);
            });
    } catch (const std::system_error& error) {
        // It is read piece by piece by who looks for something; nothing is dropped from the journal in this life.
        spdlog::error("journal: there is no thread to read the history: {}", error.what());
    }
}

std::vector<std::string> Session::drain(std::chrono::milliseconds grace) {
    auto workers = impl_->dispatcher.worker_addresses();
    spdlog::info("stopping: {} tasks executing", impl_->tasks.executing_count());
    impl_->dispatcher.stop(grace);
    if (impl_->cluster_log) impl_->cluster_log->wait_until_written(last_lines);
    const auto left = impl_->tasks.executing_count();
    if (left == 0) return {};
    spdlog::warn("stopping with {} tasks that have not ended{}", left,
                 impl_->around.journal ? "; they go on at the next start" : "");
    return workers;
}

void Session::stop_now() {
    impl_->dispatcher.stop_now();
}

void Session::publish_status() {
    impl_->service_map.update_status(impl_->service_status.of(impl_->dispatcher.status()));
}

}  // namespace taskd::daemon
