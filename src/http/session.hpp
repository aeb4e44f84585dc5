#pragma once

#include "core/release_memory.hpp"
#include "http/awaitable.hpp"
#include "http/body_stream.hpp"
#include "http/callback_wait.hpp"
#include "http/plain_stream.hpp"
#include "http/request_reader.hpp"
#include "http/server_thread.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::http {

/// One connection: reads a request, has it answered, writes the response, and again.
///
/// It waits for bytes, for a handler, for room to write, and after an error response for the client to stop sending.
/// ServerThread watches `deadline_` for all of these, which costs less than a timer for each operation.
///
/// @tparam Stream  PlainStream or TlsStream.
template <typename Stream>
class Session final : public Connection {
  public:
    Session(ServerThread& thread, Stream stream, Peer peer)
        : thread_(thread),
          stream_(std::move(stream)),
          peer_(std::move(peer)),
          comes_by_proxy_(thread.options().proxies.trusts(peer_)),
          reader_(thread.options().limits),
          body_share_(thread.bodies()),
          entry_(thread.enter(*this)) {}
    ~Session() override { thread_.leave(entry_); }

    static constexpr bool needs_handshake = !std::is_same_v<Stream, PlainStream>;

    /// Makes the TLS handshake: first of all, where the stream has one. Its time is that of the first header.
    /// @returns  Whether the connection goes on.
    net::awaitable<bool> greet() {
        begin_first_header();
        idle_ = true;
        const auto greeting = co_await stream_.handshake();
        idle_ = false;
        if (greeting == Stream::Greeting::tls) co_return true;
        if (greeting == Stream::Greeting::plain) {
            co_await send_last(error_response(400, "This port speaks HTTPS only: ask for https://…"));
            co_await linger();
            co_return false;
        }
        if (expired_) thread_.counters().timeouts.increase();
        thread_.counters().tls_failures.increase();
        spdlog::debug("http: no TLS with {}: {}", peer_.address, stream_.problem());
        co_return false;
    }

    /// Serves requests until the connection ends.
    net::awaitable<void> run() {
        if (!timed_phase_) begin_first_header();
        while (co_await read_request()) {
            thread_.counters().requests.increase();
            Response response;
            const auto* later = answer_now(response);
            if (later) response = co_await answer_later(*later);
            response_for_.close = !reader_.keep_alive() || thread_.is_stopping() || response.stream;
            compose(std::move(response));
            if (!write_now() && !co_await write_rest()) co_return;
            if (wire_.stream) co_await send_stream(std::move(wire_.stream));
            if (response_for_.close) co_return;
            make_ready_for_next();
        }
        if (lingers_) co_await linger();
    }

    /// Answers a connection that may not be served.
    net::awaitable<void> refuse(Response response) {
        // clang-tidy 14 sees a coroutine's body twice, and so a second move.
        co_await send_last(std::move(response));  // NOLINT(bugprone-use-after-move)
        co_await linger();
    }

    void expire(TimePoint now) override {
        if (now < deadline_) return;
        deadline_ = TimePoint::max();
        expired_ = true;
        stream_.cancel();
    }

    void finish() override {
        if (idle_ || follower_) stream_.cancel();
        if (wake_) wake_();
    }

    void cut() override { stream_.close(); }

  private:
    using Step = RequestReader::Step;
    using Phase = RequestReader::Phase;

    /// @returns  Whether there is a request; if not, the connection ends.
    net::awaitable<bool> read_request() {
        for (;;) {
            const auto step = reader_.advance(request_);
            if (step == Step::refused) {
                note_origin();
                co_await send_last(reader_.refusal());
                co_return false;
            }
            if (!hold_body()) {
                note_origin();
                auto response = error_response(503, "Too many large requests at once");
                response.headers.emplace_back("Retry-After", "1");
                co_await send_last(std::move(response));
                co_return false;
            }
            if (step == Step::complete) {
                prepare_answer();
                co_return true;
            }
            if (step == Step::send_continue) {
                wire_.head = "HTTP/1.1 100 Continue\r\n\r\n";
                wire_.body = {};
                if (!write_now() && !co_await write_rest()) co_return false;
                timed_phase_.reset();
                continue;
            }
            idle_ = reader_.phase() == Phase::idle;
            if (idle_ && thread_.is_stopping()) co_return false;
            limit_reading();
            const auto space = reader_.free_space();
            boost::system::error_code error;
            const auto got = co_await stream_.read_some(net::buffer(space.data(), space.size()), error);
            const bool was_idle = std::exchange(idle_, false);
            // What came in just before the time was up counts when it begins a request.
            if (!error && (was_idle || !expired_)) {
                reader_.commit(got);
                continue;
            }
            if (expired_ && !was_idle) {
                note_origin();
                thread_.counters().timeouts.increase();
                co_await send_last(error_response(408, "The request took too long to arrive"));
            }
            co_return false;
        }
    }

