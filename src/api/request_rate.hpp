#pragma once

#include "core/mutex.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>

#include <taskd/clock.hpp>

namespace taskd::api {

/// How many requests one user may send: so many a second for ever, and so many at once after a pause.
///
/// One time a user is kept (the generic cell rate algorithm): when all of what was spent will have come back. A user
/// for whom that is past is as good as a new one, and forgotten.
/// @thread  Any.
class RequestRate {
  public:
    struct Limit {
        double per_second = 100;  ///< 0: none.
        double at_once = 200;     ///< At least 1.
    };

    explicit RequestRate(Limit limit, const Clock& clock = Clock::system());

    /// Counts a request. @returns the whole seconds to wait, 1 at least, when it is one too many.
    std::optional<std::chrono::seconds> count(const std::string& user);
    /// Users who are remembered.
    std::size_t size() const;

  private:
    void forget_rested(SteadyTime now) TASKD_REQUIRES(mutex_);

    const std::chrono::nanoseconds cost_;       ///< Of a request: the time until it has come back.
    const std::chrono::nanoseconds most_owed_;  ///< After the last request of a burst.
    const Clock& clock_;
    mutable Mutex mutex_;
    std::unordered_map<std::string, SteadyTime> rested_at_ TASKD_GUARDED_BY(mutex_);
    std::size_t look_at_ TASKD_GUARDED_BY(mutex_);  ///< Users at which to look for rested ones again.
};

}  // namespace taskd::api
