#pragma once

#include "core/histogram.hpp"

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <taskd/task_manager.hpp>

namespace taskd::api {

/// Counts tasks by their names: those it was made with, and all others as "other". So what it knows does not grow,
/// whatever names a program or a client makes up.
/// @thread  Any.
class TaskTally final : public TaskObserver {
  public:
    static constexpr const char* other = "other";

    struct Entry {
        std::array<Counter, 3> ended;  ///< By TaskObserver::Outcome.
        Histogram wait{bounds};
        Histogram run{bounds};

        /// From the creation of an empty image to a copy that takes hours.
        static constexpr std::array<std::chrono::nanoseconds, 14> bounds{
            std::chrono::milliseconds(5),   std::chrono::milliseconds(10),  std::chrono::milliseconds(50),
            std::chrono::milliseconds(100), std::chrono::milliseconds(500), std::chrono::seconds(1),
            std::chrono::seconds(5),        std::chrono::seconds(10),       std::chrono::seconds(30),
            std::chrono::minutes(1),        std::chrono::minutes(5),        std::chrono::minutes(30),
            std::chrono::hours(1),          std::chrono::hours(6)};
    };

    explicit TaskTally(const std::vector<std::string>& names);

    void handle_start(const Task& task, std::chrono::nanoseconds waited) noexcept override;
    void handle_end(const Task& task, Outcome outcome, std::optional<std::chrono::nanoseconds> ran) noexcept override;

    const std::map<std::string, Entry, std::less<>>& entries() const noexcept { return entries_; }

  private:
    Entry& entry_of(const Task& task) noexcept;

    std::map<std::string, Entry, std::less<>> entries_;  // as they are made: only what they count changes
    Entry& other_;
};

}  // namespace taskd::api
