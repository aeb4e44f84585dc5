#pragma once

#include "http/awaitable.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace taskd::http {

/// Lets a handler wait for something that another thread will announce, without holding a thread:
///
///     CallbackWait wait(co_await net::this_coro::executor);
///     task->on_finished(wait.callback());
///     const bool finished = co_await wait.wait_for(2s);
///
/// The callback may be called from any thread, any number of times, and also after the wait, the handler and the server
/// are gone; then it does nothing. So a server can be stopped while handlers wait.
class CallbackWait {
  public:
    /// @param executor  Of the coroutine that waits.
    explicit CallbackWait(net::any_io_executor executor);
    ~CallbackWait();
    CallbackWait(const CallbackWait&) = delete;
    CallbackWait& operator=(const CallbackWait&) = delete;

    /// @thread  The result: any. It never blocks and never throws.
    std::function<void()> callback() const;

    /// Waits until the callback was called, before or now, or `timeout` has passed.
    /// @returns  Whether it was called.
    /// @thread  The coroutine's.
    net::awaitable<bool> wait_for(std::chrono::steady_clock::duration timeout);

  private:
    struct State;

    std::shared_ptr<State> state_;  // shared with the callbacks, which may outlive the wait
};

}  // namespace taskd::http
