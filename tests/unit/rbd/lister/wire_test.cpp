#include "rbd/lister/wire.hpp"

#include "hex.hpp"

#include <gmock/gmock.h>

namespace taskd::rbd::wire {
namespace {

TEST(WireDecoder, TakesLittleEndianNumbersAndTexts) {
    const auto bytes = bytes_of("16 01020000 feffffffffffffff 02000000 6869");
    Decoder decoder(bytes);

    EXPECT_EQ(decoder.u8(), 0x16);
    EXPECT_EQ(decoder.u32(), 0x0201U);
    EXPECT_EQ(decoder.i64(), -2);
    EXPECT_EQ(decoder.text(), "hi");
    EXPECT_TRUE(decoder.ok());
    EXPECT_EQ(decoder.left(), 0U);
}

TEST(WireDecoder, GivesNothingMoreAfterWhatDoesNotFit) {
    const auto bytes = bytes_of("05000000 6869");
    Decoder decoder(bytes);

    EXPECT_EQ(decoder.text(), "");
    EXPECT_FALSE(decoder.ok());
    EXPECT_EQ(decoder.u8(), 0);
}

TEST(WireDecoder, RefusesACountThatCannotBe) {
    const auto bytes = bytes_of("ffffffff 00");
    Decoder decoder(bytes);

    EXPECT_EQ(decoder.count(4), 0U);
    EXPECT_FALSE(decoder.ok());
}

TEST(WireDecoder, SkipsWhatANewerVersionHasBehindWhatWeKnow) {
    const auto bytes = bytes_of("03 01 05000000 07000000 aa  ff");
    Decoder decoder(bytes);

    auto [version, content] = decoder.enclosed(1);

    EXPECT_EQ(version, 3);
    EXPECT_EQ(content.u32(), 7U);
    EXPECT_EQ(decoder.u8(), 0xFF);
}

TEST(WireDecoder, RefusesAStructThatNeedsANewerReader) {
    const auto bytes = bytes_of("03 02 04000000 07000000");
    Decoder decoder(bytes);

    auto [version, content] = decoder.enclosed(1);

    EXPECT_FALSE(content.ok());
    EXPECT_FALSE(decoder.ok());
}

TEST(WireEncoder, MakesWhatTheDecoderTakes) {
    const auto bytes = Encoder().u8(1).u32(2).u64(3).i64(-4).text("five").bytes();
    Decoder decoder(bytes);

    EXPECT_EQ(decoder.u8(), 1);
    EXPECT_EQ(decoder.u32(), 2U);
    EXPECT_EQ(decoder.u64(), 3U);
    EXPECT_EQ(decoder.i64(), -4);
    EXPECT_EQ(decoder.text(), "five");
    EXPECT_TRUE(decoder.ok());
}

}  // namespace
}  // namespace taskd::rbd::wire
