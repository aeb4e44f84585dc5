#include "fuzz/fuzzer.hpp"
#include "worker/frame.hpp"
#include "worker/protocol.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include <taskd/error.hpp>

/// A number in the first byte, then what comes in through the channel, in pieces of that many bytes.
namespace taskd::fuzz {
namespace {

using nlohmann::json;
using Messages = std::vector<json>;

std::optional<Messages> read_in_pieces(std::string_view stream, std::size_t piece) {
    worker::FrameReader reader;
    Messages all;
    try {
        for (; !stream.empty(); stream.remove_prefix(std::min(stream.size(), piece)))
            for (auto& message : reader.feed(stream.substr(0, piece))) all.push_back(std::move(message));
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
    return all;
}

/// @returns  Whether it was taken; else it was refused in one of the two documented ways.
template <class Take>
bool takes(Take take) {
    try {
        take();
        return true;
    } catch (const json::exception&) {
        return false;
    } catch (const BadRequest&) {
        return false;
    }
}

void try_message(const json& message) {
    namespace protocol = worker::protocol;
    const auto again = worker::FrameReader().feed(worker::encode_frame(message));
    require(again.size() == 1 && again.front() == message, "a message that is sent comes in");
    worker::WorkOrder order;
    if (takes([&] { order = protocol::parse_run(message); })) {
        const auto same = protocol::parse_run(protocol::run(order));
        require(same.id == order.id && same.operation == order.operation && same.arguments == order.arguments &&
                    same.attempt == order.attempt,
                "an order comes in as it was given");
    }
    protocol::Setup setup;
    if (takes([&] { setup = protocol::parse_setup(message); })) {
        const auto same = protocol::parse_setup(protocol::setup(setup));
        require(same.cluster == setup.cluster && same.most_jobs == setup.most_jobs && same.nice == setup.nice,
                "a set-up comes in as it was given");
    }
}

}  // namespace

void try_input(std::string_view input) {
    if (input.empty()) return;
    const std::size_t piece = static_cast<unsigned char>(input.front()) + 1U;
    const auto stream = input.substr(1);
    const auto whole = read_in_pieces(stream, stream.size() + 1);
    require(read_in_pieces(stream, piece) == whole, "how the bytes come in makes no difference");
    if (!whole) return;
    for (const auto& message : *whole) try_message(message);
}

}  // namespace taskd::fuzz
