#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TASKD_CAPABILITY(x) __attribute__((capability(x)))
#define TASKD_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define TASKD_GUARDED_BY(x) __attribute__((guarded_by(x)))
#define TASKD_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define TASKD_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define TASKD_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#else
#define TASKD_CAPABILITY(x)
#define TASKD_SCOPED_CAPABILITY
#define TASKD_GUARDED_BY(x)
#define TASKD_REQUIRES(...)
#define TASKD_ACQUIRE(...)
#define TASKD_RELEASE(...)
#endif

namespace taskd {

/// std::mutex that clang's -Wthread-safety knows: libstdc++'s is not annotated. For leaf classes only.
///
/// Who finds it locked tries again for some microseconds before it sleeps: what is done under a leaf's lock mostly
/// takes less, and to sleep and be woken costs both sides more (a quarter of a no-op task, docs/benchmarks.md).
class TASKD_CAPABILITY("mutex") Mutex {
  public:
    void lock() TASKD_ACQUIRE() {
        for (int tries = 0; tries < tries_before_sleep; ++tries) {
            if (mutex_.try_lock()) return;
            tell_processor_to_wait();
        }
        mutex_.lock();
    }
    void unlock() TASKD_RELEASE() { mutex_.unlock(); }

  private:
    friend class ConditionVariable;

    static constexpr int tries_before_sleep = 100;

    static void tell_processor_to_wait() noexcept {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    std::mutex mutex_;
};

/// Holds a Mutex for a scope; condition variables wait on the Mutex itself.
class TASKD_SCOPED_CAPABILITY MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) TASKD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() TASKD_RELEASE() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

  private:
    Mutex& mutex_;
};

/// std::condition_variable over a Mutex. `std::condition_variable_any` waits on one as well, and stops for a stop
/// token, but has a second mutex inside that each wait and each notice must get: too dear where work goes from hand to
/// hand.
class ConditionVariable {
  public:
    void wait(Mutex& mutex) TASKD_REQUIRES(mutex) {
        std::unique_lock lock(mutex.mutex_, std::adopt_lock);
        condition_.wait(lock);
        lock.release();
    }
    template <class TimePoint>
    std::cv_status wait_until(Mutex& mutex, const TimePoint& time) TASKD_REQUIRES(mutex) {
        std::unique_lock lock(mutex.mutex_, std::adopt_lock);
        const auto status = condition_.wait_until(lock, time);
        lock.release();
        return status;
    }
    void notify_one() noexcept { condition_.notify_one(); }
    void notify_all() noexcept { condition_.notify_all(); }

  private:
    std::condition_variable condition_;
};

}  // namespace taskd
