#include "ceph/journal.hpp"

#include "ceph/error.hpp"
#include "core/thread_name.hpp"

#include <algorithm>
#include <condition_variable>
#include <set>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

constexpr std::chrono::milliseconds retry_pause{100};
constexpr const char* task_prefix = "t.";

std::string task_key(const std::string& id) {
    return task_prefix + id;
}

std::exception_ptr not_accepted(int rc) {
    return std::make_exception_ptr(
        Error(ErrorKind::unavailable, -rc, "taskd",
              "the task was not accepted: the journal cannot be written: " + rados_error_text(rc)));
}

/// The cluster refuses all that comes of a client that is fenced; what has come before may have been taken.
std::exception_ptr acceptance_unknown(int rc) {
    return std::make_exception_ptr(
        Error(ErrorKind::unavailable, -rc, "taskd",
              "this ceph-taskd lost its role while the task was written to the journal: whether it was accepted is "
              "unknown here; ask the active one for it: " +
                  rados_error_text(rc)));
}

}  // namespace

struct Journal::State {
    State(std::shared_ptr<JournalStore> where, std::string owner, JournalOptions limits,
          std::function<void(std::string)> when_lost, const Clock& time)
        : store(std::move(where)),
          token(std::move(owner)),
          options(std::move(limits)),
          on_lost(std::move(when_lost)),
          clock(time) {}

    const std::shared_ptr<JournalStore> store;
    const std::string token;
    const JournalOptions options;
    std::function<void(std::string)> on_lost;
    const Clock& clock;

    mutable Mutex mutex;
    std::condition_variable_any idle;
    std::condition_variable_any lingering;
    std::deque<Change> waiting TASKD_GUARDED_BY(mutex);
    std::size_t awaited TASKD_GUARDED_BY(mutex) = 0;  ///< Of the waiting changes: those that somebody waits for.
    std::size_t under_way TASKD_GUARDED_BY(mutex) = 0;
    SteadyTime sent_at TASKD_GUARDED_BY(mutex);        ///< When the last batch went.
    bool spacing_out TASKD_GUARDED_BY(mutex) = false;  ///< The next batch has its time, whatever else comes.
    bool backing_off TASKD_GUARDED_BY(mutex) = false;  ///< The last batch failed: the next one is for `retry` to send.
    bool lost TASKD_GUARDED_BY(mutex) = false;
    std::multiset<std::string> undecided TASKD_GUARDED_BY(mutex);   ///< Keys that are to be removed for sure.
    std::deque<std::string> finished_keys TASKD_GUARDED_BY(mutex);  ///< Oldest first.
    bool drops TASKD_GUARDED_BY(mutex) = true;                      ///< Not between `load` and `begin_to_drop`.
    Observer observer TASKD_GUARDED_BY(mutex);

    bool may_send() const TASKD_REQUIRES(mutex) { return under_way == 0 && !waiting.empty() && !backing_off && !lost; }
    std::chrono::nanoseconds time_left() const TASKD_REQUIRES(mutex) {
        return sent_at + options.spacing - clock.steady();
    }
    void count(std::size_t changes, int rc) const TASKD_REQUIRES(mutex) {
        if (!options.meter) return;
        options.meter->writes.note(clock.steady() - sent_at);
        if (rc < 0)
            options.meter->failed_batches.increase();
        else
            options.meter->changes.increase(changes);
    }
    void push(Change change) TASKD_REQUIRES(mutex) {
        awaited += change.done ? 1U : 0U;
        waiting.push_back(std::move(change));
    }

    /// The keys of finished tasks that are too many or too old.
    std::vector<std::string> take_expired() TASKD_REQUIRES(mutex) {
        std::vector<std::string> expired;
        if (!drops) return expired;
        const std::string oldest = finished_key({}, format_utc(clock.wall() - options.finished_for));
        while (!finished_keys.empty() &&
               (finished_keys.size() > options.most_finished || finished_keys.front() < oldest)) {
            expired.push_back(std::move(finished_keys.front()));
            finished_keys.pop_front();
        }
        return expired;
    }
};

Journal::Journal(std::shared_ptr<JournalStore> store, std::string token, JournalOptions options,
                 std::function<void(std::string why)> on_lost, const Clock& clock)
    : state_(
          std::make_shared<State>(std::move(store), std::move(token), std::move(options), std::move(on_lost), clock)),
      lingerer_([state = state_](const std::stop_token& stop) { send_lingering(stop, state); }) {}

Journal::~Journal() {
    MutexLock lock(state_->mutex);
    state_->lost = true;  // what is under way may still arrive; nothing more is sent
    state_->waiting.clear();
}

