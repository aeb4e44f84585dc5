#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace taskd::test {

/// Values that other threads add and the test waits for.
/// @thread  Any.
template <class Value>
class Collected {
  public:
    void add(Value value) {
        const std::lock_guard lock(mutex_);
        values_.push_back(std::move(value));
        grown_.notify_all();
    }
    std::vector<Value> values() const {
        const std::lock_guard lock(mutex_);
        return values_;
    }
    std::size_t size() const { return values().size(); }
    /// Returns when there are at least `count`: a test that would wait for ever is ended by ctest.
    std::vector<Value> wait_for(std::size_t count) const {
        std::unique_lock lock(mutex_);
        grown_.wait(lock, [&] { return values_.size() >= count; });
        return values_;
    }

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable grown_;
    std::vector<Value> values_;
};

}  // namespace taskd::test
