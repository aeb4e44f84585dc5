#include "worker/local_worker.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace taskd::worker {

namespace asio = boost::asio;

/// Carries the runner's news to the dispatcher's thread. Shared with the news on their way.
class LocalWorker::Sink final : public JobSink, public std::enable_shared_from_this<LocalWorker::Sink> {
  public:
    Sink(Worker& worker, asio::io_context& context, WorkerEvents& events)
        : worker_(&worker), context_(context), events_(&events) {}

    void ready() {
        asio::post(context_, [self = shared_from_this()] {
            if (self->events_ != nullptr) self->events_->handle_ready(*self->worker_);
        });
    }
    void progress(const std::string& id, int percent) noexcept override {
        asio::post(context_, [self = shared_from_this(), id, percent] {
            if (self->events_ != nullptr) self->events_->handle_progress(*self->worker_, id, percent);
        });
    }
    void result(const std::string& id, nlohmann::json value, nlohmann::json error) noexcept override {
        asio::post(context_,
                   [self = shared_from_this(), id, value = std::move(value), error = std::move(error)]() mutable {
                       if (self->events_ != nullptr)
                           self->events_->handle_result(*self->worker_, id, std::move(value), std::move(error));
                   });
    }
    /// On the dispatcher's thread, as the calls above: nothing is told any more.
    void close() { events_ = nullptr; }

  private:
    Worker* worker_;
    asio::io_context& context_;
    WorkerEvents* events_;
};

LocalWorker::LocalWorker(std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
                         std::size_t most_jobs, asio::io_context& context, WorkerEvents& events)
    : cluster_(std::move(cluster)),
      sink_(std::make_shared<Sink>(*this, context, events)),
      runner_(cluster_, registry, *sink_, most_jobs) {
    sink_->ready();
}

LocalWorker::~LocalWorker() {
    sink_->close();
}

void LocalWorker::run(const WorkOrder& order) {
    runner_.run(order);
}
void LocalWorker::cancel(const std::string& id) {
    runner_.cancel(id);
}
std::string LocalWorker::cluster_addresses() const {
    return cluster_ ? cluster_->addresses() : std::string();
}

}  // namespace taskd::worker
