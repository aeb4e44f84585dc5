#include "core/mutex.hpp"
#include "core/task_impl.hpp"

#include <utility>

#include <taskd/task_changes.hpp>

namespace taskd {

struct TaskChanges::State {
    explicit State(std::size_t most) : capacity(most) {}

    const std::size_t capacity;
    Mutex mutex;
    bool watches TASKD_GUARDED_BY(mutex) = false;
    bool closed TASKD_GUARDED_BY(mutex) = false;
    Look gathered TASKD_GUARDED_BY(mutex);
};

TaskChanges::TaskChanges(std::size_t capacity) : state_(std::make_unique<State>(capacity)) {}

TaskChanges::~TaskChanges() {
    stop();
}

void TaskChanges::start() {
    const MutexLock lock(state_->mutex);
    if (!state_->closed && !std::exchange(state_->watches, true)) change_watchers.fetch_add(1);
}

void TaskChanges::close() {
    {
        const MutexLock lock(state_->mutex);
        state_->closed = true;
    }
    stop();
}

TaskChanges::Look TaskChanges::stop() {
    {
        const MutexLock lock(state_->mutex);
        if (std::exchange(state_->watches, false)) change_watchers.fetch_sub(1);
    }
    return take();  // so that its tasks can be noted after a later start
}

TaskChanges::Look TaskChanges::take() {
    Look look;
    {
        const MutexLock lock(state_->mutex);
        std::swap(look, state_->gathered);
    }
    // Before the caller looks at the tasks: what changes from here on is told again.
    for (const auto& task : look.tasks) task->impl_->change_is_noted.exchange(false, std::memory_order_acq_rel);
    return look;
}

void TaskChanges::note(Task& task) {
    // Whoever noted it before is followed by a look that sees this change as well.
    if (task.impl_->change_is_noted.exchange(true, std::memory_order_acq_rel)) return;
    auto changed = task.shared_from_this();
    const MutexLock lock(state_->mutex);
    auto& gathered = state_->gathered;
    if (state_->watches && gathered.tasks.size() < state_->capacity) {
        gathered.tasks.push_back(std::move(changed));
        return;
    }
    task.impl_->change_is_noted.store(false, std::memory_order_release);
    if (state_->watches) gathered.is_complete = false;
}

}  // namespace taskd
