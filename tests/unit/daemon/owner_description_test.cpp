#include "daemon/ownership.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace taskd::daemon {
namespace {

TEST(OwnerDescription, ComesBackAsItWas) {
    auto owner = OwnerDescription::own("http://127.0.0.1:8280");
    owner.addresses = {"10.0.0.1:0/1", "10.0.0.1:0/2"};

    const auto read = OwnerDescription::decode(owner.encode());

    EXPECT_EQ(read.url, "http://127.0.0.1:8280");
    EXPECT_EQ(read.host, owner.host);
    EXPECT_EQ(read.pid_space, owner.pid_space);
    EXPECT_EQ(read.pid, ::getpid());
    EXPECT_EQ(read.started, owner.started);
    EXPECT_EQ(read.addresses, owner.addresses);
}

TEST(OwnerDescription, TheDocumentedOneIsReadAndWrittenAsItIs) {
    const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
    std::ifstream file(root / "tests/golden/journal/owner_description.json");
    std::string text;
    ASSERT_TRUE(std::getline(file, text));

    const auto owner = OwnerDescription::decode(text);
    EXPECT_EQ(owner.host, "node-1");
    EXPECT_EQ(owner.addresses.size(), 3U);
    EXPECT_EQ(owner.encode(), text);
}

TEST(OwnerDescription, AnythingElseIsNobodyWhoCouldBeFenced) {
    for (const auto* text : {"", "nonsense", "null", "[]", "{}", R"({"url": 5})",
                             R"({"url":"x","host":"h","pid":"1","started":1,"addresses":[]})"}) {
        const auto owner = OwnerDescription::decode(text);
        EXPECT_TRUE(owner.addresses.empty()) << text;
        EXPECT_EQ(owner.pid, 0) << text;
        EXPECT_FALSE(owner.is_dead_here()) << text;
    }
}

TEST(OwnerDescription, ThisProcessIsAlive) {
    EXPECT_FALSE(OwnerDescription::own("").is_dead_here());
}

TEST(OwnerDescription, AProcessThatIsGoneOrIsAnotherOneNowIsDead) {
    auto other = OwnerDescription::own("");
    other.started += 1;  // the same number was given again
    EXPECT_TRUE(other.is_dead_here());

    auto gone = OwnerDescription::own("");
    gone.pid = 1L << 30;  // beyond what the kernel gives out
    EXPECT_TRUE(gone.is_dead_here());
}

TEST(OwnerDescription, NothingIsKnownOfProcessesOfOtherHostsAndContainers) {
    auto other = OwnerDescription::own("");
    other.pid_space = "another boot of a host of the same name";
    other.started += 1;
    EXPECT_FALSE(other.is_dead_here());

    other.pid_space = "";  // of a ceph-taskd that did not say it
    EXPECT_FALSE(other.is_dead_here());
}

}  // namespace
}  // namespace taskd::daemon
