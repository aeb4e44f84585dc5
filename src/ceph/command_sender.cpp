#include "ceph/command_sender.hpp"

#include "ceph/error.hpp"
#include "core/mutex.hpp"
#include "core/priority.hpp"
#include "core/thread_name.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

namespace taskd::ceph {
namespace {

using Steady = std::chrono::steady_clock;

struct Job {
    CommandSender::Ticket ticket = 0;
    CommandTarget target;
    nlohmann::json command;
    std::string input;
    CommandSender::Callback callback;  ///< Empty once it was taken to be called.
    Steady::time_point due;
    bool sent = false;
};

constexpr std::size_t lanes = 3;

std::size_t lane_of(const CommandTarget& target) {
    switch (target.kind) {
        case CommandTarget::Kind::mon:
            return 0;
        case CommandTarget::Kind::mgr:
            return 1;
        default:
            return 2;
    }
}

/// The sender of whose threads this is one that runs a callback and looks for a command right after it. What the
/// callback sends first needs no other thread: to wake one costs more than most commands do.
thread_local const void* free_after_callback = nullptr;

CommandAnswer failed(int code, const std::string& why, const CommandTarget& target, const nlohmann::json& command) {
    CommandAnswer answer;
    answer.error = std::make_exception_ptr(
        rados_error(code, target.text() + " command '" + prefix_of(command) + "' " + why, target.component()));
    return answer;
}

void answer(const CommandSender::Callback& callback, CommandAnswer with) noexcept {
    try {
        callback(std::move(with));
    } catch (...) {
        spdlog::error("a command's callback threw: {}", error_text(std::current_exception()));
    }
}

}  // namespace

/// Shared by the sender and its threads, so that a thread stuck in librados after `stop` still owns what it touches.
struct CommandSender::State : std::enable_shared_from_this<CommandSender::State> {
    State(std::shared_ptr<CommandCaller> command_caller, CommandLimits command_limits)
        : caller(std::move(command_caller)),
          limits(command_limits),
          lane_limit(std::max<std::size_t>(1, limits.max_threads - limits.max_threads / 4)) {}

    std::shared_ptr<Job> next_runnable() TASKD_REQUIRES(mutex);
    Callback take_callback(Job& job) TASKD_REQUIRES(mutex);
    Ticket enqueue(const std::shared_ptr<Job>& job, bool by_free_thread);
    void add_thread() TASKD_REQUIRES(mutex);
    void run_commands(std::size_t number);
    void watch_deadlines();
    void expire(const std::shared_ptr<Job>& job);
    std::vector<std::thread> take_ended() TASKD_REQUIRES(mutex);

    const std::shared_ptr<CommandCaller> caller;
    const CommandLimits limits;
    const std::size_t lane_limit;

    mutable Mutex mutex;
    ConditionVariable work;    ///< Something to run, or stopping.
    ConditionVariable timing;  ///< An earlier deadline, an ended thread, or stopping.
    ConditionVariable idle;    ///< A thread ended.
    std::array<std::map<Ticket, std::shared_ptr<Job>>, lanes> waiting TASKD_GUARDED_BY(mutex);
    std::array<std::size_t, lanes> running TASKD_GUARDED_BY(mutex){};
    std::map<Ticket, std::shared_ptr<Job>> unanswered TASKD_GUARDED_BY(mutex);
    std::set<std::pair<Steady::time_point, Ticket>> deadlines TASKD_GUARDED_BY(mutex);
    std::size_t waiting_count TASKD_GUARDED_BY(mutex) = 0;
    std::size_t idle_threads TASKD_GUARDED_BY(mutex) = 0;
    std::map<std::size_t, std::thread> threads TASKD_GUARDED_BY(mutex);
    std::vector<std::thread> ended TASKD_GUARDED_BY(mutex);
    Ticket next_ticket TASKD_GUARDED_BY(mutex) = 1;
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    std::thread watcher;
};

CommandSender::Callback CommandSender::State::take_callback(Job& job) {
    if (!job.callback) return {};
    unanswered.erase(job.ticket);
    deadlines.erase({job.due, job.ticket});
    if (!job.sent) waiting_count -= waiting[lane_of(job.target)].erase(job.ticket);
    return std::exchange(job.callback, nullptr);
}

/// The oldest command whose kind of daemon has a thread left.
std::shared_ptr<Job> CommandSender::State::next_runnable() {
    std::map<Ticket, std::shared_ptr<Job>>* oldest = nullptr;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        auto& queue = waiting[lane];
        if (queue.empty() || running[lane] >= lane_limit) continue;
        if (oldest == nullptr || queue.begin()->first < oldest->begin()->first) oldest = &queue;
    }
    if (oldest == nullptr) return nullptr;
    auto job = std::move(oldest->begin()->second);
    oldest->erase(oldest->begin());
    job->sent = true;
    --waiting_count;
    ++running[lane_of(job->target)];
    return job;
}

