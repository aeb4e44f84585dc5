#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>

namespace taskd::mgr {

/// Something that the mgr is at, or was: an event of its progress module, or a task of the dashboard's own.
struct MgrTask {
    struct End {
        WallTime time;
        double duration_s = 0;
        bool success = true;
        nlohmann::json ret_value{};
        nlohmann::json exception{};  ///< An object when it failed.
    };

    std::string name;
    nlohmann::json metadata;
    WallTime begin_time;
    int progress = 0;  ///< Percent.
    std::optional<End> end{};
    bool is_event = false;  ///< Of the progress module.

    /// As the lists show it, with the keys of the dashboard.
    nlohmann::json view() const;
};

/// Whether a time that the mgr tells can be one: from 1970 to 2096, so that any two can be compared.
bool is_plausible(WallTime time) noexcept;

/// One that is listed. Immutable, so that it is shared and its text is made once, not for each who asks.
struct ListedMgrTask {
    MgrTask task;
    std::string text;      ///< `view()`, bytes that are no UTF-8 replaced.
    std::string identity;  ///< Of its metadata; empty where that is none that a task of ours could have.
};

/// Newest first: executing by begin, finished by end.
struct MgrTaskList {
    /// More of one kind than these are not kept, however many the mgr has.
    static constexpr std::size_t most = 1000;

    std::vector<std::shared_ptr<const ListedMgrTask>> executing;
    std::vector<std::shared_ptr<const ListedMgrTask>> finished;

    bool empty() const noexcept { return executing.empty() && finished.empty(); }
};

/// The first task for which `is_wanted` is true; null when there is none.
template <class Predicate>
const MgrTask* find_task(const MgrTaskList& list, Predicate is_wanted) {
    for (const auto* entries : {&list.executing, &list.finished})
        for (const auto& entry : *entries)
            if (is_wanted(entry->task)) return &entry->task;
    return nullptr;
}

/// Sorts, and leaves out the oldest when there are too many.
MgrTaskList listed(std::vector<MgrTask> tasks);
/// Both, in one order.
MgrTaskList merged(const MgrTaskList& one, const MgrTaskList& other);

}  // namespace taskd::mgr
