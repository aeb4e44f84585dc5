#pragma once

#include <atomic>
#include <chrono>

#include <taskd/clock.hpp>

namespace taskd::test {

/// A clock that moves when the test says so.
/// @thread  Any.
class ManualClock final : public Clock {
  public:
    WallTime wall() const override { return WallTime(std::chrono::duration_cast<WallTime::duration>(wall_.load())); }
    SteadyTime steady() const override {
        return SteadyTime(std::chrono::duration_cast<SteadyTime::duration>(steady_.load()));
    }

    /// Time passes on both clocks.
    void advance(std::chrono::nanoseconds time) {
        wall_ = wall_.load() + time;
        steady_ = steady_.load() + time;
    }
    /// Somebody sets the wall clock, forward or back.
    void step_wall(std::chrono::nanoseconds by) { wall_ = wall_.load() + by; }
    void set_wall(WallTime time) { wall_ = time.time_since_epoch(); }

  private:
    // 2026-11-25T01:31:34.380289Z, and a machine that was switched on a while ago.
    std::atomic<std::chrono::nanoseconds> wall_{std::chrono::microseconds(1'795'570'294'380'289)};
    std::atomic<std::chrono::nanoseconds> steady_{std::chrono::hours(1000)};
};

}  // namespace taskd::test
