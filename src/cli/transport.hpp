#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

namespace taskd::cli {

/// One request to the daemon, before it is put on a wire.
struct Request {
    std::string method = "GET";
    std::string target;                            ///< Path and query, percent-encoded.
    std::map<std::string, std::string> headers{};  ///< Beside `Accept` and `Authorization`, which the transport adds.
    std::string body{};                            ///< JSON, or empty for none.
    std::chrono::milliseconds timeout{30'000};     ///< For the whole exchange.
};

/// What the daemon said. Header names are in lower case.
struct Answer {
    int status = 0;
    std::map<std::string, std::string> headers{};
    std::string body{};
};

/// Nobody answered: no connection, a broken one, or the time was over. `what()` is a sentence without a full stop.
class TransportError : public std::runtime_error {
  public:
    /// @param sent  The request may have reached the daemon, so that what it asked for may happen.
    TransportError(const std::string& text, bool sent) : std::runtime_error(text), sent_(sent) {}
    bool sent() const noexcept { return sent_; }

  private:
    bool sent_;
};

/// The way to the daemon; tests script it.
/// @thread  One caller at a time. Blocks no longer than `Request::timeout`.
class Transport {
  public:
    Transport() = default;
    virtual ~Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    /// @throws TransportError
    virtual Answer request(const Request& request) = 0;
};

}  // namespace taskd::cli
