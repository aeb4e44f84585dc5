#include "core/finished_text.hpp"

#include <algorithm>

namespace taskd {

void FinishedText::add(const Task& task, const std::string& identity) {
    const auto status = task.status();
    if (!text_.empty()) text_ += ',';
    text_ += *task.finished_text();
    const auto end_time = status.end_time.value_or(status.begin_time);
    entries_.push_back({task.name(), identity, status.begin_time, end_time, text_.size()});
    earliest_begin_ = std::min(earliest_begin_, status.begin_time);
    latest_end_ = std::max(latest_end_, end_time);
}

std::size_t FinishedText::append_to(std::string& text, const NameFilter& wanted,
                                    std::span<const OtherTask> others) const {
    std::size_t used = 0;
    auto place = entries_.begin();
    while (place != entries_.end()) {
        const auto until =
            used == others.size() ? entries_.end() : std::find_if(place, entries_.end(), [&](const Entry& entry) {
                return entry.end_time < others[used].end_time;
            });
        append_entries(text, wanted, place, until);
        if (until != entries_.end()) append_element(text, others[used++].text);
        place = until;
    }
    return used;
}

void FinishedText::append_entries(std::string& text, const NameFilter& wanted, Place begin, Place end) const {
    if (!wanted) {
        if (begin != end) append_element(text, text_of(begin, end));
        return;
    }
    for (; begin != end; ++begin)
        if (wanted(begin->name)) append_element(text, text_of(begin, begin + 1));
}

std::string_view FinishedText::text_of(Place begin, Place end) const {
    const auto from = begin == entries_.begin() ? 0 : std::prev(begin)->end + 1;
    return std::string_view(text_).substr(from, std::prev(end)->end - from);
}

bool FinishedText::has(const OtherTask& other) const {
    if (earliest_begin_ > other.end_time || latest_end_ < other.begin_time) return false;
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.begin_time <= other.end_time && other.begin_time <= entry.end_time &&
               entry.identity == other.identity && entry.name == other.name;
    });
}

void append_element(std::string& text, std::string_view element) {
    if (text.back() != '[') text += ',';
    text += element;
}

}  // namespace taskd
