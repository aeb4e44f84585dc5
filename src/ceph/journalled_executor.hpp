#pragma once

#include "ceph/journal.hpp"
#include "core/mutex.hpp"

#include <functional>
#include <memory>
#include <optional>

#include <taskd/executor.hpp>
#include <taskd/task.hpp>

namespace taskd::ceph {

/// Makes a task durable before another executor runs it, and its end afterwards.
///
///     start ──▶ prepare ──▶ insert into the journal ──▶ accepted, inner executor starts ──▶ … ──▶ end into the journal
///
/// Cancelled before it is durable, the task ends as never accepted and its record is taken back, however late it
/// arrives. Tasks are run with `RunOptions::accepted` false.
class JournalledExecutor final : public TaskExecutor {
  public:
    /// Finds out what the record must hold beside the arguments (`bound`), then calls `go_on` once, from any thread.
    /// What it returns is called when the task is given up meanwhile.
    using GiveUp = std::function<void()>;
    using Prepare = std::function<GiveUp(TaskRecord& record, std::function<void()> go_on)>;

    enum class Record { is_new, is_durable };

    /// @param record   Without id and begin time, which are the task's; whole when it is durable already (recovery).
    /// @param prepare  None: nothing to find out.
    JournalledExecutor(std::unique_ptr<TaskExecutor> inner, std::shared_ptr<Journal> journal, TaskRecord record,
                       Record state, Prepare prepare = {});

    void init(std::shared_ptr<Task> task) override;
    void start() override;
    void cancel(bool force) override;

  private:
    enum class Stage { preparing, inserting, starting, accepted, withdrawn };

    void prepare(const std::shared_ptr<Task>& task);
    GiveUp take_give_up();
    void insert(const std::shared_ptr<Task>& task);
    void handle_inserted(const std::shared_ptr<Task>& task, std::exception_ptr error);
    /// Starts the inner executor, and then passes on the cancel that came meanwhile.
    void start_inner();
    /// Notes a cancel that must wait for the inner executor's start. @returns false when it need not.
    bool postpone_cancel(bool force);
    /// Goes to `next`, unless the task is accepted or was withdrawn before. @returns the stage that it was in.
    Stage advance(Stage next);
    /// Whether it is still open if the task is accepted.
    static bool is_open(Stage stage) noexcept;

    const std::unique_ptr<TaskExecutor> inner_;
    const std::shared_ptr<Journal> journal_;
    TaskRecord record_;
    const Record state_;
    const Prepare prepare_;
    Mutex mutex_;
    Stage stage_ TASKD_GUARDED_BY(mutex_) = Stage::preparing;
    GiveUp give_up_ TASKD_GUARDED_BY(mutex_);
    std::optional<bool> postponed_cancel_ TASKD_GUARDED_BY(mutex_);  ///< Whether by force.
};

}  // namespace taskd::ceph
