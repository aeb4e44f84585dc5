#pragma once

#include "http/callback_wait.hpp"
#include "http/server.hpp"
#include "raw_connection.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include <boost/asio/this_coro.hpp>

namespace taskd::http::test {

/// Holds requests until the test lets them go.
class Gate {
  public:
    /// Answers "released" when the test says so, "late" when it never does.
    net::awaitable<Response> answer(Request request);

    /// Lets the oldest request go that waits now or comes in time. @returns  Whether there was one.
    bool release_one() {
        std::function<void()> callback;
        eventually([&] {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) return false;
            callback = std::move(waiting_.front());
            waiting_.pop_front();
            return true;
        });
        if (callback) callback();
        return static_cast<bool>(callback);
    }

    bool is_reached() {
        return eventually([this] {
            const std::lock_guard lock(mutex_);
            return !waiting_.empty();
        });
    }

  private:
    std::mutex mutex_;
    std::deque<std::function<void()>> waiting_;
};

inline net::awaitable<Response> Gate::answer(Request) {
    CallbackWait wait(co_await net::this_coro::executor);
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(wait.callback());
    }
    const bool released = co_await wait.wait_for(std::chrono::seconds(60));
    Response response;
    response.body = released ? "released" : "late";
    co_return response;
}

inline Response text_response(std::string text) {
    Response response;
    response.content_type = "text/plain";
    response.body = std::move(text);
    return response;
}

/// Routes: GET /hello "hello", /large 4 MiB, /gate (waits for the gate), /throw and /throw-later, POST /echo its body.
Router test_router(Gate& gate);

/// A started server on a loopback port that the system chose.
class TestServer {
  public:
    explicit TestServer(ServerOptions options = {}) : TestServer(listening_somewhere(std::move(options)), 0) {}

    const Endpoint& endpoint() const { return server.endpoints().front(); }
    RawConnection connect() const { return RawConnection(endpoint()); }

    Gate gate;
    Server server;

  private:
    TestServer(ServerOptions options, int) : server(std::move(options), test_router(gate)) { server.start(); }

    static ServerOptions listening_somewhere(ServerOptions options) {
        if (options.listen.empty()) options.listen.push_back(Endpoint::tcp("127.0.0.1", 0));
        return options;
    }
};

inline net::awaitable<Response> throw_later(Request request) {
    const auto executor = co_await net::this_coro::executor;
    if (executor) throw std::runtime_error("later " + request.target);
    co_return Response{};
}

inline Router test_router(Gate& gate) {
    Router router;
    const auto large = std::make_shared<const std::string>(4 * 1024 * 1024, 'l');
    router.add("GET", "/hello", SyncHandler([](const Request&) { return text_response("hello"); }));
    router.add("GET", "/large", SyncHandler([large](const Request&) {
                   Response response;
                   response.body = large;
                   return response;
               }));
    router.add("GET", "/gate", Handler([&gate](Request request) { return gate.answer(std::move(request)); }));
    router.add("GET", "/throw",
               SyncHandler([](const Request&) -> Response { throw std::runtime_error("on purpose"); }));
    router.add("GET", "/throw-int", SyncHandler([](const Request&) -> Response { throw 5; }));
    router.add("GET", "/throw-later", Handler(throw_later));
    router.add("GET", "/bad-header", SyncHandler([](const Request&) {
                   auto response = text_response("x");
                   response.headers.emplace_back("X-Bad", "a\r\nb");
                   return response;
               }));
    router.add("POST", "/echo", SyncHandler([](const Request& request) { return text_response(request.body); }));
    router.add("GET", "/show/{name}", SyncHandler([](const Request& request) {
                   auto text = request.path + "|" + request.param("name");
                   for (const auto& [name, value] : request.query) text += "|" + name + "=" + value;
                   return text_response(text);
               }));
    router.add("GET", "/client", SyncHandler([](const Request& request) {
                   return text_response(request.client() + (request.is_secure() ? "|secure|" : "|plain|") +
                                        std::string(request.host()));
               }));
    router.add("GET", "/peer", SyncHandler([](const Request& request) {
                   const auto& credentials = request.peer.credentials;
                   return text_response(request.peer.address + "|" +
                                        (credentials ? std::to_string(credentials->uid) : "nobody"));
               }));
    return router;
}

}  // namespace taskd::http::test
