#include "api/task_tally.hpp"

namespace taskd::api {

TaskTally::TaskTally(const std::vector<std::string>& names) : other_(entries_[other]) {
    for (const auto& name : names) entries_[name];
}

void TaskTally::handle_start(const Task& task, std::chrono::nanoseconds waited) noexcept {
    entry_of(task).wait.note(waited);
}

void TaskTally::handle_end(const Task& task, Outcome outcome, std::optional<std::chrono::nanoseconds> ran) noexcept {
    auto& entry = entry_of(task);
    entry.ended[static_cast<std::size_t>(outcome)].increase();
    if (ran) entry.run.note(*ran);
}

TaskTally::Entry& TaskTally::entry_of(const Task& task) noexcept {
    const auto found = entries_.find(task.name());
    return found == entries_.end() ? other_ : found->second;
}

}  // namespace taskd::api
