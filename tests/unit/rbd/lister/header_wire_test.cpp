#include "rbd/lister/header_wire.hpp"

#include "hex.hpp"

#include <gmock/gmock.h>

// The bytes are what OSDs of 16.2.15 answered for images made by `rbd`.

namespace taskd::rbd::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HeaderWire, InputsAreWhatTheClassTakes) {
    EXPECT_EQ(snapshot_input(no_snapshot), bytes_of("feffffffffffffff"));
    EXPECT_EQ(features_input(no_snapshot), bytes_of("feffffffffffffff 01"));
    EXPECT_EQ(list_input("conf_", 64), bytes_of("05000000 636f6e665f 4000000000000000"));
    EXPECT_EQ(children_input({2, "", "1019eb0a14e9", 4}),
              bytes_of("0200000000000000 0c000000 313031396562306131346539 0400000000000000"));
}

TEST(HeaderWire, SizeAndOrderOfAGibibyteInObjectsOfFourMebibytes) {
    const auto size = decode_size(bytes_of("16 0000004000000000"));

    ASSERT_TRUE(size);
    EXPECT_EQ(size->order, 22);
    EXPECT_EQ(size->size_bytes, 1U << 30U);
}

TEST(HeaderWire, RefusesAnOrderThatNoObjectCanHave) {
    EXPECT_FALSE(decode_size(bytes_of("40 0000004000000000")));
}

TEST(HeaderWire, FeaturesAreTheFirstOfTwoMasks) {
    EXPECT_EQ(decode_u64(bytes_of("3d01000000000000 0100000000000000")), 0x13DU);
}

TEST(HeaderWire, ObjectPrefixIsAText) {
    EXPECT_EQ(decode_text(bytes_of("15000000 7262645f646174612e313031396562306131346539")), "rbd_data.1019eb0a14e9");
}

TEST(HeaderWire, SnapshotIdsComeNewestFirst) {
    const auto ids = decode_snapshot_ids(bytes_of("0500000000000000 02000000 0500000000000000 0400000000000000"));

    ASSERT_TRUE(ids);
    EXPECT_THAT(*ids, ElementsAre(5, 4));
}

TEST(HeaderWire, StripesHaveAUnitAndACount) {
    const auto striping = decode_striping(bytes_of("0000010000000000 0400000000000000"));

    ASSERT_TRUE(striping);
    EXPECT_EQ(striping->unit_bytes, 65536U);
    EXPECT_EQ(striping->count, 4U);
}

TEST(HeaderWire, NoDataPoolIsMinusOne) {
    EXPECT_EQ(decode_i64(bytes_of("ffffffffffffffff")), -1);
}

TEST(HeaderWire, ATimeHasSecondsAndNanoseconds) {
    EXPECT_EQ(decode_time(bytes_of("4bb9066b 45290933")), (Time{0x6B06B94B, 0x33092945}));
}

TEST(HeaderWire, ParentNamesPoolNamespaceImageAndSnapshot) {
    const auto parent = decode_parent(
        bytes_of("01 01 24000000 0100000000000000 00000000 0c000000 313031396562306131346539 0400000000000000"));

    ASSERT_TRUE(parent);
    EXPECT_EQ(*parent, (ParentSpec{1, "", "1019eb0a14e9", 4}));
    EXPECT_EQ(decode_overlap(bytes_of("01 0000004000000000")), 1U << 30U);
}

TEST(HeaderWire, AnImageWithoutParentHasPoolMinusOneAndNoOverlap) {
    const auto parent = decode_parent(bytes_of("01 01 18000000 ffffffffffffffff 00000000 00000000 feffffffffffffff"));

    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->pool, -1);
    EXPECT_EQ(decode_overlap(bytes_of("00")), 0U);
}

TEST(HeaderWire, MetadataIsAMap) {
    const auto metadata =
        decode_metadata(bytes_of("02000000 0e000000 636f6e665f7262645f6361636865 01000000 31"
                                 "17000000 636f6e665f7262645f716f735f696f70735f6c696d6974 02000000 314b"));

    ASSERT_TRUE(metadata);
    EXPECT_THAT(*metadata, ElementsAre(Pair("conf_rbd_cache", "1"), Pair("conf_rbd_qos_iops_limit", "1K")));
}

TEST(HeaderWire, NamespacesAreTexts) {
    EXPECT_EQ(decode_texts(bytes_of("01000000 03000000 6e7331")), std::vector<std::string>{"ns1"});
}

