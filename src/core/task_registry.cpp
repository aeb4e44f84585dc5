#include "core/task_registry.hpp"

#include "core/name_glob.hpp"
#include "core/task_impl.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace taskd {
namespace {

/// More names without a task than this are forgotten, lest a program that makes names up grows for ever.
constexpr std::size_t most_idle_names = 1024;

}  // namespace

std::shared_ptr<Task> TaskRegistry::add(std::shared_ptr<Task> task) {
    Task::Impl& impl = *task->impl_;
    MutexLock lock(mutex_);
    auto name = executing_.find(impl.name);
    if (name == executing_.end()) {
        if (executing_.size() > executing_count_ + most_idle_names)
            std::erase_if(executing_, [](const auto& entry) { return entry.second.empty(); });
        name = executing_.emplace(impl.name, SameName(&nodes_)).first;
    }
    const auto [same, is_new] = name->second.try_emplace(impl.identity, task);
    if (!is_new) return same->second;
    impl.sequence = ++next_sequence_;
    ++executing_count_;
    add_id(*task);
    return task;
}

/// Ids begin with their time, so that the newest belongs at the end, or near it.
void TaskRegistry::add_id(Task& task) {
    Task::Impl& impl = *task.impl_;
    const auto place = by_id_.emplace_hint(by_id_.end(), impl.id, &task);
    if (place->second == &task) impl.place_by_id = place;
}

void TaskRegistry::erase_id(Task& task) {
    if (const auto place = std::exchange(task.impl_->place_by_id, std::nullopt)) by_id_.erase(*place);
}

bool TaskRegistry::finish(const std::shared_ptr<Task>& task) {
    Dropped dropped;
    Task::Impl& impl = *task->impl_;
    MutexLock lock(mutex_);
    if (const auto name = executing_.find(impl.name); name != executing_.end()) {
        name->second.erase(impl.identity);
        --executing_count_;
    }
    impl.finished.store(true, std::memory_order_release);
    if (closed_) return false;
    if (task->is_accepted()) {
        insert_by_end(task, dropped);
    } else {
        erase_id(*task);
    }
    return true;
}

void TaskRegistry::add_finished(std::shared_ptr<Task> task) {
    Dropped dropped;
    MutexLock lock(mutex_);
    add_id(*task);
    insert_by_end(std::move(task), dropped);
}

void TaskRegistry::insert_by_end(std::shared_ptr<Task> task, Dropped& dropped) {
    // Mostly at the very end: who reads its clock first may get the lock last, but not by far.
    auto place = finished_.end();
    while (place != finished_.begin() && (*std::prev(place))->impl_->end_steady > task->impl_->end_steady) --place;
    finished_.insert(place, std::move(task));
    if (finished_.size() > retention_.most_listed) drop_oldest_into(dropped);
}

void TaskRegistry::drop_oldest_into(Dropped& dropped) {
    // The oldest finished task is destroyed by the caller's `dropped`, which was declared before the lock was taken.
    erase_id(*finished_.front());
    dropped.push_back(std::move(finished_.front()));
    finished_.pop_front();
}

bool TaskRegistry::is_expired(const Task& task, SteadyTime now) const {
    return now - task.impl_->end_steady > retention_.ttl;
}

void TaskRegistry::sweep() {
    Dropped dropped;
    const SteadyTime now = clock_.steady();
    MutexLock lock(mutex_);
    while (finished_.size() > retention_.keep &&
           (finished_.size() > retention_.most_listed || is_expired(*finished_.front(), now)))
        drop_oldest_into(dropped);
}

std::shared_ptr<Task> TaskRegistry::find(std::string_view name, const std::string& identity) const {
    MutexLock lock(mutex_);
    const auto same_name = executing_.find(name);
    if (same_name == executing_.end()) return nullptr;
    const auto found = same_name->second.find(identity);
    return found == same_name->second.end() ? nullptr : found->second;
}

std::shared_ptr<Task> TaskRegistry::find_by_id(std::string_view id) const {
    MutexLock lock(mutex_);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second->shared_from_this();
}

TaskList TaskRegistry::list(std::string_view name_glob) const {
    const std::string glob(name_glob);
    TaskList found;
    {
        MutexLock lock(mutex_);
        for (const auto& [name, tasks] : executing_) {
            if (tasks.empty() || !matches_glob(glob, name)) continue;
            for (const auto& entry : tasks)
                if (entry.second->is_accepted()) found.executing.push_back(entry.second);
        }
        for (auto task = finished_.rbegin(); task != finished_.rend(); ++task)
            if (matches_glob(glob, (*task)->name())) found.finished.push_back(*task);
    }
    std::sort(found.executing.begin(), found.executing.end(), [](const auto& a, const auto& b) {
        return std::tie(a->impl_->begin_time, a->impl_->sequence) > std::tie(b->impl_->begin_time, b->impl_->sequence);
    });
    return found;
}

// Tasks that somebody still holds keep this, so that nothing of it may keep them.
void TaskRegistry::close() {
    changes_.close();
    Dropped dropped;
    MutexLock lock(mutex_);
    closed_ = true;
    by_id_.clear();
    for (auto& [name, tasks] : executing_)
        for (auto& entry : tasks) dropped.push_back(std::move(entry.second));
    executing_.clear();
    executing_count_ = 0;
    std::move(finished_.begin(), finished_.end(), std::back_inserter(dropped));
    finished_.clear();
}

std::size_t TaskRegistry::executing_count() const {
    MutexLock lock(mutex_);
    return executing_count_;
}

}  // namespace taskd
