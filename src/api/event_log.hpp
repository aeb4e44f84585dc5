#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace taskd::api {

/// The newest state of each task that has changed lately, in the order of the changes. What a viewer has missed is what
/// lies behind its place, whether it was away or just slow: never two states of one task.
///
///     oldest place that is whole ┐             ┌ newest()
///     ── dropped ─────────────── │ e5  e7  e8  e9      (e6 was an older state of the task of e8)
///
/// Not thread-safe.
class EventLog {
  public:
    /// A number that grows with each event; 0 is before the first.
    using Place = std::uint64_t;

    struct Event {
        std::string task_id;
        std::string task_name;
        std::string data;  ///< JSON.
    };

    /// Beyond either limit the oldest events are dropped.
    EventLog(std::size_t most_events, std::size_t most_bytes) : most_events_(most_events), most_bytes_(most_bytes) {}

    void put(Event event);
    /// Drops all, and makes every place up to here one that is too old: something is missing.
    void break_off();

    /// The place of the newest event.
    Place newest() const noexcept { return newest_; }
    /// Whether all that changed behind that place is there. Not so for places that have not been yet.
    bool is_whole_behind(Place place) const noexcept { return place >= dropped_ && place <= newest_; }
    /// The first event behind a place; null when there is none.
    /// @param place  Set to the event's own.
    const Event* next_behind(Place& place) const;

  private:
    void drop(std::map<Place, Event>::iterator event);

    const std::size_t most_events_;
    const std::size_t most_bytes_;
    Place newest_ = 0;
    Place dropped_ = 0;  // the newest that was dropped, not those that a newer state took the place of
    std::size_t bytes_ = 0;
    std::map<Place, Event> events_;
    std::unordered_map<std::string_view, Place> by_task_;  // keys are the events' own
};

}  // namespace taskd::api
