#include "api/event_log.hpp"

#include <utility>

namespace taskd::api {

void EventLog::put(Event event) {
    if (const auto before = by_task_.find(event.task_id); before != by_task_.end()) drop(events_.find(before->second));
    bytes_ += event.data.size();
    const auto added = events_.emplace_hint(events_.end(), ++newest_, std::move(event));
    by_task_.emplace(added->second.task_id, added->first);
    while (events_.size() > most_events_ || bytes_ > most_bytes_) {
        dropped_ = events_.begin()->first;
        drop(events_.begin());
    }
}

void EventLog::drop(std::map<Place, Event>::iterator event) {
    bytes_ -= event->second.data.size();
    by_task_.erase(event->second.task_id);
    events_.erase(event);
}

void EventLog::break_off() {
    by_task_.clear();
    events_.clear();
    bytes_ = 0;
    dropped_ = ++newest_;
}

const EventLog::Event* EventLog::next_behind(Place& place) const {
    const auto next = events_.upper_bound(place);
    if (next == events_.end()) return nullptr;
    place = next->first;
    return &next->second;
}

}  // namespace taskd::api
