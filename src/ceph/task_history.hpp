#pragma once

#include "ceph/task_record.hpp"
#include "core/mutex.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// What to look for in the history; what is empty matches all.
struct HistoryQuery {
    std::string name_glob;
    std::optional<bool> success;
    std::string text;  ///< Occurs in the name, the metadata, the failure or in `pool/image`.
    std::function<bool(const std::string& name)> may_see;  ///< None: all are seen.
    std::string since;                                     ///< UTC: ended at or after it.
    std::string until;                                     ///< UTC: ended before it.
    std::size_t limit = 100;
    std::size_t offset = 0;
};

/// The finished tasks that the journal keeps, in memory as well, so that looking for one asks no cluster.
/// @thread  Any.
class TaskHistory {
  public:
    /// @param most  Tasks that are kept; the oldest go.
    explicit TaskHistory(std::size_t most) : most_(most) {}

    void add(std::string id, const nlohmann::json& finished_view);
    /// Adds one of an earlier life, which is read when somebody looks for it, or by `read_all`. Until then there may be
    /// more than `most`.
    void add_unread(KeptTask task);

    struct Unreadable {
        std::string key;
        std::string why;
    };
    /// Reads those that were not read yet, some 20 µs each. What cannot be read, and so was never found, leaves the
    /// history.
    /// @returns what cannot be read; not all of it when this was stopped
    std::vector<Unreadable> read_all(const std::stop_token& stop);

    /// The matching tasks, newest first, each with its `id`, and how many there are in all.
    nlohmann::json search(const HistoryQuery& query) const;
    std::optional<nlohmann::json> find(const std::string& id) const;
    std::size_t size() const;

  private:
    class Entry;
    using Entries = std::deque<std::shared_ptr<const Entry>>;

    static bool matches(const Entry& entry, const HistoryQuery& query);
    static nlohmann::json view_of(const Entry& entry);
    void push_back(std::shared_ptr<const Entry> entry);
    void drop_oldest() TASKD_REQUIRES(mutex_);
    Entries entries() const;

    const std::size_t most_;
    mutable Mutex mutex_;
    /// Shared, so that a search copies pointers under the lock and parses without it.
    Entries entries_ TASKD_GUARDED_BY(mutex_);
    bool has_unread_ TASKD_GUARDED_BY(mutex_) = false;
};

}  // namespace taskd::ceph
