#include "ceph/cluster_status.hpp"

#include "core/mutex.hpp"
#include "core/thread_name.hpp"
#include "core/utf8.hpp"

#include <array>
#include <condition_variable>
#include <thread>
#include <utility>

namespace taskd::ceph {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 3> questions{"status", "mgr stat", "version"};

/// A string deep in an answer, empty where the answer is of another form.
std::string text_at(const json& document, const char* pointer) {
    const json::json_pointer path(pointer);
    if (!document.contains(path)) return {};
    const auto& value = document.at(path);
    return value.is_string() ? value.get<std::string>() : std::string();
}

void learn(ClusterSnapshot& snapshot, std::size_t question, const json& answer) {
    if (question == 0) {
        snapshot.fsid = text_at(answer, "/fsid");
        snapshot.health_status = text_at(answer, "/health/status");
        snapshot.mgr_url = text_at(answer, "/mgrmap/services/dashboard");
    } else if (question == 1) {
        snapshot.mgr_id = text_at(answer, "/active_name");
    } else {
        snapshot.version = text_at(answer, "/version");
    }
}

/// The answer as JSON. @throws Error of the command
json parsed(const CommandAnswer& answer, const CommandTarget& target, const json& command) {
    if (answer.error) std::rethrow_exception(answer.error);
    const auto& result = answer.result;
    if (result.return_code < 0) throw command_error(result.return_code, result.status, target, command, nullptr);
    return parse_output(valid_utf8(result.output), true).value_or(json());
}

}  // namespace

/// Shared with the callbacks of polls under way.
struct ClusterStatus::State : std::enable_shared_from_this<ClusterStatus::State> {
    State(CommandSender& command_sender, ClusterStatusOptions status_options)
        : sender(command_sender), options(status_options) {}

    void run();
    void begin_poll();
    void ask(std::size_t question, std::shared_ptr<ClusterSnapshot> snapshot);
    void answered(std::size_t question, const std::shared_ptr<ClusterSnapshot>& snapshot, const CommandAnswer& answer);
    void poll_failed(std::exception_ptr error);

    CommandSender& sender;
    const ClusterStatusOptions options;

    mutable Mutex mutex;
    std::condition_variable_any wake;
    std::shared_ptr<const ClusterSnapshot> newest TASKD_GUARDED_BY(mutex);
    std::string error TASKD_GUARDED_BY(mutex) = "not asked yet";
    bool polling TASKD_GUARDED_BY(mutex) = false;
    bool asked_now TASKD_GUARDED_BY(mutex) = false;
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    std::thread thread;
};

void ClusterStatus::State::run() {
    name_this_thread("taskd-status");
    for (;;) {
        begin_poll();
        MutexLock lock(mutex);
        const auto next = std::chrono::steady_clock::now() + options.interval;
        while (!stopping && !asked_now && wake.wait_until(mutex, next) != std::cv_status::timeout) {
        }
        if (stopping) return;
        asked_now = false;
    }
}

void ClusterStatus::State::begin_poll() {
    {
        MutexLock lock(mutex);
        if (std::exchange(polling, true)) return;
    }
    ask(0, std::make_shared<ClusterSnapshot>());
}

void ClusterStatus::State::ask(std::size_t question, std::shared_ptr<ClusterSnapshot> snapshot) {
    try {
        sender.send({CommandTarget::Kind::mon, {}}, {{"prefix", questions.at(question)}, {"format", "json"}}, {},
                    [state = shared_from_this(), question, snapshot](const CommandAnswer& answer) {
                        state->answered(question, snapshot, answer);
                    });
    } catch (...) {
        poll_failed(std::current_exception());
    }
}

void ClusterStatus::State::answered(std::size_t question, const std::shared_ptr<ClusterSnapshot>& snapshot,
                                    const CommandAnswer& answer) {
    try {
        learn(*snapshot, question, parsed(answer, {}, {{"prefix", questions.at(question)}}));
    } catch (...) {
        return poll_failed(std::current_exception());
    }
    {
        MutexLock lock(mutex);
        if (stopping) return;
        if (question + 1 == questions.size()) {
            snapshot->polled_at = options.clock->steady();
            newest = snapshot;
            error.clear();
            polling = false;
            return;
        }
    }
    ask(question + 1, snapshot);
}

void ClusterStatus::State::poll_failed(std::exception_ptr failure) {
    MutexLock lock(mutex);
    error = error_text(std::move(failure));
    polling = false;
}

ClusterStatus::ClusterStatus(CommandSender& sender, ClusterStatusOptions options)
    : state_(std::make_shared<State>(sender, options)) {
    state_->thread = std::thread([state = state_] { state->run(); });
}

ClusterStatus::~ClusterStatus() {
    {
        MutexLock lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
}

ClusterStatus::View ClusterStatus::current() const {
    const SteadyTime now = state_->options.clock->steady();
    MutexLock lock(state_->mutex);
    View view{state_->newest, {}, false, state_->error};
    if (view.snapshot) {
        view.age = now - view.snapshot->polled_at;
        view.have_mon_connection = view.age < state_->options.stale_after;
    }
    return view;
}

void ClusterStatus::poll_now() {
    {
        MutexLock lock(state_->mutex);
        state_->asked_now = true;
    }
    state_->wake.notify_all();
}

}  // namespace taskd::ceph
