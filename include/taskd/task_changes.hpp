#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <taskd/task.hpp>

namespace taskd {

/// Which tasks have changed since the last look: they were accepted, have another progress, phase or reason to wait, or
/// have ended. For one who shows tasks to people; that one looks as often as people can follow.
///
/// A task that has changed many times between two looks is told once. While nobody watches, nothing is gathered and a
/// change costs one look at a counter.
/// @thread  Any. Never waits, calls nobody.
class TaskChanges {
  public:
    struct Look {
        std::vector<std::shared_ptr<Task>> tasks{};  ///< Each once; what it is by now is for the caller to see.
        bool is_complete = true;                     ///< False: others have changed as well, too many to be kept.
    };

    /// @param capacity  Most tasks that are kept for the next look.
    explicit TaskChanges(std::size_t capacity = 10'000);
    ~TaskChanges();
    TaskChanges(const TaskChanges&) = delete;
    TaskChanges& operator=(const TaskChanges&) = delete;

    /// Gathers from here on: a list that is made after this lacks nothing that `take` does not tell. Idempotent.
    void start();
    /// Gathers no more. Idempotent. @returns What was gathered and not taken.
    Look stop();
    /// What has changed since the last look, or since the start.
    Look take();

  private:
    friend class Task;          // whose state tells changes
    friend class TaskRegistry;  // which lets go of all tasks
    struct State;

    void note(Task& task);
    /// Lets go of what was gathered, and gathers no more, whoever starts it.
    void close();

    const std::unique_ptr<State> state_;
};

}  // namespace taskd
