#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

namespace taskd::daemon {

/// Gives memory that was freed back to the system when the process has grown.
///
/// tcmalloc uses again what was freed, and gives it back little by little, and only while others free: what a peak has
/// left behind would stay with a front that has nothing to do. A look costs one read of /proc; with nothing grown it is
/// all that happens. Without tcmalloc (a sanitizer's build) a trim is nothing.
/// @thread  The owner's.
class HeapTrim {
  public:
    /// Between two looks: a trim holds up who allocates, and what is given back is soon wanted.
    static constexpr std::chrono::seconds usual_interval{10};
    /// Looks after which it trims without growth: what a peak has left behind is none.
    static constexpr int most_looks_without = 60;
    /// Bytes of growth since the last trim that are left alone.
    static constexpr std::size_t tolerated_growth = std::size_t{4} << 20U;

    /// Starts the thread, taskd-trim.
    explicit HeapTrim(std::chrono::seconds interval = usual_interval);
    HeapTrim(const HeapTrim&) = delete;
    HeapTrim& operator=(const HeapTrim&) = delete;

  private:
    friend struct HeapTrimTest;
    using Resident = std::function<std::size_t()>;  ///< Bytes of the process in memory; 0 when that is not known.
    using Trim = std::function<void()>;
    HeapTrim(Resident resident, Trim trim) : resident_(std::move(resident)), trim_(std::move(trim)) {}

    void look();
    void run(const std::stop_token& stop, std::chrono::seconds interval);

    const Resident resident_;
    const Trim trim_;
    std::size_t least_since_ = 0;  ///< Resident bytes, the least that was seen after the last trim.
    int looks_since_ = 0;
    std::jthread thread_;  // last: it uses the above
};

}  // namespace taskd::daemon
