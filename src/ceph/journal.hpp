#pragma once

#include "ceph/journal_store.hpp"
#include "ceph/task_record.hpp"
#include "core/counter.hpp"
#include "core/histogram.hpp"
#include "core/mutex.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// What is counted of a journal's writes. May serve one journal after the other.
struct JournalMeter {
    static constexpr std::array<std::chrono::nanoseconds, 13> bounds{
        std::chrono::microseconds(500), std::chrono::milliseconds(1),   std::chrono::microseconds(2500),
        std::chrono::milliseconds(5),   std::chrono::milliseconds(10),  std::chrono::milliseconds(25),
        std::chrono::milliseconds(50),  std::chrono::milliseconds(100), std::chrono::milliseconds(250),
        std::chrono::milliseconds(500), std::chrono::seconds(1),        std::chrono::seconds(5),
        std::chrono::seconds(30)};

    Histogram writes{bounds};  ///< From sending a batch to the cluster's answer, whatever that is.
    Counter failed_batches;
    Counter changes;  ///< That became durable.
};

struct JournalOptions {
    std::size_t most_finished = 10'000;        ///< Finished tasks that are kept.
    std::chrono::hours finished_for{24 * 30};  ///< … and for how long.
    std::size_t most_changes_in_batch = 256;
    /// How long the end of a task may wait for company: nobody waits for it, and one write then carries many.
    std::chrono::milliseconds linger{10};
    /// From the start of one batch to that of the next, at least. A lone task never waits for it; where many come at
    /// once, a few share each write, which costs the cluster as much with one change as with ten.
    std::chrono::milliseconds spacing{5};
    std::shared_ptr<JournalMeter> meter = {};  ///< Null: nothing is counted.
};

/// What a new front finds.
struct JournalContent {
    std::vector<TaskRecord> unfinished;   ///< In order of acceptance.
    std::vector<KeptTask> finished;       ///< In order of their end.
    std::vector<std::string> unreadable;  ///< "key: why"; kept as they are, never in the way of the rest.
};

/// The durable list of tasks. Writes are asynchronous and grouped: while one batch is under way the next one gathers.
///
///     insert ──▶ [t.ID] ──▶ finish ──▶ [f.END.ID] ──▶ dropped as the oldest
///
/// An insert is tried once; what follows from an accepted task (update, finish, withdraw) is tried until it succeeds.
/// @thread  Any. Callbacks come on a thread of librados, or inside the call: they copy, post and return.
class Journal {
  public:
    /// Null: it is durable.
    using Done = std::function<void(std::exception_ptr error)>;

    /// @param token    This front's, which claimed the store.
    /// @param on_lost  Called once, when the journal turns out to belong to another, or this client is fenced.
    Journal(std::shared_ptr<JournalStore> store, std::string token, JournalOptions options,
            std::function<void(std::string why)> on_lost, const Clock& clock = Clock::system());
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Reads everything from the cluster. Blocks; before the first write. No finished task is dropped from then on
    /// until `begin_to_drop`.
    JournalContent load();
    /// From now on finished tasks that are too many or too old are dropped again, those that `load` found as well; but
    /// none of `unreadable`, their keys: what this program cannot read a newer one can.
    void begin_to_drop(const std::vector<std::string>& unreadable);

    void insert(const TaskRecord& record, Done done);
    void update(const TaskRecord& record);
    void finish(const std::string& id, const nlohmann::json& finished_view);
    /// Who else is told of each end, at once: before anybody who waits for the task.
    using Observer = std::function<void(const std::string& id, const nlohmann::json& finished_view)>;
    void observe_ends(Observer observer);
    /// Takes back an insert, whether it has arrived or not.
    void withdraw(const std::string& id);
    /// Whether an insert that was refused or withdrawn may still be in the cluster. Should this front die now, the next
    /// one may find it, and take it for accepted.
    bool is_undecided(const std::string& id) const;
    /// Replaces what others see of the owner (its URL, the addresses to fence); `done` when it is durable.
    void describe_owner(std::string description, Done done);

    /// Waits until nothing is pending. @returns false when `timeout` came first.
    bool wait_until_durable(std::chrono::milliseconds timeout);

    /// Sends again what failed; to be called every second or so.
    void retry();
    /// Changes that are not durable yet.
    std::size_t pending() const;
    /// How long the cluster has owed an answer to the batch under way; zero when none is.
    std::chrono::nanoseconds longest_pending() const;

  private:
    struct Change {
        std::string set_key;  ///< Empty: only removes.
        std::string value;
        bool insert = false;
        std::vector<std::string> remove;
        Done done;

        bool is_removal() const { return set_key.empty() && remove.size() == 1; }
    };
    struct State;

    enum class Ends { may_linger, go_now };
    static void send_next(const std::shared_ptr<State>& state, Ends ends);
    static void send_lingering(const std::stop_token& stop, const std::shared_ptr<State>& state);
    static void handle_answer(const std::shared_ptr<State>& state, std::vector<Change> sent, int rc);
    void add(Change change, Ends ends = Ends::may_linger);

    const std::shared_ptr<State> state_;  // shared with the batches under way
    std::jthread lingerer_;               // last: it uses the state
};

}  // namespace taskd::ceph
