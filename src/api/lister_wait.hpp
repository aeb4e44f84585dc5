#pragma once

#include "core/mutex.hpp"
#include "http/callback_wait.hpp"
#include "rbd/lister.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <taskd/error.hpp>

namespace taskd::api {

inline constexpr std::chrono::minutes longest_list{2};  ///< A million images.

/// Asks the lister and waits for its answer, without holding a thread.
/// @param ask  Puts the question; what it is given must be handed to the lister.
/// @param longest  Its own deadlines are shorter, but where the mgr answers.
/// @throws what the lister answered; Error (unavailable) when it did not in time
template <class Value>
http::net::awaitable<Value> answer_of_lister(std::function<void(rbd::Answered<Value>)> ask,
                                             std::chrono::milliseconds longest = longest_list) {
    struct Shared {
        Mutex mutex;
        std::optional<rbd::Outcome<Value>> outcome TASKD_GUARDED_BY(mutex);
    };
    const auto shared = std::make_shared<Shared>();
    http::CallbackWait wait(co_await http::net::this_coro::executor);
    ask([shared, answered = wait.callback()](rbd::Outcome<Value> outcome) {
        {
            const MutexLock lock(shared->mutex);
            shared->outcome = std::move(outcome);
        }
        answered();
    });
    if (!co_await wait.wait_for(longest))
        throw Error(ErrorKind::unavailable, ETIMEDOUT, "taskd", "[errno 110] the images were not listed in time");
    std::optional<rbd::Outcome<Value>> outcome;
    {
        const MutexLock lock(shared->mutex);
        outcome = std::move(shared->outcome);
    }
    if (outcome->error) std::rethrow_exception(outcome->error);
    co_return std::move(outcome->value);
}

}  // namespace taskd::api
