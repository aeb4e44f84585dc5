#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace taskd::http {

/// A body that comes piece by piece, for as long as its source goes on. The session sends a piece before it asks for
/// the next, so a client that reads slowly makes its source wait: what is worth sending by then is for the source to
/// say.
///
///     while (stream.next(piece)) {
///         send(piece);
///         if (stream.on_more(wake)) wait for wake, at most stream.patience();
///     }
///
/// @thread  The connection's. None of it blocks.
class BodyStream {
  public:
    virtual ~BodyStream() = default;
    BodyStream(const BodyStream&) = delete;
    BodyStream& operator=(const BodyStream&) = delete;

    /// What there is to send now.
    /// @param piece  Empty; stays so when there is nothing. Some 64 KiB at most, unless it cannot be divided.
    /// @returns  False: that was all.
    virtual bool next(std::string& piece) = 0;
    /// Has `wake` called once there is more. It may be called from any thread, or never, and takes the place of the one
    /// before.
    /// @returns  False, and never calls it, when there is more already.
    virtual bool on_more(std::function<void()> wake) = 0;
    /// When `next` is to be asked again at the latest.
    virtual std::chrono::milliseconds patience() const = 0;

  protected:
    BodyStream() = default;
};

}  // namespace taskd::http
