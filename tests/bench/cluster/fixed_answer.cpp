// The least that a server by Boost.Beast can do: one thread, coroutines, keep-alive, one fixed answer to every request.
// What ceph-taskd's summary is measured beside. Usage: fixed_answer < BODY; prints its port; ends
// by a signal.

#include "http/awaitable.hpp"

#include <iostream>
#include <iterator>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

asio::awaitable<void> serve(tcp::socket socket, const std::string& body) {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    try {
        for (;;) {
            beast::http::request<beast::http::string_body> request;
            co_await beast::http::async_read(stream, buffer, request, asio::use_awaitable);
            beast::http::response<beast::http::string_body> response(beast::http::status::ok, request.version(), body);
            response.set(beast::http::field::content_type, "application/json");
            response.keep_alive(request.keep_alive());
            response.prepare_payload();
            co_await beast::http::async_write(stream, response, asio::use_awaitable);
        }
    } catch (const boost::system::system_error&) {
        // The client has gone.
    }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, const std::string& body) {
    for (;;)
        asio::co_spawn(acceptor.get_executor(), serve(co_await acceptor.async_accept(asio::use_awaitable), body),
                       asio::detached);
}

}  // namespace

int main() {
    const std::string body(std::istreambuf_iterator<char>(std::cin), {});
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    std::cout << acceptor.local_endpoint().port() << std::endl;
    asio::co_spawn(context, accept(acceptor, body), asio::detached);
    context.run();
}
