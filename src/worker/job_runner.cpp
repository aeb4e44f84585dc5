#include "worker/job_runner.hpp"

#include "ceph/cluster.hpp"
#include "rbd/missing_caps.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <stop_token>

#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

using Steady = std::chrono::steady_clock;

/// Reports come closer together at the beginning, so that short work shows how far it is as well: at most 42 in the
/// first second after the first, then ten a second.
constexpr std::chrono::milliseconds shortest_interval{5};
constexpr std::chrono::milliseconds longest_interval{100};
/// Work that goes on without reaching the next percent says so, lest it counts as stalled.
constexpr std::chrono::milliseconds sign_of_life_interval{1'000};
/// What runs is never shown as done: 100 is for success, which only the result tells.
constexpr int most_while_running = 99;

/// Operations ask the mgr now and then only. One that does not answer keeps a few threads, and no task longer than
/// this.
constexpr ceph::CommandLimits command_limits{.max_threads = 4,
                                             .capacity = 1'000,
                                             .deadline = std::chrono::seconds(30),
                                             .stop_grace = std::chrono::milliseconds(100)};

Steady::duration progress_interval(Steady::duration age) {
    return std::clamp<Steady::duration>(age / 10, shortest_interval, longest_interval);
}

}  // namespace

class JobRunner::Context final : public rbd::OperationContext {
  public:
    Context(WorkOrder order, JobRunner& runner) : order_(std::move(order)), runner_(runner) {}

    const WorkOrder& order() const noexcept { return order_; }
    void stop() { stop_.request_stop(); }

    const ceph::Cluster& cluster() override { return *runner_.cluster_; }
    bool stop_requested() const noexcept override { return stop_.stop_requested(); }
    int attempt() const noexcept override { return order_.attempt; }
    const std::string& task_id() const noexcept override { return order_.id; }

    ceph::CommandResult ask_mgr(const nlohmann::json& command) override {
        // The sender answers exactly once, at its deadline at the latest.
        const auto promise = std::make_shared<std::promise<ceph::CommandAnswer>>();
        auto answered = promise->get_future();
        runner_.commands_.send({ceph::CommandTarget::Kind::mgr, {}}, command, {},
                               [promise](ceph::CommandAnswer answer) { promise->set_value(std::move(answer)); });
        auto answer = answered.get();
        if (answer.error) std::rethrow_exception(answer.error);
        return std::move(answer.result);
    }

    void step(std::string_view name) override {
        if (runner_.step_hook_) runner_.step_hook_(order_, name);
    }

    bool pause(std::chrono::milliseconds duration) override {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop_.get_token(), duration, [] { return false; });
        return !stop_requested();
    }

    void progress(std::uint64_t done, std::uint64_t total) noexcept override {
        const double share = total == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total);
        const int percent = std::clamp(static_cast<int>(share * 100.0), 0, most_while_running);
        const auto now = Steady::now().time_since_epoch();
        // Called up to 50,000 times a second from several threads: look first, then claim the turn to report. The turn
        // lasts until the report is out, lest one of more overtakes it and what is shown falls back.
        if (!is_due(percent, now) || reporting_.exchange(true, std::memory_order_acquire)) return;
        if (is_due(percent, now)) {
            last_report_.store(now, std::memory_order_relaxed);
            last_percent_.store(percent, std::memory_order_relaxed);
            runner_.sink_.progress(order_.id, percent);
        }
        reporting_.store(false, std::memory_order_release);
    }

  private:
    bool is_due(int percent, Steady::duration now) noexcept {
        const int shown = last_percent_.load(std::memory_order_relaxed);
        const auto wait =
            percent > shown ? progress_interval(now - first_call(now)) : Steady::duration(sign_of_life_interval);
        return percent >= shown && now - last_report_.load(std::memory_order_relaxed) >= wait;
    }

    /// When progress was told first: librbd may have worked long before, and be done soon after.
    Steady::duration first_call(Steady::duration now) noexcept {
        auto first = first_call_.load(std::memory_order_relaxed);
        if (first == Steady::duration::zero() &&
            first_call_.compare_exchange_strong(first, now, std::memory_order_relaxed))
            return now;
        return first;
    }

    const WorkOrder order_;
    JobRunner& runner_;
    std::stop_source stop_;
    std::atomic<Steady::duration> first_call_{Steady::duration::zero()};
    std::atomic<Steady::duration> last_report_{Steady::duration::zero()};
    std::atomic<int> last_percent_{0};
    std::atomic<bool> reporting_{false};
};

JobRunner::JobRunner(std::shared_ptr<const ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
                     JobSink& sink, std::size_t most_jobs, StepHook step_hook)
    : cluster_(std::move(cluster)),
      registry_(registry),
      sink_(sink),
      step_hook_(std::move(step_hook)),
      commands_(std::make_shared<ceph::LibradosCaller>([handle = cluster_] { return handle; }), command_limits),
      threads_("taskd-rbd", most_jobs, most_jobs) {}

JobRunner::~JobRunner() {
    MutexLock lock(mutex_);
    for (const auto& [id, context] : jobs_) context->stop();
}

void JobRunner::run(WorkOrder order) {
    const auto context = std::make_shared<Context>(std::move(order), *this);
    {
        MutexLock lock(mutex_);
        jobs_.emplace(context->order().id, context);
    }
    try {
        threads_.post([this, context] { execute(context); });
    } catch (...) {
        {
            MutexLock lock(mutex_);
            jobs_.erase(context->order().id);
        }
        sink_.result(context->order().id, nullptr, error_to_json(std::current_exception()));
    }
}

void JobRunner::execute(const std::shared_ptr<Context>& context) noexcept {
    const WorkOrder& order = context->order();
    nlohmann::json value;
    nlohmann::json error;
    const rbd::Operation* operation = registry_.find(order.operation);
    try {
        if (operation == nullptr)
            throw Error(ErrorKind::internal, ENOSYS, "taskd",
                        "this worker knows no operation '" + order.operation + "'");
        value = operation->run(*context, order.arguments);
    } catch (...) {
        auto failure = std::current_exception();
        if (operation != nullptr && cluster_ != nullptr)
            failure = rbd::with_missing_caps(failure, cluster_->options().name, *operation, order.arguments);
        error = error_to_json(std::move(failure));
    }
    {
        MutexLock lock(mutex_);
        jobs_.erase(order.id);
    }
    sink_.result(order.id, std::move(value), std::move(error));
}

void JobRunner::cancel(const std::string& id) {
    MutexLock lock(mutex_);
    if (const auto found = jobs_.find(id); found != jobs_.end()) found->second->stop();
}

std::size_t JobRunner::jobs() const {
    MutexLock lock(mutex_);
    return jobs_.size();
}

}  // namespace taskd::worker