    /// Notes what the response depends on before a handler takes the request.
    void prepare_answer() {
        deadline_ = TimePoint::max();
        timed_phase_.reset();
        read_at_ = std::chrono::steady_clock::now();
        request_.peer = peer_;
        if (comes_by_proxy_) request_.forwarded = thread_.options().proxies.read(request_);
        note_origin();
        const auto encoding = request_.header("Accept-Encoding");
        response_for_ = {.is_head = request_.method == "HEAD",
                         .accepts_gzip = encoding && accepts_gzip(*encoding),
                         .is_http_1_0 = reader_.is_http_1_0()};
    }

    /// @returns  Null when `response` is the answer, or who will give it.
    const Handler* answer_now(Response& response) {
        try {
            normalise_path(request_.target, request_.path);
            if (!is_well_formed_path(request_.path)) {
                response = error_response(400, "The path '" + request_.path + "' is malformed.");
                return nullptr;
            }
            if (!origin_.empty() && CorsPolicy::is_preflight(request_)) {
                response = CorsPolicy::preflight_answer();
                return nullptr;
            }
            auto query = parse_query(query_of(request_.target));
            if (!query) {
                response = error_response(400, "The query of '" + request_.target + "' is malformed.");
                return nullptr;
            }
            request_.query = std::move(*query);
            auto match = thread_.router().match(request_.method, request_.path);
            request_.params = std::move(match.params);
            const auto& route = match.route ? *match.route : thread_.router().fallback();
            route_number_ = route.number;
            if (!route.now) return &route.later;
            response = route.now(request_);
        } catch (...) {
            response = failed(std::current_exception(), request_.method + " " + request_.target);
        }
        return nullptr;
    }

    net::awaitable<Response> answer_later(const Handler& handler) {
        const auto subject = request_.method + " " + request_.target;
        std::exception_ptr failure;
        try {
            co_return co_await handler(std::move(request_));
        } catch (...) {
            failure = std::current_exception();
        }
        co_return failed(failure, subject);
    }

    Response failed(const std::exception_ptr& failure, const std::string& subject) {
        thread_.counters().handler_failures.increase();
        const auto id = make_request_id();
        spdlog::error("http: request {} ({}) failed: {}", id, subject, error_text(failure));
        return error_response(500,
                              "The server encountered an unexpected condition which prevented it from fulfilling the "
                              "request.",
                              id);
    }

    /// The page that will read the answer. Asked for as soon as there may be one, for a handler gets the request.
    void note_origin() { origin_ = thread_.options().cors.allowed_origin(request_.headers); }

    /// Whether there is room for what has come of the body.
    bool hold_body() {
        constexpr std::size_t free_bytes = 16 * 1024;
        return request_.body.size() <= free_bytes || body_share_.hold(request_.body.size());
    }

    void compose(Response response) {
        if (!thread_.options().cors.is_empty()) CorsPolicy::allow(origin_, response);
        auto status_class = static_cast<std::size_t>(response.status) / 100;
        try {
            thread_.writer().write(std::move(response), response_for_, wire_);
        } catch (...) {
            status_class = 5;
            thread_.writer().write(
                failed(std::current_exception(), "response to " + request_.method + " " + request_.target),
                response_for_, wire_);
        }
        count_answer(status_class);
    }

    void count_answer(std::size_t status_class) {
        auto& route = thread_.route_counters()[route_number_];
        if (status_class < route.responses.size()) {
            thread_.counters().responses[status_class].increase();
            route.responses[status_class].increase();
        }
        if (read_at_) route.duration.note(std::chrono::steady_clock::now() - *read_at_);
        read_at_.reset();
        route_number_ = 0;
    }

    /// The last response of the connection: the request, and what follows it in the input, are of no use.
    net::awaitable<void> send_last(Response response) {
        lingers_ = true;
        release_memory(request_.body);  // and so it need not be kept while the connection lingers
        body_share_.give_back();
        response_for_ = {.close = true};
        compose(std::move(response));
        if (!write_now()) lingers_ = co_await write_rest();  // NOLINT(bugprone-use-after-move): as in refuse()
    }

    /// Sends what the socket takes without waiting: nearly always all of it, and then no reactor is involved.
    /// @returns  Whether the response is out.
    bool write_now() {
        const auto sent = stream_.write_now({net::buffer(wire_.head), net::buffer(wire_.body)});
        head_sent_ = std::min(sent, wire_.head.size());
        wire_.body.remove_prefix(sent - head_sent_);
        return head_sent_ == wire_.head.size() && wire_.body.empty();
    }

    /// @returns  Whether the response is out; if not, the connection is of no more use.
    net::awaitable<bool> write_rest() {
        wait_within(thread_.options().write_timeout);
        while (head_sent_ < wire_.head.size() || !wire_.body.empty()) {
            const TwoBuffers rest{net::buffer(wire_.head) + head_sent_, net::buffer(wire_.body)};
            boost::system::error_code error;
            const auto sent = co_await stream_.write_some(rest, error);
            if (error || expired_) {
                if (expired_) thread_.counters().timeouts.increase();
                co_return false;
            }
            const auto of_head = std::min(sent, wire_.head.size() - head_sent_);
            head_sent_ += of_head;
            wire_.body.remove_prefix(sent - of_head);
        }
        deadline_ = TimePoint::max();
        co_return true;
    }