/// Puts it where a thread finds it, and sees to it that there is one. @throws as `send`
CommandSender::Ticket CommandSender::State::enqueue(const std::shared_ptr<Job>& job, bool by_free_thread) {
    MutexLock lock(mutex);
    if (stopping) throw Error(ErrorKind::unavailable, ESHUTDOWN, "taskd", "commands are no longer taken");
    if (unanswered.size() >= limits.capacity) throw QueueFull("queue of commands", limits.capacity);
    if (waiting_count >= idle_threads && !by_free_thread && threads.size() < limits.max_threads) {
        try {
            add_thread();
        } catch (const std::system_error& none) {
            if (threads.empty())
                throw Error(ErrorKind::unavailable, none.code().value(), "taskd", "no thread can be had for a command");
        }
    }
    job->ticket = next_ticket++;
    unanswered.emplace(job->ticket, job);
    deadlines.emplace(job->due, job->ticket);
    if (deadlines.begin()->second == job->ticket) timing.notify_one();
    ++waiting_count;
    waiting[lane_of(job->target)].emplace(job->ticket, job);
    return job->ticket;
}

void CommandSender::State::add_thread() {
    std::size_t number = 0;
    while (threads.contains(number)) ++number;
    // Of a real-time thread a new one has not even the nice value.
    threads.emplace(number, std::thread([state = shared_from_this(), number, nice = nice_value()] {
                        set_nice_value(nice);
                        state->run_commands(number);
                    }));
}

void CommandSender::State::run_commands(std::size_t number) {
    name_this_thread("taskd-cmd-" + std::to_string(number));
    for (;;) {
        std::shared_ptr<Job> job;
        {
            MutexLock lock(mutex);
            const auto give_up = Steady::now() + limits.idle_timeout;
            while (!(job = next_runnable()) && !stopping) {
                ++idle_threads;
                const bool expired = work.wait_until(mutex, give_up) == std::cv_status::timeout;
                --idle_threads;
                if (!expired) continue;
                job = next_runnable();
                break;
            }
            if (!job) {
                ended.push_back(std::move(threads.at(number)));
                threads.erase(number);
                timing.notify_one();
                idle.notify_all();
                return;
            }
        }
        CommandAnswer outcome;
        try {
            outcome.result = caller->call(job->target, job->command, job->input);
        } catch (...) {
            outcome.error = std::current_exception();
        }
        Callback callback;
        bool is_free = true;
        {
            MutexLock lock(mutex);
            const auto lane = lane_of(job->target);
            // What its full lane has held back was announced when it came, and is this thread's to take.
            is_free = running[lane]-- < lane_limit || waiting[lane].empty();
            callback = take_callback(*job);
        }
        if (!callback) continue;  // it was answered at its deadline, by whom the command is still read
        if (!outcome.error) outcome.command = std::move(job->command);
        if (is_free) free_after_callback = this;
        answer(callback, std::move(outcome));
        free_after_callback = nullptr;
    }
}

std::vector<std::thread> CommandSender::State::take_ended() {
    return std::exchange(ended, {});
}

void CommandSender::State::expire(const std::shared_ptr<Job>& job) {
    Callback callback;
    bool sent = false;
    {
        MutexLock lock(mutex);
        sent = job->sent;
        callback = take_callback(*job);
    }
    if (!callback) return;
    const std::string bound = std::to_string(limits.deadline.count()) + " ms";
    const std::string why = sent ? "got no answer in " + bound + " and may still take effect"
                                 : "was not sent in " + bound + ": earlier ones get no answer";
    answer(callback, failed(ETIMEDOUT, why, job->target, job->command));
}

/// Answers what is overdue and joins threads that ended for want of work.
void CommandSender::State::watch_deadlines() {
    name_this_thread("taskd-cmd-due");
    for (;;) {
        std::vector<std::thread> to_join;
        std::shared_ptr<Job> due;
        {
            MutexLock lock(mutex);
            while (!stopping && ended.empty()) {
                if (deadlines.empty()) {
                    timing.wait(mutex);
                } else if (const auto earliest = deadlines.begin()->first; earliest > Steady::now()) {
                    timing.wait_until(mutex, earliest);
                } else {
                    due = unanswered.at(deadlines.begin()->second);
                    break;
                }
            }
            if (stopping) return;
            to_join = take_ended();
        }
        for (auto& thread : to_join) thread.join();
        if (due) expire(due);
    }
}

