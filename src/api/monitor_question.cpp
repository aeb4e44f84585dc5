#include "api/monitor_question.hpp"

#include "core/mutex.hpp"
#include "http/callback_wait.hpp"
#include "http/message.hpp"

#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

/// Where the answer waits for the coroutine.
struct Awaited {
    Mutex mutex;
    std::optional<nlohmann::json> answer TASKD_GUARDED_BY(mutex);

    nlohmann::json take() {
        const MutexLock lock(mutex);
        return answer ? std::move(*answer) : nlohmann::json();
    }
};

}  // namespace

http::net::awaitable<MonitorAnswer> ask_monitors(std::shared_ptr<const Services> services, nlohmann::json command) {
    constexpr std::chrono::seconds longest{5};
    const auto tag = http::make_request_id();
    const auto awaited = std::make_shared<Awaited>();
    http::CallbackWait wait(co_await http::net::this_coro::executor);
    auto& answers = services->commands.answers();
    answers.expect(tag, [awaited, answered = wait.callback()](nlohmann::json value) {
        {
            const MutexLock lock(awaited->mutex);
            awaited->answer = std::move(value);
        }
        answered();
    });
    try {
        services->commands.send({tag, "mon", std::move(command), {}});
    } catch (...) {
        answers.forget(tag);
        throw;
    }
    if (!co_await wait.wait_for(longest)) {
        services->commands.cancel(tag);
        answers.forget(tag);
        throw Error(ErrorKind::unavailable, ETIMEDOUT, "mon", "[errno 110] the monitors do not answer");
    }
    auto answer = awaited->take();
    if (answer.contains("error")) std::rethrow_exception(error_from_json(answer["error"]));
    co_return MonitorAnswer{answer.value("return_code", 0), std::move(answer["output"])};
}

}  // namespace taskd::api
