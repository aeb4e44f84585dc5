#pragma once

#include "core/counter.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace taskd {

/// A look at a histogram.
struct HistogramSnapshot {
    std::span<const std::chrono::nanoseconds> bounds;  ///< Upper ones, inclusive, ascending.
    std::vector<std::uint64_t> counts;                 ///< Of each bound, and one more: of what is above all of them.
    std::chrono::nanoseconds sum{0};

    std::uint64_t count() const noexcept;
    /// Adds another one with the same bounds.
    HistogramSnapshot& operator+=(const HistogramSnapshot& other);
};

/// How often which durations were seen. Two additions each: it may stand where tens of thousands come in a second.
/// @thread  Any. A look while others count may have a duration in its counts that its sum has not yet.
class Histogram {
  public:
    static constexpr std::size_t most_bounds = 15;

    /// @param bounds  Ascending, at most `most_bounds`; not copied: constants.
    explicit Histogram(std::span<const std::chrono::nanoseconds> bounds) noexcept : bounds_(bounds) {}
    Histogram(const Histogram&) = delete;
    Histogram& operator=(const Histogram&) = delete;

    void note(std::chrono::nanoseconds duration) noexcept;
    HistogramSnapshot look() const;

  private:
    const std::span<const std::chrono::nanoseconds> bounds_;
    std::array<Counter, most_bounds + 1> counts_;
    Counter sum_ns_;
};

}  // namespace taskd
