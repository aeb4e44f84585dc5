#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <taskd/clock.hpp>

namespace taskd::worker {

enum class Priority { high = 0, normal = 1, low = 2 };

/// @throws BadRequest on anything but "high", "normal", "low".
Priority priority_from(std::string_view text);
std::string_view to_string(Priority priority) noexcept;

/// What the queue must know of a job to order it.
struct QueuedJob {
    std::string id;
    std::string pool;                 ///< Whose share of the slots it uses.
    std::vector<std::string> images;  ///< Jobs that name the same image run one after the other, in the order given.
    Priority priority = Priority::normal;
    bool heavy = false;  ///< Long by nature: may never take all the slots.
};

struct QueueLimits {
    std::size_t capacity = 10'000;  ///< Jobs that may wait.
    std::size_t slots = 32;         ///< Jobs that may run at the same time.
    std::size_t per_pool = 16;      ///< … of one pool.
    /// A job that waited this long counts as one priority higher, then as one more: nothing starves.
    std::chrono::seconds ageing = std::chrono::seconds(30);
};

/// Decides which job runs next: order per image, a limit per pool, turns between pools, three priorities with ageing,
/// and at least one slot of a pool and a quarter of all that heavy jobs leave to the others.
///
///     push ──▶ blocked (an earlier job has one of its images) ──▶ ready ──▶ next() ──▶ running ──▶ done()
///
/// A job holds its images from push to done. No threads, no clock: time is an argument.
/// @thread  One.
class JobQueue {
  public:
    explicit JobQueue(QueueLimits limits) : limits_(limits) {}

    /// @throws QueueFull
    void push(QueuedJob job, SteadyTime now);
    /// The job that may start now, which then counts as running; none when nothing may.
    std::optional<std::string> next(SteadyTime now);
    /// A running job has ended, or is to run again outside this queue's slots: frees its slot, keeps its images.
    void release_slot(const std::string& id);
    /// The job has ended: frees what it holds. Unknown ids are ignored.
    void done(const std::string& id);
    /// Takes a job out that has not started. @returns whether it was waiting.
    bool remove_waiting(const std::string& id);

    /// Slots come and go with worker processes and with stalled jobs.
    void set_slots(std::size_t slots) { limits_.slots = slots; }

    std::size_t waiting() const noexcept { return waiting_; }
    std::size_t running() const noexcept { return running_; }
    /// Why the job waits, in words: the job before it on its image, its pool's limit, or the slots.
    std::string waits_for(const std::string& id) const;

    /// Whose turn it is, of one pool's jobs: the first is 1.
    struct Turn {
        const std::string* id;  ///< Valid until the queue changes.
        std::size_t position;
    };
    /// Every job that waits. The order is the one in which those of its pool start if nothing else comes and none is
    /// held up by its image or as a heavy one; pools take turns.
    std::vector<Turn> turns(SteadyTime now) const;

  private:
    enum class Stage { blocked, ready, running, released };
    struct Entry {
        QueuedJob job;
        SteadyTime since;
        Stage stage = Stage::blocked;
        std::size_t order = 0;
    };
    struct PoolShare {
        std::size_t running = 0;
        std::size_t heavy_running = 0;
        /// Ready jobs by priority, in order; heavy ones apart, so that they never hide a light one.
        std::array<std::deque<std::string>, 3> light;
        std::array<std::deque<std::string>, 3> heavy;
    };

    /// Its priority as what it waited has lifted it, then its order: the lowest goes first.
    std::pair<long, std::size_t> rank_of(const Entry& entry, SteadyTime now) const;
    bool is_first_on_its_images(const Entry& entry) const;
    void make_ready(Entry& entry);
    void leave_images(const Entry& entry);
    std::optional<std::string> take_from(PoolShare& share, SteadyTime now);
    bool heavy_may_start(const PoolShare& share) const;

    QueueLimits limits_;
    std::size_t waiting_ = 0;
    std::size_t running_ = 0;
    std::size_t heavy_running_ = 0;
    std::size_t next_order_ = 0;
    std::string last_pool_;  ///< Turns: the search starts behind it.
    std::unordered_map<std::string, Entry> entries_;
    std::map<std::string, PoolShare> pools_;
    std::unordered_map<std::string, std::deque<std::string>> on_image_;  ///< Jobs by image, in order.
};

}  // namespace taskd::worker
