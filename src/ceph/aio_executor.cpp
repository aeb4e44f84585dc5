#include "ceph/aio.hpp"
#include "ceph/error.hpp"
#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <taskd/aio_executor.hpp>
#include <taskd/task.hpp>

namespace taskd {
namespace {

std::exception_ptr cancelled(int code, const std::string& why) {
    return std::make_exception_ptr(Error(code == ECANCELED ? ErrorKind::cancelled : ErrorKind::refused, code, "taskd",
                                         "[errno " + std::to_string(code) + "] " + why));
}

using RunPointer = std::shared_ptr<AioCompletion::Run>;

}  // namespace

/// Shared by the window, its executors and their operations under way, which may outlive it.
struct AioWindow::State {
    explicit State(AioLimits aio_limits) : limits(aio_limits) {}

    /// Whether the run may begin now; otherwise it waits for its turn.
    bool admit(const RunPointer& run, std::atomic<std::uint64_t>& place);
    bool take_waiting(std::uint64_t place);
    /// From librados' thread: every operation of the run has ended.
    void post(RunPointer run);
    void end_runs();
    RunPointer release_and_take_next(const RunPointer& run);

    const AioLimits limits;
    mutable Mutex mutex;
    std::condition_variable_any wake;  ///< Something ended, or stopping.
    std::condition_variable_any drained;
    std::map<std::uint64_t, RunPointer> waiting TASKD_GUARDED_BY(mutex);
    std::set<RunPointer> running TASKD_GUARDED_BY(mutex);
    std::vector<RunPointer> ended TASKD_GUARDED_BY(mutex);
    std::uint64_t next_place TASKD_GUARDED_BY(mutex) = 1;
    bool stopping TASKD_GUARDED_BY(mutex) = false;  ///< Nothing more is admitted.
    bool closed TASKD_GUARDED_BY(mutex) = false;    ///< The thread is to end.
    std::thread thread;
};

/// One task's operations. Counts those under way, the task's function as one of them, so that a first operation that
/// ends at once does not end the task before a second was started.
class AioCompletion::Run : public std::enable_shared_from_this<AioCompletion::Run> {
  public:
    Run(AioExecutor& executor, std::shared_ptr<AioWindow::State> window)
        : executor_(executor), window_(std::move(window)) {}

    /// The task owns the executor, which must live until `finish`.
    void hold(std::shared_ptr<Task> task) {
        MutexLock lock(mutex_);
        task_ = std::move(task);
    }
    std::shared_ptr<Task> let_go() {
        MutexLock lock(mutex_);
        return std::exchange(task_, nullptr);
    }

    void begin() {
        const auto keep_alive = held();
        if (keep_alive) executor_.begin();
    }
    void enter_function() {
        MutexLock lock(mutex_);
        in_function_ = true;
        under_way_ = 1;
    }
    void leave_function(nlohmann::json value, std::exception_ptr error) {
        {
            MutexLock lock(mutex_);
            in_function_ = false;
            value_ = std::move(value);
            thrown_ = std::move(error);
            if (--under_way_ > 0) return;
        }
        window_->post(shared_from_this());
    }

    void start(const std::string& context, const Start& start) {
        {
            MutexLock lock(mutex_);
            if (!in_function_) throw std::logic_error("an operation can be started by its task's function only");
            ++under_way_;
        }
        try {
            ceph::start_aio(context, start,
                            [run = shared_from_this(), context](int rc) { run->operation_ended(rc, context); });
        } catch (...) {
            MutexLock lock(mutex_);
            --under_way_;
            throw;
        }
        MutexLock lock(mutex_);
        started_ = true;
    }

    void on_success(std::function<nlohmann::json(int)> make_value) {
        MutexLock lock(mutex_);
        make_value_ = std::move(make_value);
    }

    /// Ends the task with what came out; on the window's thread.
    void conclude() noexcept {
        if (!held()) return;  // ended by force: nobody wants the value
        nlohmann::json value;
        std::exception_ptr error;
        try {
            value = outcome();
        } catch (...) {
            error = std::current_exception();
        }
        finish(std::move(value), std::move(error));
    }

    /// Ends the task unless it has ended.
    void finish(nlohmann::json value, std::exception_ptr error) {
        if (const auto task = let_go()) executor_.finish(std::move(value), std::move(error));
    }

  private:
    std::shared_ptr<Task> held() {
        MutexLock lock(mutex_);
        return task_;
    }

    void operation_ended(int rc, const std::string& context) {
        {
            MutexLock lock(mutex_);
            if (rc < 0 && failed_with_ == 0) {
                failed_with_ = rc;
                failed_at_ = context;
            }
            last_rc_ = rc;
            if (--under_way_ > 0) return;
        }
        window_->post(shared_from_this());
    }

    nlohmann::json outcome() {
        std::function<nlohmann::json(int)> make_value;
        nlohmann::json value;
        int rc = 0;
        {
            MutexLock lock(mutex_);
            make_value = std::move(make_value_);
            value = std::move(value_);
            rc = last_rc_;
            if (thrown_) std::rethrow_exception(thrown_);
            if (failed_with_ < 0) throw ceph::rados_error(failed_with_, failed_at_);
            if (!started_) throw Error(ErrorKind::internal, 0, "taskd", "the task's function started no operation");
        }
        return make_value ? make_value(rc) : value;
    }

