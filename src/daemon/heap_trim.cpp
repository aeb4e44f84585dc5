#include "daemon/heap_trim.hpp"

#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <condition_variable>
#include <cstdlib>
#include <fstream>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <unistd.h>

namespace taskd::daemon {
namespace {

std::size_t resident_bytes() {
    std::ifstream pages("/proc/self/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    if (!(pages >> all >> resident)) return 0;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void trim_heap() {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

}  // namespace

HeapTrim::HeapTrim() : HeapTrim(resident_bytes, trim_heap) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void HeapTrim::run(const std::stop_token& stop) {
    name_this_thread("taskd-trim");
    Mutex mutex;
    std::condition_variable_any wake;
    const MutexLock lock(mutex);
    while (!stop.stop_requested()) {
        wake.wait_for(mutex, stop, interval, [] { return false; });
        if (!stop.stop_requested()) look();
    }
}

void HeapTrim::look() {
    if (resident_() <= after_last_ + tolerated_growth) return;
    trim_();
    after_last_ = resident_();
}

}  // namespace taskd::daemon
