#include "rbd/lister/format1.hpp"

#include "hex.hpp"

#include <gmock/gmock.h>

namespace taskd::rbd {
namespace {

TEST(Format1, HeaderHasPrefixOrderSizeAndSnapshots) {
    const auto header = decode_format1_header(
        bytes_of("3c3c3c205261646f7320426c6f636b2044657669636520496d616765203e3e3e0a00000000000000"
                 "72622e302e313034372e36623862343536370000000000 00 52424400 3030312e30303500 16000000 0000700000000000"
                 "0600000000000000 01000000 00000000 0300000000000000 0600000000000000 0000700000000000 6f3100"));

    ASSERT_TRUE(header);
    EXPECT_EQ(header->object_prefix, "rb.0.1047.6b8b4567");
    EXPECT_EQ(header->order, 22);
    EXPECT_EQ(header->size_bytes, 7U << 20U);
    ASSERT_EQ(header->snapshots.size(), 1U);
    EXPECT_EQ(header->snapshots[0].id, 6U);
    EXPECT_EQ(header->snapshots[0].name, "o1");
}

TEST(Format1, OtherDataIsNoHeader) {
    EXPECT_FALSE(decode_format1_header(""));
    EXPECT_FALSE(decode_format1_header(std::string(200, 'x')));
}

TEST(Format1, NamesAreInTheDataOfTheDirectory) {
    EXPECT_THAT(decode_format1_names(bytes_of("00000000 01000000 03000000 6f6c64 00000000")),
                ::testing::ElementsAre("old"));
    EXPECT_THAT(decode_format1_names(""), ::testing::IsEmpty());
}

}  // namespace
}  // namespace taskd::rbd
