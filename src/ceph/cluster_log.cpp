#include "ceph/cluster_log.hpp"

#include "ceph/command_output.hpp"
#include "core/mutex.hpp"
#include "core/utf8.hpp"

#include <condition_variable>
#include <deque>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::ceph {

/// Shared with the callbacks of lines under way.
struct ClusterLog::State : std::enable_shared_from_this<ClusterLog::State> {
    State(CommandSender& command_sender, ClusterLogLimits log_limits) : sender(command_sender), limits(log_limits) {}

    void write(const std::string& line);
    void send_waiting();
    void send(const std::string& line);
    void handle_answer(const CommandAnswer& answer);
    void drop(const std::string& why) TASKD_REQUIRES(mutex);
    /// Once there is room again: how many are missing.
    void tell_dropped() TASKD_REQUIRES(mutex);
    bool is_written() const TASKD_REQUIRES(mutex) { return under_way == 0 && waiting.empty(); }

    CommandSender& sender;
    const ClusterLogLimits limits;

    mutable Mutex mutex;
    std::condition_variable_any written;
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    std::deque<std::string> waiting TASKD_GUARDED_BY(mutex);
    std::size_t under_way TASKD_GUARDED_BY(mutex) = 0;
    std::uint64_t dropped TASKD_GUARDED_BY(mutex) = 0;
    std::uint64_t dropped_untold TASKD_GUARDED_BY(mutex) = 0;
};

void ClusterLog::State::drop(const std::string& why) {
    // The first of many: the others are counted, and told of when there is room again.
    if (dropped_untold == 0) spdlog::warn("the cluster's log lacks lines of the audit from now on: {}", why);
    ++dropped;
    ++dropped_untold;
}

void ClusterLog::State::tell_dropped() {
    if (dropped_untold == 0 || !waiting.empty()) return;
    const auto lines = std::to_string(std::exchange(dropped_untold, 0));
    spdlog::warn("the cluster's log takes lines of the audit again; it lacks {}, which are in this one", lines);
    waiting.push_back("ceph-taskd audit: " + lines + " lines are missing here; they are in the daemon's own log");
}

void ClusterLog::State::write(const std::string& line) {
    {
        const MutexLock lock(mutex);
        if (waiting.size() >= limits.capacity) return drop("too many lines wait");
        waiting.push_back(valid_utf8(cut_utf8(line, limits.most_bytes)));
    }
    send_waiting();
}

void ClusterLog::State::send_waiting() {
    for (;;) {
        std::string line;
        {
            const MutexLock lock(mutex);
            if (stopping || waiting.empty() || under_way >= limits.at_once) return;
            line = std::move(waiting.front());
            waiting.pop_front();
            ++under_way;
        }
        send(line);
    }
}

void ClusterLog::State::send(const std::string& line) {
    try {
        sender.send({CommandTarget::Kind::mon, {}}, {{"prefix", "log"}, {"logtext", nlohmann::json::array({line})}}, {},
                    [state = shared_from_this()](const CommandAnswer& answer) {
                        state->handle_answer(answer);
                        state->send_waiting();
                    });
    } catch (...) {
        CommandAnswer unsent;
        unsent.error = std::current_exception();
        handle_answer(unsent);
    }
}

void ClusterLog::State::handle_answer(const CommandAnswer& answer) {
    const MutexLock lock(mutex);
    --under_way;
    if (answer.error)
        drop(error_text(answer.error));
    else if (answer.result.return_code < 0)
        drop(answer.result.status);
    else
        tell_dropped();
    if (is_written()) written.notify_all();
}

ClusterLog::ClusterLog(CommandSender& sender, ClusterLogLimits limits)
    : state_(std::make_shared<State>(sender, limits)) {}

ClusterLog::~ClusterLog() {
    const MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->waiting.clear();
}

void ClusterLog::write(const std::string& line) {
    state_->write(line);
}

std::uint64_t ClusterLog::dropped() const {
    const MutexLock lock(state_->mutex);
    return state_->dropped;
}

bool ClusterLog::wait_until_written(std::chrono::milliseconds timeout) const {
    const auto until = std::chrono::steady_clock::now() + timeout;
    const MutexLock lock(state_->mutex);
    while (!state_->is_written())
        if (state_->written.wait_until(state_->mutex, until) == std::cv_status::timeout) return state_->is_written();
    return true;
}

}  // namespace taskd::ceph
