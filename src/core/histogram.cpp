#include "core/histogram.hpp"

#include <algorithm>
#include <numeric>

namespace taskd {

std::uint64_t HistogramSnapshot::count() const noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

HistogramSnapshot& HistogramSnapshot::operator+=(const HistogramSnapshot& other) {
    for (std::size_t index = 0; index < counts.size(); ++index) counts[index] += other.counts.at(index);
    sum += other.sum;
    return *this;
}

void Histogram::note(std::chrono::nanoseconds duration) noexcept {
    const auto seen = std::max(duration, std::chrono::nanoseconds(0));
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), seen);
    counts_[static_cast<std::size_t>(bound - bounds_.begin())].increase();
    sum_ns_.increase(static_cast<std::uint64_t>(seen.count()));
}

HistogramSnapshot Histogram::look() const {
    HistogramSnapshot snapshot{bounds_, {}, std::chrono::nanoseconds(sum_ns_.value())};
    snapshot.counts.reserve(bounds_.size() + 1);
    for (std::size_t index = 0; index <= bounds_.size(); ++index) snapshot.counts.push_back(counts_[index].value());
    return snapshot;
}

}  // namespace taskd
