#include "api/task_response.hpp"

#include "http/callback_wait.hpp"

#include <boost/asio/this_coro.hpp>

namespace taskd::api {

std::string to_text(const nlohmann::json& body) {
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::chrono::milliseconds wait_time(const http::Request& request, std::chrono::milliseconds usual) {
    const auto preference = request.header("Prefer");
    return preference && http::same_name(*preference, "respond-async") ? std::chrono::milliseconds(0) : usual;
}

http::Response json_text_response(std::string body, Version version) {
    http::Response response;
    response.content_type = version.media_type();
    response.body = std::move(body);
    return response;
}

http::Response json_response(const nlohmann::json& body, Version version) {
    return json_text_response(to_text(body), version);
}

http::Response without_task(http::Response response) {
    if (response.status < 400) return response;
    auto body = nlohmann::json::parse(response.body.view(), nullptr, false);
    if (!body.is_object()) return response;
    body.erase("status");
    body.erase("task");
    response.body = to_text(body);
    response.content_type = "application/json";
    return response;
}

http::net::awaitable<bool> wait_for_task(std::shared_ptr<Task> task, std::chrono::milliseconds timeout) {
    http::CallbackWait wait(co_await http::net::this_coro::executor);
    if (!task->on_finished(wait.callback())) co_return true;
    co_return co_await wait.wait_for(timeout);
}

http::net::awaitable<void> wait_until_accepted(std::shared_ptr<Task> task, std::chrono::milliseconds timeout) {
    http::CallbackWait wait(co_await http::net::this_coro::executor);
    if (task->on_accepted(wait.callback())) co_await wait.wait_for(timeout);
}

http::net::awaitable<http::Response> answer_with_task(std::shared_ptr<Task> task, TaskAnswer answer) {
    bool finished = co_await wait_for_task(task, answer.wait_for);
    if (!finished && answer.wait_for < answer.accept_within) {
        co_await wait_until_accepted(task, answer.accept_within - answer.wait_for);
        finished = task->is_finished();
    }
    http::Response response;
    if (!finished && !task->is_accepted()) {
        // Nothing is half accepted: what is not durable by now is taken back, for everybody who waits for it.
        task->cancel();
        co_await wait_for_task(task, std::chrono::seconds(1));
        response = json_response(task->exception_json(), answer.version);
        response.status = 503;
        response.headers.emplace_back("Retry-After", "2");
    } else if (!finished) {
        response = json_response({{"name", task->name()}, {"metadata", task->metadata()}}, answer.version);
        response.status = 202;
    } else if (task->failure()) {
        const nlohmann::json failure = task->exception_json();
        response = json_response(failure, answer.version);
        response.status = failure.value("status", 500);
    } else {
        response = json_response(task->ret_value(), answer.version);
        response.status = answer.success;
        // The dashboard names the type even of a body that is not there.
        if (response.status == 204) response.headers.emplace_back("Content-Type", response.content_type);
    }
    response.headers.emplace_back("X-Task-Id", task->id());
    co_return response;
}

}  // namespace taskd::api
