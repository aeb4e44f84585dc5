#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::worker {

/// The longest message that either side takes, in bytes: a task's arguments or result, never bulk data.
inline constexpr std::size_t most_frame_bytes = std::size_t{16} << 20U;

/// One message as it travels between front and worker: its length in 4 bytes, little endian, then the JSON text.
/// Text that is not UTF-8 is replaced, so that no name in an error can break the channel.
/// @throws std::length_error when it is longer than `most_frame_bytes`.
std::string encode_frame(const nlohmann::json& message);

/// Puts a byte stream back into messages.
/// @thread  One.
class FrameReader {
  public:
    /// The messages that these bytes complete, in order.
    /// @throws std::runtime_error  The peer does not speak this protocol; nothing can be read from it any more.
    std::vector<nlohmann::json> feed(std::string_view bytes);

  private:
    std::string pending_;
};

}  // namespace taskd::worker
