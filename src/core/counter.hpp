#pragma once

#include <atomic>
#include <cstdint>

namespace taskd {

/// Counts for people to read: nothing is decided by it.
/// @thread  Any.
class Counter {
  public:
    void increase(std::uint64_t by = 1) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace taskd
