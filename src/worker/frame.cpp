#include "worker/frame.hpp"

#include <cstdint>
#include <stdexcept>

namespace taskd::worker {
namespace {

constexpr std::size_t header_bytes = 4;

std::size_t length_at(std::string_view bytes) {
    std::size_t length = 0;
    for (std::size_t n = 0; n < header_bytes; ++n)
        length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[n])) << (8 * n);
    return length;
}

}  // namespace

std::string encode_frame(const nlohmann::json& message) {
    const std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (text.size() > most_frame_bytes)
        throw std::length_error("worker message of " + std::to_string(text.size()) + " bytes");
    std::string frame;
    frame.reserve(header_bytes + text.size());
    for (std::size_t n = 0; n < header_bytes; ++n) frame += static_cast<char>((text.size() >> (8 * n)) & 0xFFU);
    frame += text;
    return frame;
}

std::vector<nlohmann::json> FrameReader::feed(std::string_view bytes) {
    pending_ += bytes;
    std::vector<nlohmann::json> messages;
    std::size_t at = 0;
    while (pending_.size() - at >= header_bytes) {
        const std::string_view rest = std::string_view(pending_).substr(at);
        const std::size_t length = length_at(rest);
        if (length > most_frame_bytes)
            throw std::runtime_error("worker channel: a frame of " + std::to_string(length) + " bytes");
        if (rest.size() < header_bytes + length) break;
        auto message = nlohmann::json::parse(rest.substr(header_bytes, length), nullptr, false);
        if (!message.is_object()) throw std::runtime_error("worker channel: a frame that is no JSON object");
        messages.push_back(std::move(message));
        at += header_bytes + length;
    }
    pending_.erase(0, at);
    return messages;
}

}  // namespace taskd::worker
