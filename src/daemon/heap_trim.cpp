#include "daemon/heap_trim.hpp"

#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <fstream>

#if defined(TASKD_TCMALLOC)
#include <gperftools/malloc_extension_c.h>
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
#if defined(TASKD_TCMALLOC)
    MallocExtension_ReleaseFreeMemory();
#endif
}

}  // namespace

HeapTrim::HeapTrim(std::chrono::seconds interval) : HeapTrim(resident_bytes, trim_heap) {
    thread_ = std::jthread([this, interval](const std::stop_token& stop) { run(stop, interval); });
}

void HeapTrim::run(const std::stop_token& stop, std::chrono::seconds interval) {
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
    const auto resident = resident_();
    if (resident == 0) return;
    if (resident <= least_since_ + tolerated_growth && ++looks_since_ < most_looks_without) {
        least_since_ = std::min(least_since_, resident);
        return;
    }
    trim_();
    least_since_ = resident_();
    looks_since_ = 0;
}

}  // namespace taskd::daemon
