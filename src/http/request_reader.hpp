#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace taskd::http {

struct ReadLimits {
    std::size_t header_bytes = 16 * 1024;  ///< Request line and fields together.
    std::size_t body_bytes = 1024 * 1024;
};

/// Makes requests of the bytes of one connection: what a server has to decide while it reads, without the reading.
///
///            +-- commit <-- read_more --+
///            v                          |
///   idle -> advance() ------------------+--> send_continue (then advance again)
///            |                          |
///            |                          +--> refused: answer refusal() and close
///            +--> complete: answer, then next() for the request behind it
///
/// Not thread-safe.
class RequestReader {
  public:
    enum class Step {
        read_more,      ///< Put bytes into free_space() and commit() them.
        send_continue,  ///< The client waits for "100 Continue" before it sends its body.
        complete,       ///< The request is whole.
        refused,        ///< It is malformed or too large: send refusal(), read no further.
    };
    /// How much of the current request there is; the time limits go by it.
    enum class Phase { idle, header, body };

    explicit RequestReader(const ReadLimits& limits);
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// Never empty after Step::read_more.
    std::span<char> free_space();
    void commit(std::size_t bytes);

    /// Fills `request` but for its peer. The same object must be given until the request is complete or refused.
    Step advance(Request& request);

    Phase phase() const noexcept;
    bool keep_alive() const noexcept;
    bool is_http_1_0() const noexcept;

    Response refusal() const;

    /// Starts over with what follows the request that is complete.
    void next();

  private:
    struct Impl;

    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::http
