#include "cli/http_transport.hpp"

#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

/// These say that there was no connection; after any other the daemon may have read the request.
bool never_connected(int code) {
    constexpr std::array codes{ECONNREFUSED, ENOENT,       EACCES,        EPERM,        ENOTDIR,      ENAMETOOLONG,
                               ENETUNREACH,  EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, EKEYREJECTED, ECONNABORTED};
    return std::ranges::find(codes, code) != codes.end();
}

std::string explain(const Error& error) {
    std::string text = "cannot reach the daemon at " + std::string(error.what());
    if (error.errno_value() == ENOENT || error.errno_value() == ECONNREFUSED) text += " (is ceph-taskd running?)";
    if (error.errno_value() == EACCES) text += " (the socket is for its owner and group)";
    if (error.errno_value() == EKEYREJECTED) text += " (--ca FILE names whom to trust)";
    return text;
}

std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

}  // namespace

HttpTransport::HttpTransport(const std::string& endpoint, std::string token, std::string ca_file)
    : token_(std::move(token)) {
    client_ = std::make_unique<http::Client>(http::Endpoint::parse(endpoint), http::Client::usual_max_body_bytes,
                                             http::TlsTrust{.ca_file = std::move(ca_file)});
}

HttpTransport::~HttpTransport() = default;

Answer HttpTransport::request(const Request& request) {
    std::vector<http::NameValue> headers(request.headers.begin(), request.headers.end());
    if (!token_.empty()) headers.emplace_back("authorization", "Bearer " + token_);
    try {
        http::ClientResponse response =
            client_->request(request.method, request.target, headers, request.body, request.timeout);
        Answer answer{.status = response.status, .headers = {}, .body = std::move(response.body)};
        for (auto& [name, value] : response.headers) answer.headers.emplace(lower(std::move(name)), std::move(value));
        return answer;
    } catch (const BadRequest&) {
        throw;  // a token with a line break, not the network
    } catch (const Error& error) {
        throw TransportError(explain(error), !never_connected(error.errno_value()));
    }
}

}  // namespace taskd::cli
