#include "ceph/command_output.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;

/// As text, "text" when it is no JSON.
std::string parsed(std::string_view output, bool scalars = false) {
    const auto value = parse_output(output, scalars);
    return value ? value->dump() : "text";
}

TEST(CommandOutput, IsJsonWhenItIsAnObjectOrAnArray) {
    EXPECT_EQ(parsed("\n{\"a\": 1}\n"), R"({"a":1})");
    EXPECT_EQ(parsed("[1, 2]"), "[1,2]");
}

TEST(CommandOutput, IsTextWhenItIsPlain) {
    EXPECT_EQ(parsed("e1: 1 mons at {a=127.0.0.1}"), "text");
    EXPECT_EQ(parsed("0\n1\n2\n"), "text");
    EXPECT_EQ(parsed(""), "text");
    EXPECT_EQ(parsed("  \n"), "text");
    EXPECT_EQ(parsed("[WRN] OSD_DOWN: 1 osds down"), "text");
}

TEST(CommandOutput, IsAScalarOnlyWhereJsonWasAskedFor) {
    EXPECT_EQ(parsed("\"none\"\n", false), "text");
    EXPECT_EQ(parsed("\"none\"\n", true), "\"none\"");
    EXPECT_EQ(parsed("5", true), "5");
}

TEST(CommandOutput, ReadsNotANumberAsNull) {
    EXPECT_EQ(parsed(R"({"a": nan, "b": -nan, "c": inf, "d": -inf, "e": NaN, "f": Infinity})"),
              R"({"a":null,"b":null,"c":null,"d":null,"e":null,"f":null})");
}

TEST(CommandOutput, LeavesNotANumberInStringsAlone) {
    EXPECT_EQ(parsed(R"({"nan": "inf \" nan", "info": 1})"), R"({"info":1,"nan":"inf \" nan"})");
}

TEST(CommandOutput, CollectsSeveralObjectsInAnArray) {
    EXPECT_EQ(parsed("{\"a\": 1}{\"b\": \"}{\"}\n[3]"), R"([{"a":1},{"b":"}{"},[3]])");
    EXPECT_EQ(parsed("{\"a\": nan}\n{\"b\": 2}\n"), R"([{"a":null},{"b":2}])");
}

TEST(CommandOutput, IsTextWithGarbageAfterTheObject) {
    EXPECT_EQ(parsed("{\"a\": 1} garbage"), "text");
    EXPECT_EQ(parsed("{\"a\": 1}}"), "text");
    EXPECT_EQ(parsed("{\"a\": "), "text");
}

TEST(CommandOutput, IsTextWhenNestedTooDeep) {
    EXPECT_EQ(parsed(std::string(100'000, '[') + std::string(100'000, ']')), "text");
    EXPECT_NE(parsed(std::string(100, '[') + std::string(100, ']')), "text");
}

TEST(CutUtf8, DoesNotCutACharacterInTwo) {
    EXPECT_EQ(cut_utf8("a\u00e4b", 2), "a");
    EXPECT_EQ(cut_utf8("a\u00e4b", 3), "a\u00e4");
    EXPECT_EQ(cut_utf8("abc", 10), "abc");
    EXPECT_EQ(cut_utf8("\x80\x80\x80", 1), "");
}

}  // namespace
}  // namespace taskd::ceph