JournalContent Journal::load() {
    JournalContent content;
    for (const auto& [key, text] : state_->store->read(task_prefix)) {
        try {
            auto record = TaskRecord::decode(text);
            if (key != task_key(record.id)) throw BadRequest("id", "not that of the key");
            content.unfinished.push_back(std::move(record));
        } catch (const Error& error) {
            content.unreadable.push_back(key + ": " + error.what());
        }
    }
    std::deque<std::string> keys;
    for (auto& [key, text] : state_->store->read(std::string(finished_prefix))) {
        try {
            content.finished.push_back(KeptTask::found(key, std::move(text)));
            keys.push_back(key);
        } catch (const Error& error) {
            content.unreadable.push_back(key + ": " + error.what());
        }
    }
    std::sort(content.unfinished.begin(), content.unfinished.end(), [](const TaskRecord& a, const TaskRecord& b) {
        return std::tie(a.begin_time, a.id) < std::tie(b.begin_time, b.id);
    });
    MutexLock lock(state_->mutex);
    state_->finished_keys = std::move(keys);
    state_->drops = false;
    return content;
}

void Journal::begin_to_drop(const std::vector<std::string>& unreadable) {
    const std::set<std::string_view> kept(unreadable.begin(), unreadable.end());
    MutexLock lock(state_->mutex);
    std::erase_if(state_->finished_keys, [&](const std::string& key) { return kept.contains(key); });
    state_->drops = true;
}

void Journal::insert(const TaskRecord& record, Done done) {
    add({task_key(record.id), record.encode(), true, {}, std::move(done)});
}

void Journal::update(const TaskRecord& record) {
    add({task_key(record.id), record.encode(), false, {}, {}});
}

void Journal::finish(const std::string& id, const nlohmann::json& finished_view) {
    Change change;
    change.set_key = finished_key(id, finished_view.at("end_time").get<std::string>());
    change.value = encode_finished(id, finished_view);
    change.remove.push_back(task_key(id));
    Observer observer;
    {
        MutexLock lock(state_->mutex);
        observer = state_->observer;
        state_->finished_keys.push_back(change.set_key);
        auto expired = state_->take_expired();
        change.remove.insert(change.remove.end(), expired.begin(), expired.end());
    }
    if (observer) observer(id, finished_view);
    // A failure that was seen, a cancel above all, should not come back to life: it waits for no company.
    add(std::move(change), finished_view.at("success").get<bool>() ? Ends::may_linger : Ends::go_now);
}

void Journal::observe_ends(Observer observer) {
    MutexLock lock(state_->mutex);
    state_->observer = std::move(observer);
}

void Journal::withdraw(const std::string& id) {
    Change insert;
    {
        MutexLock lock(state_->mutex);
        auto& waiting = state_->waiting;
        const auto found = std::find_if(waiting.begin(), waiting.end(), [&](const Change& change) {
            return change.insert && change.set_key == task_key(id);
        });
        if (found != waiting.end()) {
            insert = std::move(*found);
            state_->awaited -= insert.done ? 1U : 0U;
            waiting.erase(found);
        } else {
            state_->undecided.insert(task_key(id));
        }
    }
    if (insert.set_key.empty()) {
        add({{}, {}, false, {task_key(id)}, {}});
    } else if (insert.done) {
        insert.done(not_accepted(-ECANCELED));  // it was never sent, so nothing can arrive
    }
}

bool Journal::is_undecided(const std::string& id) const {
    MutexLock lock(state_->mutex);
    return state_->undecided.contains(task_key(id));
}

void Journal::describe_owner(std::string description, Done done) {
    add({"owner_description", std::move(description), false, {}, std::move(done)});
}

void Journal::add(Change change, Ends ends) {
    Done refused;
    {
        MutexLock lock(state_->mutex);
        if (state_->lost) {
            refused = std::move(change.done);
        } else {
            state_->push(std::move(change));
        }
    }
    if (refused) refused(not_accepted(-ESHUTDOWN));
    send_next(state_, ends);  // which does nothing when the journal is lost
}

void Journal::retry() {
    {
        MutexLock lock(state_->mutex);
        state_->backing_off = false;
    }
    send_next(state_, Ends::go_now);
}

std::size_t Journal::pending() const {
    MutexLock lock(state_->mutex);
    return state_->waiting.size() + state_->under_way;
}

bool Journal::wait_until_durable(std::chrono::milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        retry();
        const auto now = std::chrono::steady_clock::now();
        const MutexLock lock(state_->mutex);
        if (state_->lost) return false;
        if (state_->waiting.empty() && state_->under_way == 0) return true;
        if (now >= until) return false;
        state_->idle.wait_until(state_->mutex, std::min(until, now + retry_pause));
    }
}

std::chrono::nanoseconds Journal::longest_pending() const {
    const SteadyTime now = state_->clock.steady();
    MutexLock lock(state_->mutex);
    return state_->under_way == 0 ? std::chrono::nanoseconds(0) : now - state_->sent_at;
}

