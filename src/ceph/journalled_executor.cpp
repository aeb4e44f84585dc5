#include "ceph/journalled_executor.hpp"

#include <utility>

#include <taskd/error.hpp>

namespace taskd::ceph {

JournalledExecutor::JournalledExecutor(std::unique_ptr<TaskExecutor> inner, std::shared_ptr<Journal> journal,
                                       TaskRecord record, Record state, Prepare prepare)
    : inner_(std::move(inner)),
      journal_(std::move(journal)),
      record_(std::move(record)),
      state_(state),
      prepare_(std::move(prepare)) {}

void JournalledExecutor::init(std::shared_ptr<Task> task) {
    share_task_with(*inner_);
    inner_->init(task);
    record_.id = task->id();
    record_.name = task->name();
    record_.metadata = task->metadata();
    record_.owner = task->owner();
    record_.begin_time = task->status().begin_time;
    // The task is alive while its waiters are called.
    task->on_finished([journal = journal_, task = task.get()] {
        if (task->is_accepted()) journal->finish(task->id(), task->finished_json());
    });
}

void JournalledExecutor::start() {
    if (state_ == Record::is_durable) {
        if (is_open(advance(Stage::starting))) start_inner();
        return;
    }
    if (!prepare_) {
        insert(task());
        return;
    }
    prepare(task());
}

void JournalledExecutor::prepare(const std::shared_ptr<Task>& task) {
    auto give_up = prepare_(record_, [this, task] { insert(task); });
    {
        MutexLock lock(mutex_);
        if (stage_ == Stage::preparing) give_up_ = std::exchange(give_up, {});
        if (stage_ != Stage::withdrawn) return;
    }
    if (give_up) give_up();
}

void JournalledExecutor::insert(const std::shared_ptr<Task>& task) {
    if (!is_open(advance(Stage::inserting))) return;  // given up meanwhile: the record is never sent
    (void)take_give_up();                             // and what it keeps goes with it
    journal_->insert(record_, [this, task](std::exception_ptr error) { handle_inserted(task, std::move(error)); });
}

// On a thread of librados: neither the end of a task nor the start of an inner executor blocks.
void JournalledExecutor::handle_inserted(const std::shared_ptr<Task>& task, std::exception_ptr error) {
    if (error) {
        if (is_open(advance(Stage::withdrawn))) finish(nullptr, std::move(error));
        return;
    }
    if (!is_open(advance(Stage::starting))) {
        // Given up while the record was on its way, maybe before the journal had it: then the removal came too early.
        journal_->withdraw(task->id());
        return;
    }
    task->set_accepted();
    start_inner();
}

void JournalledExecutor::start_inner() {
    try {
        inner_->start();
    } catch (...) {
        finish(nullptr, std::current_exception());
    }
    std::optional<bool> cancel_by_force;
    {
        MutexLock lock(mutex_);
        stage_ = Stage::accepted;
        cancel_by_force = postponed_cancel_;
    }
    if (cancel_by_force) inner_->cancel(*cancel_by_force);
}

// A task that was cancelled between its acceptance and its start would end as never accepted, and its record stay.
bool JournalledExecutor::postpone_cancel(bool force) {
    MutexLock lock(mutex_);
    if (stage_ != Stage::starting) return false;
    postponed_cancel_ = force || postponed_cancel_.value_or(false);
    return true;
}

void JournalledExecutor::cancel(bool force) {
    const Stage before = advance(Stage::withdrawn);
    if (before == Stage::starting && postpone_cancel(force)) return;
    if (before == Stage::starting || before == Stage::accepted) inner_->cancel(force);
    if (!is_open(before)) return;
    if (before == Stage::inserting) journal_->withdraw(task()->id());
    if (before == Stage::preparing)
        if (const auto give_up = take_give_up()) give_up();
    finish(nullptr, std::make_exception_ptr(Error(ErrorKind::unavailable, ETIMEDOUT, "taskd",
                                                  "the cluster does not answer: the task was not accepted")));
}

JournalledExecutor::GiveUp JournalledExecutor::take_give_up() {
    MutexLock lock(mutex_);
    return std::exchange(give_up_, {});
}

bool JournalledExecutor::is_open(Stage stage) noexcept {
    return stage == Stage::preparing || stage == Stage::inserting;
}

JournalledExecutor::Stage JournalledExecutor::advance(Stage next) {
    MutexLock lock(mutex_);
    return is_open(stage_) ? std::exchange(stage_, next) : stage_;
}

}  // namespace taskd::ceph
