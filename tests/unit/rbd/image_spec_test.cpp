#include "rbd/image_spec.hpp"

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

TEST(ImageSpec, ReadsPoolAndImage) {
    EXPECT_EQ(ImageSpec::parse("rbd/vm-1"), (ImageSpec{"rbd", "", "vm-1"}));
}

TEST(ImageSpec, ReadsTheNamespaceBetweenThem) {
    EXPECT_EQ(ImageSpec::parse("rbd/ns/vm-1"), (ImageSpec{"rbd", "ns", "vm-1"}));
}

TEST(ImageSpec, SplitsAtTheLastSlashes) {
    EXPECT_EQ(ImageSpec::parse("odd/pool/ns/vm-1"), (ImageSpec{"odd/pool", "ns", "vm-1"}));
}

TEST(ImageSpec, TakesAnEmptyNamespaceForNone) {
    EXPECT_EQ(ImageSpec::parse("rbd//vm-1"), (ImageSpec{"rbd", "", "vm-1"}));
}

TEST(ImageSpec, IsWrittenAsItWasRead) {
    for (const auto* text :
         {"rbd/vm-1", "rbd/ns/vm-1", "odd/pool/ns/vm-1", "odd/pool//vm-1", "p/-x", "p/ \xF0\x9F\x98\x80 "})
        EXPECT_EQ(ImageSpec::parse(text).format(), text);
}

TEST(ImageSpec, NeedsAPoolAndAName) {
    for (const auto* text : {"", "noslash", "/vm-1", "rbd/", "rbd/ns/", "/"})
        EXPECT_THROW(ImageSpec::parse(text), BadRequest) << text;
}

TEST(ImageSpec, RefusesANulByteWhichWouldCutTheName) {
    EXPECT_THROW(ImageSpec::parse(std::string_view("rbd/vm\0-1", 9)), BadRequest);
}

TEST(ImageSpec, NamesTheFieldItCameFrom) {
    try {
        ImageSpec::parse("noslash", "parent_image_spec");
        FAIL();
    } catch (const BadRequest& error) {
        EXPECT_EQ(error.field(), "parent_image_spec");
    }
}

TEST(ImageIdSpec, ReadsPoolNamespaceAndId) {
    EXPECT_EQ(ImageIdSpec::parse("rbd/101158d673b0"), (ImageIdSpec{"rbd", "", "101158d673b0"}));
    EXPECT_EQ(ImageIdSpec::parse("rbd/ns/101158d673b0").format(), "rbd/ns/101158d673b0");
}

TEST(NewName, MayBeAnythingThatASpecCanAddress) {
    for (const auto* name : {"a", "-x", "..", " ", "with space", "ünï", "\xF0\x9F\x98\x80", "a%2Fb", "'", "\""})
        EXPECT_NO_THROW(check_new_name(name, "name")) << name;
}

TEST(NewName, IsRefusedWhenASpecCouldNotAddressIt) {
    for (const auto* name : {"", "a/b", "a@b", "a\nb", "a\tb", "\x7F", "bad\xFF\xFEname", "\xC0\xAF", "\xED\xA0\x80"})
        EXPECT_THROW(check_new_name(name, "name"), BadRequest) << name;
}

TEST(IsMeant, ByTheNameByWhatIsShownOfItOrByTheId) {
    EXPECT_TRUE(is_meant("vm", "vm", "10ab"));
    EXPECT_TRUE(is_meant("bad\xEF\xBF\xBD", "bad\xFF", "10ab"));
    EXPECT_TRUE(is_meant("10ab", "d/x", "10ab"));
    EXPECT_FALSE(is_meant("x", "d/x", "10ab"));
    EXPECT_FALSE(is_meant("vm", "vm-2", "10ab"));
}

TEST(Shown, LeavesUtf8Alone) {
    EXPECT_EQ(shown("ünï \xF0\x9F\x98\x80"), "ünï \xF0\x9F\x98\x80");
}

TEST(Shown, PutsTheReplacementCharacterForEachOtherByte) {
    EXPECT_EQ(shown("bad\xFF\xFEname"), "bad\xEF\xBF\xBD\xEF\xBF\xBDname");
    EXPECT_EQ(shown("cut\xE2\x82"), "cut\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace taskd::rbd
