#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <taskd/other_tasks.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {

/// The listed text of some finished tasks that stand side by side, newest first, and what must be known of each of them
/// to show only some of them, or others between them. It keeps no task alive.
/// @thread  Immutable once it is filled.
class FinishedText {
  public:
    void add(const Task& task, const std::string& identity);

    /// Appends those that are wanted, and of `others` those that belong before the last of them.
    /// @param others  Newest first.
    /// @returns how many of the others there were
    std::size_t append_to(std::string& text, const NameFilter& wanted, std::span<const OtherTask> others) const;
    /// Whether one of these tasks is the same work.
    bool has(const OtherTask& other) const;
    std::size_t size() const noexcept { return text_.size(); }

  private:
    struct Entry {
        std::string name;
        std::string identity;
        WallTime begin_time;
        WallTime end_time;
        std::size_t end;  ///< Of its text in all of it; a comma is between two.
    };
    using Place = std::vector<Entry>::const_iterator;

    void append_entries(std::string& text, const NameFilter& wanted, Place begin, Place end) const;
    std::string_view text_of(Place begin, Place end) const;

    std::string text_;
    std::vector<Entry> entries_;
    WallTime earliest_begin_ = WallTime::max();
    WallTime latest_end_ = WallTime::min();
};

/// An element of an array whose bracket, or last element, is the end of `text`.
void append_element(std::string& text, std::string_view element);

}  // namespace taskd
