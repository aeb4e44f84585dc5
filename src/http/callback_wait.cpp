#include "http/callback_wait.hpp"

#include "core/mutex.hpp"

#include <optional>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace taskd::http {

struct CallbackWait::State {
    explicit State(const net::any_io_executor& executor) : timer(std::in_place, executor) {}

    Mutex mutex;
    bool called TASKD_GUARDED_BY(mutex) = false;
    // Touched by the coroutine's thread alone; whether it is there is guarded by the mutex. While it is, its io_context
    // is, so that a callback under the mutex may post to it.
    std::optional<net::steady_timer> timer;
};

CallbackWait::CallbackWait(net::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

CallbackWait::~CallbackWait() {
    const MutexLock lock(state_->mutex);
    state_->timer.reset();
}

std::function<void()> CallbackWait::callback() const {
    return [state = state_] {
        const MutexLock lock(state->mutex);
        if (std::exchange(state->called, true) || !state->timer) return;
        net::post(state->timer->get_executor(), [state] {
            const MutexLock posted_lock(state->mutex);
            if (state->timer) state->timer->cancel();
        });
    };
}

net::awaitable<bool> CallbackWait::wait_for(std::chrono::steady_clock::duration timeout) {
    const auto state = state_;
    const auto was_called = [&state] {
        const MutexLock lock(state->mutex);
        return state->called;
    };
    if (was_called()) co_return true;
    // A callback from here on posts its cancel behind what this thread is doing: after the wait has begun.
    state->timer->expires_after(timeout);
    boost::system::error_code ignored;
    co_await state->timer->async_wait(net::redirect_error(net::use_awaitable, ignored));
    co_return was_called();
}

}  // namespace taskd::http