/// Gives ends that wait alone a little time to gather, and keeps batches apart that follow each other closely.
void Journal::send_lingering(const std::stop_token& stop, const std::shared_ptr<State>& state) {
    name_this_thread("taskd-journal");
    while (!stop.stop_requested()) {
        {
            MutexLock lock(state->mutex);
            const auto may_send = [&]() TASKD_REQUIRES(state->mutex) { return state->may_send(); };
            if (!state->lingering.wait(state->mutex, stop, may_send)) return;
            const auto is_awaited = [&]() TASKD_REQUIRES(state->mutex) { return state->awaited > 0; };
            state->lingering.wait_for(state->mutex, stop, state->options.linger, is_awaited);
            state->spacing_out = true;
            state->lingering.wait_for(state->mutex, stop, state->time_left(), [] { return false; });
            state->spacing_out = false;
        }
        send_next(state, Ends::go_now);
    }
}

void Journal::send_next(const std::shared_ptr<State>& state, Ends ends) {
    JournalBatch batch;
    std::vector<Change> changes;
    {
        MutexLock lock(state->mutex);
        if (!state->may_send()) return;
        if (ends == Ends::may_linger && (state->awaited == 0 || state->time_left().count() > 0)) {
            if (!state->spacing_out) state->lingering.notify_one();
            return;
        }
        batch.owner_token = state->token;
        while (!state->waiting.empty() && changes.size() < state->options.most_changes_in_batch) {
            Change& next = state->waiting.front();
            // Within one operation all sets come before all removals: what is removed must not be set in the same one.
            const bool collides = std::any_of(next.remove.begin(), next.remove.end(),
                                              [&](const auto& key) { return batch.set.contains(key); }) ||
                                  (!next.set_key.empty() && batch.set.contains(next.set_key) && next.insert);
            if (collides) break;
            if (!next.set_key.empty()) batch.set[next.set_key] = next.value;
            if (next.insert) batch.must_be_absent.push_back(next.set_key);
            batch.remove.insert(batch.remove.end(), next.remove.begin(), next.remove.end());
            state->awaited -= next.done ? 1U : 0U;
            changes.push_back(std::move(next));
            state->waiting.pop_front();
        }
        state->under_way = changes.size();
        state->sent_at = state->clock.steady();
    }
    const auto sent = std::make_shared<std::vector<Change>>(std::move(changes));
    try {
        state->store->apply(std::move(batch), [state, sent](int rc) { handle_answer(state, std::move(*sent), rc); });
    } catch (const Error& error) {
        handle_answer(state, std::move(*sent), -error.errno_value());
    }
}

void Journal::handle_answer(const std::shared_ptr<State>& state, std::vector<Change> sent, int rc) {
    const bool fenced = rc == -ECANCELED || rc == -ESHUTDOWN;
    const std::size_t sent_count = sent.size();
    bool tell = false;
    {
        MutexLock lock(state->mutex);
        state->under_way = 0;
        state->count(sent.size(), rc);
        if (fenced) {
            tell = !state->lost;
            state->lost = true;
            // Nothing of it will ever be sent: what follows from accepted tasks is the next owner's to find out.
            std::move(state->waiting.begin(), state->waiting.end(), std::back_inserter(sent));
            state->waiting.clear();
            state->awaited = 0;
        } else if (rc < 0) {
            state->backing_off = true;
            // An insert that failed is refused, and taken back in case it arrived all the same; what follows from
            // accepted tasks must happen, and in its order.
            std::vector<Change> again;
            for (auto& change : sent) {
                if (change.insert) {
                    state->undecided.insert(change.set_key);
                    again.push_back({{}, {}, false, {change.set_key}, {}});
                } else {
                    again.push_back(std::move(change));
                }
            }
            std::erase_if(sent, [](const Change& change) { return !change.insert; });
            state->waiting.insert(state->waiting.begin(), std::make_move_iterator(again.begin()),
                                  std::make_move_iterator(again.end()));
            state->awaited =
                static_cast<std::size_t>(std::count_if(state->waiting.begin(), state->waiting.end(),
                                                       [](const auto& change) { return change.done != nullptr; }));
        } else {
            for (const auto& change : sent)
                if (change.is_removal()) state->undecided.extract(change.remove.front());
        }
    }
    state->idle.notify_all();
    if (rc < 0) spdlog::error("journal: a batch failed: {}", rados_error_text(rc));
    // First of all: who is refused now looks for his task next, which may have arrived all the same, and must not be
    // answered by who is no longer asked.
    if (tell && state->on_lost)
        state->on_lost(rc == -ESHUTDOWN ? "this client is fenced" : "another ceph-taskd has taken over");
    for (std::size_t n = 0; n < sent.size(); ++n) {
        if (!sent[n].done) continue;
        const bool is_unknown = rc == -ESHUTDOWN && n < sent_count;
        sent[n].done(rc == 0 ? nullptr : is_unknown ? acceptance_unknown(rc) : not_accepted(rc));
    }
    send_next(state, Ends::may_linger);
}

}  // namespace taskd::ceph
