#pragma once

#include "core/mutex.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
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
    /// The matching tasks, newest first, each with its `id`, and how many there are in all.
    nlohmann::json search(const HistoryQuery& query) const;
    std::optional<nlohmann::json> find(const std::string& id) const;
    std::size_t size() const;

  private:
    struct Entry {
        std::string id;
        std::string name;
        std::string end_time;
        bool success;
        std::string text;  ///< The view as JSON: compact, and what is searched.
        std::string made;  ///< `pool/image` of the image that it made: searched as well, as people write it.
    };

    static bool matches(const Entry& entry, const HistoryQuery& query);
    static nlohmann::json view_of(const Entry& entry);

    const std::size_t most_;
    mutable Mutex mutex_;
    /// Shared, so that a search copies pointers under the lock and parses without it.
    std::deque<std::shared_ptr<const Entry>> entries_ TASKD_GUARDED_BY(mutex_);
};

}  // namespace taskd::ceph
