#include "rbd/lister/object_map.hpp"

#include "hex.hpp"

#include <gmock/gmock.h>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t mebibyte = 1U << 20U;

/// A map with these states, as the class answers it.
ObjectMap map_of(const std::vector<int>& states) {
    std::string data((states.size() + 3) / 4, '\0');
    for (std::size_t i = 0; i < states.size(); ++i)
        data[i / 4] = static_cast<char>(static_cast<unsigned char>(data[i / 4]) | states[i] << (6 - 2 * (i % 4)));
    auto answer = bytes_of("0e000000 01 01 08000000");
    answer += static_cast<char>(states.size());
    return *ObjectMap::decode(answer.append(7, '\0') + data + bytes_of("00000000"));
}

TEST(ObjectMap, DecodesWhatTheClassAnswers) {
    const auto map = ObjectMap::decode(bytes_of("0e000000 01 01 08000000 1000000000000000 1b000000 00000000"));

    ASSERT_TRUE(map);
    EXPECT_EQ(map->size(), 16U);
    EXPECT_EQ(map->state(0), ObjectMap::State::nonexistent);
    EXPECT_EQ(map->state(1), ObjectMap::State::exists);
    EXPECT_EQ(map->state(2), ObjectMap::State::pending);
    EXPECT_EQ(map->state(3), ObjectMap::State::exists_clean);
    EXPECT_EQ(map->state(16), ObjectMap::State::nonexistent);
}

TEST(ObjectMap, RefusesASizeWithoutItsBits) {
    EXPECT_FALSE(ObjectMap::decode(bytes_of("0e000000 01 01 08000000 ff00000000000000 00")));
    EXPECT_FALSE(ObjectMap::decode(""));
}

TEST(ObjectMap, TheFirstSnapshotUsesAllThatIsThere) {
    const ObjectLayout layout{4 * mebibyte, mebibyte, mebibyte, 1};

    EXPECT_EQ(used_bytes(layout, nullptr, map_of({0, 1, 3, 2})), 3 * mebibyte);
}

TEST(ObjectMap, ALaterOneUsesWhatWasWrittenSince) {
    const ObjectLayout layout{4 * mebibyte, mebibyte, mebibyte, 1};

    EXPECT_EQ(used_bytes(layout, nullptr, map_of({1, 1, 0, 0})), 2 * mebibyte);
    const auto before = map_of({1, 1, 0, 0});
    EXPECT_EQ(used_bytes(layout, &before, map_of({3, 1, 1, 0})), 2 * mebibyte);
}

TEST(ObjectMap, TheLastObjectCountsToTheEndOfTheImage) {
    const ObjectLayout layout{2 * mebibyte + 7, mebibyte, mebibyte, 1};

    EXPECT_EQ(layout.object_count(), 3U);
    EXPECT_EQ(used_bytes(layout, nullptr, map_of({0, 0, 1})), 7U);
}

TEST(ObjectMap, StripesFillTheirObjectsInTurn) {
    const ObjectLayout layout{3 * 4096, mebibyte, 4096, 4};

    EXPECT_EQ(layout.object_count(), 3U);
    EXPECT_EQ(layout.bytes_in(0), 4096U);
    EXPECT_EQ(layout.bytes_in(2), 4096U);
    EXPECT_EQ(layout.bytes_in(3), 0U);
    const ObjectLayout whole{4 * mebibyte, mebibyte, 4096, 4};
    EXPECT_EQ(whole.object_count(), 4U);
    EXPECT_EQ(whole.bytes_in(3), mebibyte);
}

TEST(ObjectLayout, IsPossibleWhenWholeUnitsFillItsObjectsAndASetOfThemIsANumber) {
    for (const ObjectLayout& layout :
         {ObjectLayout{mebibyte, mebibyte, mebibyte, 1}, ObjectLayout{0, mebibyte, 1, 4096},
          ObjectLayout{~0ULL, 1ULL << 62, 1ULL << 62, 1}})
        EXPECT_TRUE(layout.is_possible());
    for (const ObjectLayout& layout :
         {ObjectLayout{mebibyte, mebibyte, 0, 1}, ObjectLayout{mebibyte, mebibyte, 4096, 0},
          ObjectLayout{mebibyte, mebibyte, 2 * mebibyte, 1}, ObjectLayout{mebibyte, 1ULL << 63, 1ULL << 63, 2},
          ObjectLayout{mebibyte, mebibyte, mebibyte, 1ULL << 44}})
        EXPECT_FALSE(layout.is_possible());
}

TEST(ObjectLayout, OfVerySmallUnitsIsNotCounted) {
    EXPECT_TRUE((ObjectLayout{mebibyte, mebibyte, 4096, 4}).is_countable());
    EXPECT_TRUE((ObjectLayout{mebibyte, mebibyte, 1, 1}).is_countable());
    EXPECT_FALSE((ObjectLayout{mebibyte, mebibyte, 1, 4}).is_countable());
    EXPECT_FALSE((ObjectLayout{mebibyte, mebibyte, mebibyte, 1ULL << 44}).is_countable());
}

TEST(ObjectMap, AnEmptyImageHasNoObjects) {
    EXPECT_EQ((ObjectLayout{0, mebibyte, mebibyte, 1}).object_count(), 0U);
}

TEST(ObjectMap, ACloneUsesItsOwnObjectsAndItsParentsWhereItHasNone) {
    const ObjectLayout layout{4 * mebibyte, mebibyte, mebibyte, 1};
    const Extents below{{mebibyte / 2, mebibyte}, {3 * mebibyte, mebibyte}};

    EXPECT_EQ(used_extents(layout, map_of({0, 1, 0, 0}), below),
              (Extents{{mebibyte / 2, mebibyte + mebibyte / 2}, {3 * mebibyte, mebibyte}}));
    EXPECT_EQ(used_bytes_of_clone(layout, map_of({0, 1, 0, 0}), below), 2 * mebibyte + mebibyte / 2);
}

}  // namespace
}  // namespace taskd::rbd
