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
class TASKD_CAPABILITY("mutex") Mutex {
  public:
    void lock() TASKD_ACQUIRE() { mutex_.lock(); }
    void unlock() TASKD_RELEASE() { mutex_.unlock(); }

  private:
    std::mutex mutex_;
};

/// Holds a Mutex for a scope; `std::condition_variable_any` waits on the Mutex itself.
class TASKD_SCOPED_CAPABILITY MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) TASKD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() TASKD_RELEASE() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

  private:
    Mutex& mutex_;
};

}  // namespace taskd
