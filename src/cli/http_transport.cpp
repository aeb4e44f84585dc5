#include "cli/http_transport.hpp"

namespace taskd::http { class Client {}; }
namespace taskd::cli {
HttpTransport::HttpTransport(std::string endpoint, std::string token) : endpoint_(std::move(endpoint)), token_(std::move(token)) {}
HttpTransport::~HttpTransport() = default;
Answer HttpTransport::request(const Request&) { throw TransportError("no client yet", false); }
}