    /// Sends what comes until the source or the client has had enough. The time limits hold for each piece: a client
    /// that does not take one is cut off, and a source that has nothing to say keeps nobody from waiting.
    net::awaitable<void> send_stream(std::shared_ptr<BodyStream> source) {
        request_ = Request();
        follow_client();
        bool is_whole = true;
        for (std::string piece; !client_is_gone_ && !thread_.is_stopping() && source->next(piece); piece.clear()) {
            if (!piece.empty()) {
                write_piece(piece, response_for_.is_http_1_0, wire_);
                is_whole = write_now() || co_await write_rest();
                if (!is_whole) break;
            }
            CallbackWait wait(co_await net::this_coro::executor);
            wake_ = wait.callback();
            if (!client_is_gone_ && !thread_.is_stopping() && source->on_more(wake_))
                co_await wait.wait_for(source->patience());
            wake_ = nullptr;
        }
        follower_.reset();
        if (client_is_gone_ || !is_whole) co_return;
        write_last_piece(response_for_.is_http_1_0, wire_);
        write_now();
    }

    /// Notices that the client of a stream has gone: nothing else reads meanwhile. What it sends is dropped.
    void follow_client() {
        follower_ = std::make_shared<Session*>(this);
        stream_.when_readable([follower = std::weak_ptr<Session*>(follower_)](const boost::system::error_code& error) {
            if (const auto session = follower.lock()) (*session)->look_for_client(error);
        });
    }

    void look_for_client(const boost::system::error_code& error) {
        if (error == net::error::operation_aborted) return;  // whoever cancelled ends the stream as well
        if (!error && stream_.drop_now()) return follow_client();
        client_is_gone_ = true;
        stream_.cancel();
        if (wake_) wake_();
    }

    /// A connection may be idle for long: it keeps no large buffers meanwhile.
    void make_ready_for_next() {
        constexpr std::size_t kept_bytes = 64 * 1024;
        if (request_.body.capacity() > kept_bytes) release_memory(request_.body);
        body_share_.give_back();
        wire_.plain = Body();
        wire_.encoded.reset();
        reader_.next();
    }

    /// Closing while the client still sends would reset the connection, and the response might be lost with it; so its
    /// bytes are read and dropped for a while.
    net::awaitable<void> linger() {
        constexpr std::chrono::seconds longest{2};
        constexpr std::size_t most_bytes = 8 * 1024 * 1024;
        boost::system::error_code error;
        stream_.end_output();
        wait_within(longest);
        std::array<char, 4096> dropped{};
        for (std::size_t total = 0; !error && !expired_ && total < most_bytes && !thread_.is_stopping();) {
            idle_ = true;
            total += co_await stream_.drop_some(net::buffer(dropped), error);
        }
    }

    /// Begins the time limit of the phase that the reading is in, if that is a new one. A new connection has the
    /// header's from its start.
    void limit_reading() {
        const auto phase = reader_.phase();
        if (timed_phase_ == phase || (timed_phase_ == Phase::header && phase == Phase::idle)) return;
        timed_phase_ = phase;
        const auto& options = thread_.options();
        wait_within(phase == Phase::idle     ? options.idle_timeout
                    : phase == Phase::header ? options.header_timeout
                                             : options.body_timeout);
    }

    void begin_first_header() {
        wait_within(thread_.options().header_timeout);
        timed_phase_ = Phase::header;
    }

    void wait_within(std::chrono::milliseconds limit) {
        expired_ = false;
        deadline_ = std::chrono::steady_clock::now() + limit;
    }

    ServerThread& thread_;
    Stream stream_;
    Peer peer_;
    const bool comes_by_proxy_;
    RequestReader reader_;
    Request request_;
    ByteBudget::Share body_share_;
    std::string origin_;                // empty: no page of another site that may read it
    std::size_t route_number_ = 0;      // of the request that is being answered
    std::optional<TimePoint> read_at_;  // when that was whole
    ResponseFor response_for_;
    WireResponse wire_;
    std::size_t head_sent_ = 0;
    TimePoint deadline_ = TimePoint::max();
    std::optional<Phase> timed_phase_;  // that deadline_ was set for
    bool expired_ = false;
    bool idle_ = false;  // may be ended without anybody missing anything
    bool lingers_ = false;
    std::shared_ptr<Session*>
        follower_;                // there while a stream is sent: what waits for the client's end knows us by it
    std::function<void()> wake_;  // of a stream that waits
    bool client_is_gone_ = false;
    std::list<Connection*>::iterator entry_;  // last: entered when all else is there
};

}  // namespace taskd::http