TEST(HeaderWire, AUsersSnapshotHasNameSizeTimeAndTheNumberOfItsClones) {
    const auto snapshot = decode_snapshot(
        bytes_of("01 01 2c000000 0400000000000000 01 01 04000000 00000000 02000000 7331 0000004000000000"
                 "4cb9066b 7f875406 01000000"));

    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->id, 4U);
    EXPECT_EQ(snapshot->type, SnapshotType::user);
    EXPECT_EQ(snapshot->name, "s1");
    EXPECT_EQ(snapshot->size_bytes, 1U << 30U);
    EXPECT_EQ(snapshot->created, (Time{0x6B06B94C, 0x0654877F}));
    EXPECT_EQ(snapshot->clones, 1U);
}

TEST(HeaderWire, ASnapshotInTheTrashHasTheNameThatItHad) {
    const auto snapshot =
        decode_snapshot(bytes_of("01 01 57000000 0700000000000000 01 01 0d000000 02000000 01000000 73 00000000"
                                 "24000000 36633632626331312d393734392d343939622d383036312d653030333837613835653139"
                                 "0000000100000000 a0c5066b c7ca2508 01000000"));

    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->type, SnapshotType::trash);
    EXPECT_EQ(snapshot->original_name, "s");
    EXPECT_EQ(snapshot->name, "6c62bc11-9749-499b-8061-e00387a85e19");
    EXPECT_EQ(snapshot->size_bytes, 16U << 20U);
}

TEST(HeaderWire, AClonesNamespaceComesBehindItsId) {
    const auto children = decode_children(
        bytes_of("01000000 02 01 1c000000 0100000000000000 0c000000 313032646662616432643664 00000000"));

    ASSERT_TRUE(children);
    EXPECT_THAT(*children, ElementsAre(ChildSpec{1, "", "102dfbad2d6d"}));
}

TEST(HeaderWire, ATrashEntryHasSourceNameAndTwoTimes) {
    const auto entry = decode_trash(bytes_of("02 01 18000000 00 02000000 7431 4cb9066b 6479ab30 4cb9066b 6479ab30 00"));

    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->source, 0);
    EXPECT_EQ(entry->name, "t1");
    EXPECT_EQ(entry->deleted, entry->deferred_until);
}

TEST(HeaderWire, AnImageMayBeInAGroup) {
    EXPECT_EQ(decode_group_pool(bytes_of("01 01 0c000000 ffffffffffffffff 00000000")), no_group);
    EXPECT_EQ(decode_group_pool(bytes_of("01 01 18000000 0100000000000000 0c000000 313030383662386234353637")), 1);
    EXPECT_FALSE(decode_group_pool(bytes_of("01 01 0c000000 ffffffff")));
}

TEST(HeaderWire, ALockHasHolders) {
    EXPECT_EQ(lock_info_input("rbd_lock"), bytes_of("01 01 0c000000 08000000 7262645f6c6f636b"));
    EXPECT_EQ(decode_lock_holders(bytes_of("01 01 09000000 00000000 00 00000000")), 0U);
    EXPECT_EQ(decode_lock_holders(bytes_of("01 01 11000000 00000000 01 08000000 696e7465726e616c")), 0U) << "once had";
    EXPECT_EQ(decode_lock_holders(
                  bytes_of("01 01 6d000000 01000000 01 01 21000000 08 1a37000000000000 14000000"
                           "6175746f20313430313431333630333931333132 01 01 2f000000 000000000000000000000000 01 01 01"
                           "1c000000 01000000 1c19ca38 10000000 02000000 7f000001 00000000 00000000 00000000"
                           "01 08000000 696e7465726e616c")),
              1U);
}

TEST(HeaderWire, ANotificationTellsWhoIsThere) {
    EXPECT_EQ(decode_notified(bytes_of("00000000 00000000")), 0U);
    EXPECT_EQ(decode_notified(bytes_of("01000000 1a37000000000000 90240134757f0000 0a000000 01010400000000000000"
                                       "00000000")),
              1U);
    EXPECT_EQ(decode_notified(bytes_of("00000000 01000000 1a37000000000000 90240134757f0000")), 1U) << "none answered";
    EXPECT_FALSE(decode_notified(bytes_of("01000000 1a370000 00000000")));
}

TEST(HeaderWire, RefusesAnswersThatAreCutOff) {
    const auto whole = bytes_of(
        "01 01 2c000000 0400000000000000 01 01 04000000 00000000 02000000 7331 0000004000000000"
        "4cb9066b 7f875406 01000000");
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(decode_snapshot(std::string_view(whole).substr(0, size))) << size;
}

}  // namespace
}  // namespace taskd::rbd::wire