/// Senders that stopped while librados held some of their threads: the one thing here that is not joined in time,
/// since nothing ends such a call (see LibradosCaller). Those that came back are joined when the program ends.
class CommandSender::LeftToSleep {
  public:
    static void add(std::shared_ptr<State> state) {
        static LeftToSleep all;
        MutexLock lock(all.mutex_);
        all.states_.push_back(std::move(state));
    }

  private:
    ~LeftToSleep() {
        for (auto& state : states_) {
            MutexLock lock(state->mutex);
            for (auto& thread : state->take_ended()) thread.join();
            // Never freed: a thread that woke up from here on would otherwise destroy its own std::thread.
            if (!state->threads.empty()) new std::shared_ptr<State>(state);
        }
    }

    Mutex mutex_;
    std::vector<std::shared_ptr<State>> states_;
};

CommandSender::CommandSender(std::shared_ptr<CommandCaller> caller, CommandLimits limits)
    : state_(std::make_shared<State>(std::move(caller), limits)) {
    state_->watcher = std::thread([state = state_] { state->watch_deadlines(); });
}

CommandSender::~CommandSender() {
    stop();
}

CommandSender::Ticket CommandSender::send(CommandTarget target, nlohmann::json command, std::string input,
                                          Callback callback) {
    State& state = *state_;
    auto job = std::make_shared<Job>();
    job->target = std::move(target);
    job->command = std::move(command);
    job->input = std::move(input);
    job->callback = std::move(callback);
    job->due = Steady::now() + state.limits.deadline;

    const bool by_free_thread = free_after_callback == &state;
    const auto ticket = state.enqueue(job, by_free_thread);
    if (by_free_thread)
        free_after_callback = nullptr;  // for this one
    else
        state.work.notify_one();  // without the lock, which the one that wakes up wants first of all
    return ticket;
}

bool CommandSender::cancel(Ticket ticket) {
    std::shared_ptr<Job> job;
    Callback callback;
    {
        MutexLock lock(state_->mutex);
        const auto found = state_->unanswered.find(ticket);
        if (found == state_->unanswered.end() || found->second->sent) return false;
        job = found->second;
        callback = state_->take_callback(*job);
    }
    answer(callback, failed(ECANCELED, "was cancelled before it was sent", job->target, job->command));
    return true;
}

void CommandSender::stop() {
    State& state = *state_;
    std::vector<std::pair<std::shared_ptr<Job>, Callback>> unsent;
    {
        MutexLock lock(state.mutex);
        if (std::exchange(state.stopping, true)) return;
        for (const auto& queue : state.waiting)
            for (const auto& [ticket, job] : queue) unsent.emplace_back(job, nullptr);
        for (auto& [job, callback] : unsent) callback = state.take_callback(*job);
    }
    state.work.notify_all();
    state.timing.notify_all();
    for (const auto& [job, callback] : unsent)
        answer(callback, failed(ECANCELED, "was not sent: shutting down", job->target, job->command));
    state.watcher.join();

    std::vector<std::pair<std::shared_ptr<Job>, Callback>> unfinished;
    std::vector<std::thread> to_join;
    {
        MutexLock lock(state.mutex);
        const auto give_up = Steady::now() + state.limits.stop_grace;
        while (!state.threads.empty() && state.idle.wait_until(state.mutex, give_up) != std::cv_status::timeout) {
        }
        to_join = state.take_ended();
        std::vector<std::shared_ptr<Job>> left;
        for (const auto& [ticket, job] : state.unanswered) left.push_back(job);
        for (auto& job : left) unfinished.emplace_back(job, state.take_callback(*job));
        if (!state.threads.empty()) {
            spdlog::warn("{} command threads wait for an answer that does not come; leaving them",
                         state.threads.size());
            LeftToSleep::add(state_);
        }
    }
    for (const auto& [job, callback] : unfinished)
        answer(callback, failed(ETIMEDOUT, "got no answer before the shutdown and may still take effect", job->target,
                                job->command));
    for (auto& thread : to_join) thread.join();
}

CommandSender::Load CommandSender::load() const {
    MutexLock lock(state_->mutex);
    std::size_t running = 0;
    for (const auto count : state_->running) running += count;
    return {state_->threads.size(), state_->waiting_count, running};
}

}  // namespace taskd::ceph
