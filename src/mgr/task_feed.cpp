#include "mgr/task_feed.hpp"

#include "ceph/command_output.hpp"
#include "core/mutex.hpp"
#include "core/thread_name.hpp"
#include "core/utf8.hpp"
#include "mgr/dashboard_client.hpp"
#include "mgr/dashboard_list.hpp"
#include "mgr/dashboard_look.hpp"
#include "mgr/progress_events.hpp"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::mgr {
namespace {

using nlohmann::json;

const ceph::CommandTarget to_mgr{ceph::CommandTarget::Kind::mgr, {}};

json progress_command() {
    return {{"prefix", "progress json"}, {"format", "json"}};
}

/// The events in an answer. @throws Error of the command
MgrTaskList events_of(const ceph::CommandAnswer& answer) {
    if (answer.error) std::rethrow_exception(answer.error);
    const auto& result = answer.result;
    if (result.return_code < 0)
        throw ceph::command_error(result.return_code, result.status, to_mgr, progress_command(), nullptr);
    return listed(tasks_of_progress(ceph::parse_output(valid_utf8(result.output), false).value_or(json())));
}

/// One of the two parts that a list is made of.
struct Part {
    MgrTaskList list{};
    std::optional<SteadyTime> seen_at{};
};

}  // namespace

/// Shared with the callbacks of commands under way.
struct TaskFeed::State : std::enable_shared_from_this<TaskFeed::State> {
    State(ceph::CommandSender& command_sender, Mgr mgr, Token reader_token, TaskFeedOptions feed_options)
        : sender(command_sender), active(std::move(mgr)), token(std::move(reader_token)), options(feed_options) {}

    void run();
    bool wait_for_somebody();
    void ask_progress();
    void progress_answered(const ceph::CommandAnswer& answer);
    void look_at_dashboard();
    void complain(std::string& told, const std::string& problem);
    bool is_fresh(const Part& part) const TASKD_REQUIRES(mutex);
    void list_dashboard() TASKD_REQUIRES(mutex);

    ceph::CommandSender& sender;
    const Mgr active;
    const Token token;
    const TaskFeedOptions options;

    // The feed's thread's.
    DashboardClient client;
    DashboardLook look{{}};
    std::string dashboard_problem;

    mutable Mutex mutex;
    std::condition_variable_any wake;
    Part progress TASKD_GUARDED_BY(mutex);
    Part dashboard TASKD_GUARDED_BY(mutex);
    std::vector<MgrTask> dashboard_tasks TASKD_GUARDED_BY(mutex);  ///< Events among them.
    std::optional<SteadyTime> asked_at TASKD_GUARDED_BY(mutex);
    bool is_idle TASKD_GUARDED_BY(mutex) = false;
    bool is_asking_progress TASKD_GUARDED_BY(mutex) = false;
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    std::string progress_problem TASKD_GUARDED_BY(mutex);
    std::thread thread;
};

void TaskFeed::State::run() {
    name_this_thread("taskd-mgr");
    while (wait_for_somebody()) {
        const auto next = std::chrono::steady_clock::now() + options.period;
        ask_progress();
        look_at_dashboard();
        MutexLock lock(mutex);
        while (!stopping && wake.wait_until(mutex, next) != std::cv_status::timeout) {
        }
    }
}

/// @returns false when the feed ends.
bool TaskFeed::State::wait_for_somebody() {
    MutexLock lock(mutex);
    while (!stopping && (!asked_at || options.clock->steady() - *asked_at > options.idle_after)) {
        is_idle = true;
        wake.wait(mutex);
    }
    is_idle = false;
    return !stopping;
}

void TaskFeed::State::complain(std::string& told, const std::string& problem) {
    if (std::exchange(told, problem) != problem && !problem.empty()) spdlog::info("mgr: {}", problem);
}

void TaskFeed::State::ask_progress() {
    {
        MutexLock lock(mutex);
        // A mgr that does not answer is asked again only when the command sender has given the old question up.
        if (std::exchange(is_asking_progress, true)) return;
    }
    try {
        sender.send(to_mgr, progress_command(), {}, [state = shared_from_this()](const ceph::CommandAnswer& answer) {
            state->progress_answered(answer);
        });
    } catch (...) {
        MutexLock lock(mutex);
        is_asking_progress = false;
    }
}

void TaskFeed::State::progress_answered(const ceph::CommandAnswer& answer) {
    MgrTaskList events;
    std::string problem;
    try {
        events = events_of(answer);
    } catch (...) {
        problem = "its progress events are not known: " + error_text(std::current_exception());
    }
    MutexLock lock(mutex);
    is_asking_progress = false;
    complain(progress_problem, problem);
    if (!problem.empty()) return;
    progress = {std::move(events), options.clock->steady()};
    list_dashboard();
}

/// An event is told once: as what the progress module has of it.
void TaskFeed::State::list_dashboard() {
    const auto& events = progress.list;
    std::vector<MgrTask> own;
    std::copy_if(dashboard_tasks.begin(), dashboard_tasks.end(), std::back_inserter(own), [&](const MgrTask& task) {
        return !find_task(events, [&](const MgrTask& event) { return is_same_task(task, event, {}); });
    });
    dashboard.list = listed(std::move(own));
}

void TaskFeed::State::look_at_dashboard() {
    std::string problem;
    try {
        const auto mgr = active();
        if (mgr.id != look.mgr_id()) {
            // Another mgr knows nothing of the tasks of the one before.
            look = DashboardLook(mgr.id);
            MutexLock lock(mutex);
            dashboard = {};
            dashboard_tasks.clear();
        }
        const auto reader = mgr.dashboard_url.empty() ? std::nullopt : token();
        if (!reader) return;
        const auto from = options.clock->wall();
        auto tasks = parse_dashboard_list(client.list_tasks(mgr.dashboard_url, *reader, options.answer_timeout));
        MgrTaskList events;
        {
            MutexLock lock(mutex);
            events = progress.list;
        }
        tasks = look.learn(std::move(tasks), events, from, options.clock->wall());
        MutexLock lock(mutex);
        dashboard.seen_at = options.clock->steady();
        dashboard_tasks = std::move(tasks);
        list_dashboard();
    } catch (...) {
        problem = "the tasks of its dashboard are not known: " + error_text(std::current_exception());
    }
    complain(dashboard_problem, problem);
}

bool TaskFeed::State::is_fresh(const Part& part) const {
    return part.seen_at && options.clock->steady() - *part.seen_at < options.stale_after;
}

TaskFeed::TaskFeed(ceph::CommandSender& sender, Mgr active, Token token, TaskFeedOptions options)
    : state_(std::make_shared<State>(sender, std::move(active), std::move(token), options)) {
    state_->thread = std::thread([state = state_] { state->run(); });
}

TaskFeed::~TaskFeed() {
    {
        MutexLock lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
}

MgrTaskList TaskFeed::current() {
    MgrTaskList list;
    bool was_idle = false;
    {
        MutexLock lock(state_->mutex);
        state_->asked_at = state_->options.clock->steady();
        was_idle = state_->is_idle;
        if (state_->is_fresh(state_->progress)) list = state_->progress.list;
        if (state_->is_fresh(state_->dashboard)) list = merged(list, state_->dashboard.list);
    }
    if (was_idle) state_->wake.notify_all();
    return list;
}

}  // namespace taskd::mgr
