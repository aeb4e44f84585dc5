#include "worker/frame.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace taskd::worker {
namespace {

using nlohmann::json;

/// The header of a frame of that length.
std::string header(std::size_t length) {
    std::string bytes;
    for (int n = 0; n < 4; ++n) bytes += static_cast<char>((length >> (8 * n)) & 0xFFU);
    return bytes;
}

std::vector<json> read_all(std::string_view bytes) {
    return FrameReader().feed(bytes);
}

TEST(Frame, IsTheLengthAndTheText) {
    EXPECT_EQ(encode_frame({{"a", 1}}), header(7) + R"({"a":1})");
}

TEST(Frame, ComesBackAsItWas) {
    const json message{{"type", "run"}, {"nested", {{"list", {1, 2.5, nullptr, true}}}}, {"text", "grün \n \"x\""}};

    EXPECT_EQ(read_all(encode_frame(message)), std::vector<json>{message});
}

TEST(Frame, SeveralInOneReadComeInOrder) {
    const auto bytes = encode_frame({{"n", 1}}) + encode_frame({{"n", 2}}) + encode_frame({{"n", 3}});

    EXPECT_EQ(read_all(bytes), (std::vector<json>{{{"n", 1}}, {{"n", 2}}, {{"n", 3}}}));
}

TEST(Frame, MayBeSplitAtEveryByte) {
    const std::vector<json> messages{{{"n", 1}, {"text", std::string(300, 'x')}}, {{"n", 2}}};
    const auto bytes = encode_frame(messages[0]) + encode_frame(messages[1]);

    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        FrameReader reader;
        auto read = reader.feed(std::string_view(bytes).substr(0, split));
        const auto rest = reader.feed(std::string_view(bytes).substr(split));
        read.insert(read.end(), rest.begin(), rest.end());
        EXPECT_EQ(read, messages) << "split at " << split;
    }
}

TEST(Frame, MayComeByteByByte) {
    const auto bytes = encode_frame({{"n", 1}}) + encode_frame({{"n", 2}});
    FrameReader reader;
    std::vector<json> read;

    for (const char byte : bytes)
        for (auto& message : reader.feed({&byte, 1})) read.push_back(std::move(message));

    EXPECT_EQ(read, (std::vector<json>{{{"n", 1}}, {{"n", 2}}}));
}

TEST(Frame, NothingReadGivesNothing) {
    EXPECT_TRUE(read_all("").empty());
}

TEST(Frame, TooLongAMessageIsNotMade) {
    EXPECT_THROW(encode_frame({{"x", std::string(most_frame_bytes, 'x')}}), std::length_error);
}

TEST(Frame, TheLongestMessageIsRead) {
    const json message{{"x", std::string(most_frame_bytes - 8, 'x')}};

    EXPECT_EQ(read_all(encode_frame(message)), std::vector<json>{message});
}

TEST(Frame, ALengthBeyondTheLimitIsRefusedBeforeItsBytesCome) {
    EXPECT_THROW(read_all(header(most_frame_bytes + 1)), std::runtime_error);
    EXPECT_THROW(read_all("\xff\xff\xff\xff"), std::runtime_error);
}

TEST(Frame, GarbageIsRefused) {
    for (const std::string_view text : {"", "{", "nonsense", "[1]", "\"text\"", "null", "{\"a\":1}x", "{\"a\":\xff}"})
        EXPECT_THROW(read_all(header(text.size()) + std::string(text)), std::runtime_error) << text;
}

TEST(Frame, MessagesBeforeTheGarbageDoNotSaveIt) {
    FrameReader reader;

    EXPECT_THROW(reader.feed(encode_frame({{"n", 1}}) + header(3) + "bad"), std::runtime_error);
}

TEST(Frame, TextThatIsNotUtf8IsReplaced) {
    const auto read = read_all(encode_frame({{"name",
                                              "a\xff"
                                              "b"}}));

    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0]["name"],
              "a\xEF\xBF\xBD"
              "b");
}

}  // namespace
}  // namespace taskd::worker
