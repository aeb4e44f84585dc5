#include "http/uri.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string normalised(std::string_view target) {
    std::string path;
    normalise_path(target, path);
    return path;
}

TEST(PercentDecoding, RefusesAnEscapeThatIsNotWhole) {
    EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
    EXPECT_EQ(percent_decode("a%2"), std::nullopt);
    EXPECT_EQ(percent_decode("a%"), std::nullopt);
    EXPECT_EQ(percent_decode("a%zz"), std::nullopt);
}

TEST(PercentDecoding, LenientlyLeavesWhatIsNoEscape) {
    EXPECT_EQ(percent_decode_leniently("100%"), "100%");
    EXPECT_EQ(percent_decode_leniently("%zz%41%4"), "%zzA%4");
}

TEST(PercentEncoding, MakesOneSegmentOfAnyName) {
    EXPECT_EQ(percent_encode("rbd/vm 1%é"), "rbd%2Fvm%201%25%C3%A9");
    EXPECT_EQ(percent_decode(percent_encode("rbd/vm 1%é")), "rbd/vm 1%é");
}

TEST(PathParameter, IsTheSameEncodedOnceAndTwice) {
    EXPECT_EQ(decode_path_parameter("rbd%2Fimg"), "rbd/img");
    EXPECT_EQ(decode_path_parameter("rbd%252Fimg"), "rbd/img");
    EXPECT_EQ(decode_path_parameter("img"), "img");
}

TEST(PathParameter, IsNotDecodedAThirdTime) {
    EXPECT_EQ(decode_path_parameter("a%252541"), "a%41");
}

TEST(PathParameter, KeepsAPercentSignThatIsNoEscape) {
    EXPECT_EQ(decode_path_parameter("100%25"), "100%");
    EXPECT_EQ(decode_path_parameter("100%2525"), "100%");
    EXPECT_EQ(decode_path_parameter("50%25off"), "50%off");
}

TEST(PathParameter, IsDecodedOnceWhereASecondTimeGivesNoText) {
    EXPECT_EQ(decode_path_parameter("a%25FFb"), "a%FFb");
    EXPECT_EQ(decode_path_parameter("a%2500b"), "a%00b");
}

TEST(PathParameter, LeavesPlusAlone) {
    EXPECT_EQ(decode_path_parameter("a+b%2Bc"), "a+b+c");
}

TEST(Path, IsWellFormedOnlyAsUtf8WithoutNul) {
    EXPECT_TRUE(is_well_formed_path("/api/task"));
    EXPECT_TRUE(is_well_formed_path("/api/rbd%2F%E6%97%A5"));
    EXPECT_TRUE(is_well_formed_path("/api/日本"));
    EXPECT_FALSE(is_well_formed_path("/api/%FF"));
    EXPECT_FALSE(is_well_formed_path("/api/\xFF"));
    EXPECT_FALSE(is_well_formed_path("/api/img%00x"));
    EXPECT_FALSE(is_well_formed_path("/api/100%"));
    EXPECT_FALSE(is_well_formed_path("/api/%ED%A0%80"));  // a surrogate
}

TEST(Path, NormalisingCollapsesSlashesAndDropsTheLast) {
    EXPECT_EQ(normalised("/api//task/"), "/api/task");
    EXPECT_EQ(normalised("///api/task//?x=/a/"), "/api/task");
    EXPECT_EQ(normalised("/"), "/");
    EXPECT_EQ(normalised("//"), "/");
    EXPECT_EQ(normalised("*"), "*");
}

TEST(Path, NormalisingDropsSchemeAndHost) {
    EXPECT_EQ(normalised("http://host:80/api/task?x"), "/api/task");
    EXPECT_EQ(normalised("http://host"), "/");
}

TEST(Query, KeepsOrderAndDuplicates) {
    EXPECT_THAT(*parse_query("b=2&a=1&b=3"), ElementsAre(Pair("b", "2"), Pair("a", "1"), Pair("b", "3")));
}

TEST(Query, DecodesPlusAndEscapes) {
    EXPECT_THAT(*parse_query("a+b=c%2Bd+e&x=%"), ElementsAre(Pair("a b", "c+d e"), Pair("x", "%")));
}

TEST(Query, KnowsEmptyValuesAndSkipsEmptyPieces) {
    EXPECT_THAT(*parse_query("&a&&b=&=c&"), ElementsAre(Pair("a", ""), Pair("b", ""), Pair("", "c")));
    EXPECT_TRUE(parse_query("")->empty());
}

TEST(Query, IsRefusedWhenItIsNoText) {
    EXPECT_EQ(parse_query("a=%FF"), std::nullopt);
    EXPECT_EQ(parse_query("a=b%00c"), std::nullopt);
}

TEST(Query, StartsAtTheFirstQuestionMark) {
    EXPECT_EQ(query_of("/a?b?c"), "b?c");
    EXPECT_EQ(query_of("/a"), "");
}

}  // namespace
}  // namespace taskd::http
