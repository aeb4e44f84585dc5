#include "api/request_rate.hpp"

#include <algorithm>

namespace taskd::api {
namespace {

constexpr std::size_t few_users = 1000;

std::chrono::nanoseconds as_time(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace

RequestRate::RequestRate(Limit limit, const Clock& clock)
    : cost_(limit.per_second > 0 ? as_time(1 / limit.per_second) : std::chrono::nanoseconds(0)),
      most_owed_(limit.per_second > 0 ? as_time(std::max(limit.at_once, 1.0) / limit.per_second)
                                      : std::chrono::nanoseconds(0)),
      clock_(clock),
      look_at_(few_users) {}

std::optional<std::chrono::seconds> RequestRate::count(const std::string& user) {
    if (cost_.count() == 0) return std::nullopt;
    const auto now = clock_.steady();
    MutexLock lock(mutex_);
    if (rested_at_.size() >= look_at_) forget_rested(now);
    auto& rested_at = rested_at_[user];
    const auto owed = std::max(rested_at - now, std::chrono::nanoseconds(0)) + cost_;
    if (owed > most_owed_) return std::chrono::ceil<std::chrono::seconds>(owed - most_owed_);
    rested_at = now + owed;
    return std::nullopt;
}

void RequestRate::forget_rested(SteadyTime now) {
    std::erase_if(rested_at_, [now](const auto& entry) { return entry.second <= now; });
    look_at_ = std::max(few_users, 2 * rested_at_.size());  // so that looking costs each request little
}

std::size_t RequestRate::size() const {
    MutexLock lock(mutex_);
    return rested_at_.size();
}

}  // namespace taskd::api