    AioExecutor& executor_;
    const std::shared_ptr<AioWindow::State> window_;
    Mutex mutex_;
    std::shared_ptr<Task> task_ TASKD_GUARDED_BY(mutex_);
    std::size_t under_way_ TASKD_GUARDED_BY(mutex_) = 0;
    bool in_function_ TASKD_GUARDED_BY(mutex_) = false;
    bool started_ TASKD_GUARDED_BY(mutex_) = false;
    int last_rc_ TASKD_GUARDED_BY(mutex_) = 0;
    int failed_with_ TASKD_GUARDED_BY(mutex_) = 0;
    std::string failed_at_ TASKD_GUARDED_BY(mutex_);
    nlohmann::json value_ TASKD_GUARDED_BY(mutex_);
    std::exception_ptr thrown_ TASKD_GUARDED_BY(mutex_);
    std::function<nlohmann::json(int)> make_value_ TASKD_GUARDED_BY(mutex_);
};

bool AioWindow::State::admit(const RunPointer& run, std::atomic<std::uint64_t>& place) {
    MutexLock lock(mutex);
    if (stopping) throw Error(ErrorKind::unavailable, ESHUTDOWN, "taskd", "operations are no longer taken");
    if (running.size() < limits.in_flight) {
        running.insert(run);
        return true;
    }
    if (waiting.size() >= limits.capacity) throw QueueFull("queue of aio tasks", limits.capacity);
    place = next_place++;
    waiting.emplace(place, run);
    return false;
}

bool AioWindow::State::take_waiting(std::uint64_t place) {
    MutexLock lock(mutex);
    return waiting.erase(place) > 0;
}

void AioWindow::State::post(RunPointer run) {
    MutexLock lock(mutex);
    if (closed) return;  // its task was ended by `stop`
    ended.push_back(std::move(run));
    if (ended.size() == 1) wake.notify_one();
}

RunPointer AioWindow::State::release_and_take_next(const RunPointer& run) {
    MutexLock lock(mutex);
    running.erase(run);
    if (running.empty()) drained.notify_all();
    if (waiting.empty() || stopping) return nullptr;
    auto next = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    running.insert(next);
    return next;
}

void AioWindow::State::end_runs() {
    name_this_thread("taskd-aio");
    for (;;) {
        std::vector<RunPointer> batch;
        {
            MutexLock lock(mutex);
            while (ended.empty() && !closed) wake.wait(mutex);
            if (ended.empty()) return;
            batch.swap(ended);
        }
        for (const auto& run : batch) {
            run->conclude();
            if (const auto next = release_and_take_next(run)) next->begin();
        }
    }
}

AioWindow::AioWindow(AioLimits limits) : state_(std::make_shared<State>(limits)) {
    state_->thread = std::thread([state = state_] { state->end_runs(); });
}

AioWindow::~AioWindow() {
    stop();
}

void AioWindow::stop() {
    State& state = *state_;
    std::map<std::uint64_t, RunPointer> unstarted;
    {
        MutexLock lock(state.mutex);
        if (std::exchange(state.stopping, true)) return;
        unstarted.swap(state.waiting);
    }
    for (const auto& [place, run] : unstarted)
        run->finish(nullptr, cancelled(ECANCELED, "cancelled before it was started: shutting down"));
    std::set<RunPointer> left;
    {
        MutexLock lock(state.mutex);
        const auto give_up = std::chrono::steady_clock::now() + state.limits.stop_grace;
        while (!state.running.empty() && state.drained.wait_until(state.mutex, give_up) != std::cv_status::timeout) {
        }
        state.closed = true;
        left.swap(state.running);
    }
    state.wake.notify_all();
    state.thread.join();
    if (!left.empty()) spdlog::warn("{} tasks wait for librados at shutdown; ending them", left.size());
    for (const auto& run : left)
        run->finish(nullptr, cancelled(ETIMEDOUT, "not answered before the shutdown; it may still take effect"));
}

std::size_t AioWindow::in_flight() const {
    MutexLock lock(state_->mutex);
    return state_->running.size();
}

std::size_t AioWindow::waiting() const {
    MutexLock lock(state_->mutex);
    return state_->waiting.size();
}

void AioCompletion::start(std::string context, const Start& start) const {
    run_->start(context, start);
}

void AioCompletion::on_success(std::function<nlohmann::json(int rc)> make_value) const {
    run_->on_success(std::move(make_value));
}

AioExecutor::AioExecutor(AioWindow& window)
    : window_(window.state_), run_(std::make_shared<AioCompletion::Run>(*this, window_)) {}

AioExecutor::~AioExecutor() = default;

void AioExecutor::start() {
    run_->hold(task());
    bool now = false;
    try {
        now = window_->admit(run_, place_);
    } catch (...) {
        run_->let_go();
        throw;
    }
    if (now) begin();
}

void AioExecutor::begin() {
    const auto run = run_;  // the task, and this with it, may be gone when the last operation has ended
    run->enter_function();
    nlohmann::json value;
    std::exception_ptr error;
    try {
        value = run_function();
    } catch (...) {
        error = std::current_exception();
    }
    run->leave_function(std::move(value), std::move(error));
}

void AioExecutor::cancel(bool force) {
    const auto run = run_;
    const std::uint64_t place = place_.load();
    if (place > 0 && window_->take_waiting(place)) {
        run->finish(nullptr, cancelled(ECANCELED, "cancelled before it was started"));
    } else if (force) {
        run->finish(nullptr,
                    cancelled(ECANCELED, "cancelled; its operations were under way and may still take effect"));
    }
}

}  // namespace taskd
