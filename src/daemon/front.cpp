#include "daemon/front.hpp"

#include "api/error_view.hpp"
#include "api/routes.hpp"
#include "ceph/checked_caller.hpp"
#include "ceph/cluster_status.hpp"
#include "ceph/command_port.hpp"
#include "ceph/command_sender.hpp"
#include "ceph/service_map.hpp"
#include "daemon/version.hpp"
#include "http/server.hpp"
#include "worker/dispatcher.hpp"
#include "worker/local_worker.hpp"
#include "worker/operation_service.hpp"
#include "worker/worker_process.hpp"

#include <spdlog/spdlog.h>
#include <taskd/task_manager.hpp>
#include <unistd.h>

namespace taskd::daemon {
namespace {

/// How long requests in flight may take at the end: longer than the longest time that one waits for its task.
constexpr std::chrono::milliseconds http_grace{6'000};

worker::Dispatcher::WorkerFactory make_factory(const Options& options, const std::shared_ptr<ceph::Cluster>& cluster,
                                               const rbd::OperationRegistry& registry,
                                               std::vector<std::string> command) {
    using Role = worker::Dispatcher::Role;
    const std::size_t most_jobs = options.dispatcher.threads_per_worker * worker::threads_for_a_slot;
    if (options.dispatcher.workers == 0)
        return [cluster, &registry, most_jobs](Role, boost::asio::io_context& context, worker::WorkerEvents& events) {
            return std::make_unique<worker::LocalWorker>(cluster, registry, most_jobs, context, events);
        };
    return [cluster_options = options.cluster, command = std::move(command), most_jobs](
               Role role, boost::asio::io_context& context, worker::WorkerEvents& events) {
        const worker::protocol::Setup setup{cluster_options, role == Role::quarantine ? 1 : most_jobs};
        return std::make_unique<worker::WorkerProcess>(command, setup, context, events);
    };
}

worker::DispatcherOptions dispatcher_options(worker::DispatcherOptions options) {
    if (options.workers == 0) options.workers = 1;  // the one of this process's own threads
    return options;
}

}  // namespace

// In order of use: what is declared later is destroyed first.
struct Front::Impl {
    Impl(Options given, std::shared_ptr<ceph::Cluster> connected, const rbd::OperationRegistry& registry,
         std::vector<std::string> worker_command)
        : options(std::move(given)),
          cluster(std::move(connected)),
          checked_caller(std::make_shared<ceph::CheckedCaller>(
              std::make_shared<ceph::LibradosCaller>([handle = cluster] { return handle; }))),
          command_sender(checked_caller),
          commands(command_sender, tasks.notifications()),
          cluster_status(command_sender),
          dispatcher(dispatcher_options(options.dispatcher),
                     make_factory(options, cluster, registry, std::move(worker_command))),
          operations(tasks, registry, dispatcher, rbd::Limits{}, api::task_failure_view),
          service_map(cluster, std::to_string(::getpid()), ceph::own_metadata(*cluster, std::string(version))),
          server(server_options(), api::make_router(services())) {}

    http::ServerOptions server_options() const {
        http::ServerOptions server_options;
        server_options.listen = options.listen;
        server_options.threads = options.http_threads;
        return server_options;
    }

    api::Services services() {
        return {tasks, operations, commands, [this] { return checked_caller->cached_table(ceph::CommandTarget()); },
                cluster_status};
    }

    const Options options;
    const std::shared_ptr<ceph::Cluster> cluster;
    TaskManager tasks;
    const std::shared_ptr<ceph::CheckedCaller> checked_caller;
    ceph::CommandSender command_sender;
    ceph::SenderCommandPort commands;
    ceph::ClusterStatus cluster_status;
    worker::Dispatcher dispatcher;
    worker::OperationService operations;
    ceph::ServiceMapEntry service_map;
    http::Server server;
};

Front::Front(Options options, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
             std::vector<std::string> worker_command)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(cluster), registry, std::move(worker_command))) {
    impl_->server.start();
    publish_status();
}

Front::~Front() {
    impl_->server.stop(std::chrono::milliseconds(0));
    impl_->command_sender.stop();
}

const std::vector<http::Endpoint>& Front::endpoints() const noexcept {
    return impl_->server.endpoints();
}

void Front::drain() {
    spdlog::info("stopping: {} tasks executing", impl_->tasks.executing_count());
    impl_->server.stop(http_grace);
    impl_->dispatcher.stop(impl_->options.grace);
    if (const auto left = impl_->tasks.executing_count(); left > 0)
        spdlog::warn("stopping with {} tasks that have not ended", left);
}

void Front::publish_status() {
    const auto status = impl_->dispatcher.status();
    impl_->service_map.update_status({{"tasks_waiting", std::to_string(status.waiting)},
                                      {"tasks_running", std::to_string(status.running)},
                                      {"tasks_stalled", std::to_string(status.stalled)},
                                      {"workers_ready", std::to_string(status.workers_ready)},
                                      {"worker_deaths", std::to_string(status.worker_deaths)}});
}

}  // namespace taskd::daemon
