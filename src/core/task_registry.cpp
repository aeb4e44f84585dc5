#include "core/task_registry.hpp"

#include "core/name_glob.hpp"
#include "core/task_impl.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <tuple>
#include <utility>

namespace taskd {
namespace {

/// More names without a task than this are forgotten, lest a program that makes names up grows for ever.
constexpr std::size_t most_idle_names = 1024;
/// Of bytes of an executing task's text, so that the list rarely grows while it is written.
constexpr std::size_t usual_text = 192;
/// Tasks that wait for the next one, or the next sweep, to be destroyed.
constexpr std::size_t most_unlisted = 64;
/// Bytes of several finished tasks' text. Longer ones are rare, and would be kept twice.
constexpr std::size_t longest_kept_piece = 64 * 1024;

}  // namespace

std::shared_ptr<Task> TaskRegistry::add(std::shared_ptr<Task> task) {
    Task::Impl& impl = *task->impl_;
    std::shared_ptr<Task> unlisted;  // destroyed after the lock
    MutexLock lock(mutex_);
    if (!unlisted_.empty()) {
        unlisted = std::move(unlisted_.back());
        unlisted_.pop_back();
    }
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
    const auto& tasks = finished_.tasks();
    auto place = tasks.end();
    while (place != tasks.begin() && (*std::prev(place))->impl_->end_steady > task->impl_->end_steady) --place;
    finished_.insert(place, std::move(task));
    if (finished_.size() > retention_.most_listed)
        drop_oldest_into(unlisted_.size() < most_unlisted ? unlisted_ : dropped);
}

void TaskRegistry::drop_oldest_into(Dropped& dropped) {
    // The oldest finished task is destroyed by the caller's `dropped`, which was declared before the lock was taken.
    auto oldest = finished_.take_oldest();
    erase_id(*oldest);
    dropped.push_back(std::move(oldest));
}

bool TaskRegistry::is_expired(const Task& task, SteadyTime now) const {
    return now - task.impl_->end_steady > retention_.ttl;
}

void TaskRegistry::sweep() {
    Dropped dropped;
    const SteadyTime now = clock_.steady();
    MutexLock lock(mutex_);
    dropped.swap(unlisted_);
    while (finished_.size() > retention_.keep &&
           (finished_.size() > retention_.most_listed || is_expired(*finished_.tasks().front(), now)))
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
        for (auto task = finished_.tasks().rbegin(); task != finished_.tasks().rend(); ++task)
            if (matches_glob(glob, (*task)->name())) found.finished.push_back(*task);
    }
    std::sort(found.executing.begin(), found.executing.end(), [](const auto& a, const auto& b) {
        return std::tie(a->impl_->begin_time, a->impl_->sequence) > std::tie(b->impl_->begin_time, b->impl_->sequence);
    });
    return found;
}

std::vector<TaskRegistry::Begun> TaskRegistry::begun(const NameFilter& wanted) const {
    std::vector<Begun> found;
    if (!wanted) found.reserve(executing_count_);
    for (const auto& [name, tasks] : executing_) {
        if (tasks.empty() || (wanted && !wanted(name))) continue;
        for (const auto& [identity, task] : tasks)
            if (task->is_accepted()) found.push_back({task->impl_->begin_time, task->impl_->sequence, task});
    }
    return found;
}

bool TaskRegistry::executes(const OtherTask& other) const {
    const auto same_name = executing_.find(other.name);
    if (same_name == executing_.end()) return false;
    const auto found = same_name->second.find(other.identity);
    return found != same_name->second.end() && found->second->is_accepted();
}

std::string TaskRegistry::list_text(const NameFilter& wanted, const OtherTasks& others) {
    const auto is_unwanted = [&](const OtherTask& other) { return wanted && !wanted(other.name); };
    auto [other_executing, other_finished] = others;
    std::erase_if(other_executing, is_unwanted);
    std::erase_if(other_finished, is_unwanted);
    std::vector<Begun> executing;
    std::vector<FinishedTasks::Piece> finished;
    {
        MutexLock lock(mutex_);
        executing = begun(wanted);
        std::erase_if(other_executing, [&](const OtherTask& other) TASKD_REQUIRES(mutex_) { return executes(other); });
        finished = finished_.pieces();
    }
    std::sort(executing.begin(), executing.end(), [](const Begun& a, const Begun& b) {
        return std::tie(a.begin_time, a.sequence) > std::tie(b.begin_time, b.sequence);
    });
    fill_in(finished);
    std::erase_if(other_finished, [&](const OtherTask& other) {
        return other.may_be_ours &&
               std::any_of(finished.begin(), finished.end(), [&](const auto& piece) { return piece.text->has(other); });
    });

    std::size_t size = 64 + executing.size() * usual_text;
    for (const auto& piece : finished) size += piece.text->size() + 1;
    for (const auto* tasks : {&other_executing, &other_finished})
        for (const auto& other : *tasks) size += other.text.size() + 1;
    std::string text;
    text.reserve(size);
    text += R"({"executing_tasks":[)";
    append(text, executing, other_executing);
    text += R"(],"finished_tasks":[)";
    std::span<const OtherTask> left = other_finished;
    for (const auto& piece : finished) left = left.subspan(piece.text->append_to(text, wanted, left));
    for (const auto& other : left) append_element(text, other.text);
    text += "]}";
    return text;
}

void TaskRegistry::append(std::string& text, const std::vector<Begun>& executing,
                          const std::vector<OtherTask>& others) {
    auto other = others.begin();
    for (const auto& begun : executing) {
        for (; other != others.end() && other->begin_time > begun.begin_time; ++other)
            append_element(text, other->text);
        if (text.back() != '[') text += ',';
        begun.task->append_executing_text(text);
    }
    for (; other != others.end(); ++other) append_element(text, other->text);
}

/// Makes the texts that were not kept, and keeps them.
void TaskRegistry::fill_in(std::vector<FinishedTasks::Piece>& pieces) {
    std::vector<FinishedTasks::Piece> made;
    for (auto& piece : pieces) {
        if (piece.text) continue;
        auto text = std::make_shared<FinishedText>();
        for (const auto& task : piece.tasks) text->add(*task, task->impl_->identity);
        piece.text = std::move(text);
        if (piece.text->size() <= longest_kept_piece) made.push_back(piece);
    }
    if (made.empty()) return;
    MutexLock lock(mutex_);
    finished_.keep(made);
}

// Tasks that somebody still holds keep this, so that nothing of it may keep them.
void TaskRegistry::close() {
    changes_.close();
    Dropped dropped;
    MutexLock lock(mutex_);
    closed_ = true;
    dropped.swap(unlisted_);
    by_id_.clear();
    for (auto& [name, tasks] : executing_)
        for (auto& entry : tasks) dropped.push_back(std::move(entry.second));
    executing_.clear();
    executing_count_ = 0;
    auto finished = finished_.take_all();
    std::move(finished.begin(), finished.end(), std::back_inserter(dropped));
}

std::size_t TaskRegistry::executing_count() const {
    MutexLock lock(mutex_);
    return executing_count_;
}

}  // namespace taskd
