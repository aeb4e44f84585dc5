#include "parsing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(CommandLine, TheEndpointIsOptionThenEnvironmentThenDefault) {
    EXPECT_EQ(parse({"ls"}).endpoint, "unix:/run/ceph-taskd/ceph-taskd.sock");
    EXPECT_EQ(parse({"ls"}, {{"CEPH_TASKD_URL", "http://h:1"}}).endpoint, "http://h:1");
    EXPECT_EQ(parse({"--url", "http://o:2", "ls"}, {{"CEPH_TASKD_URL", "http://h:1"}}).endpoint, "http://o:2");
    EXPECT_EQ(parse({"--socket", "/s", "ls"}, {{"CEPH_TASKD_URL", "http://h:1"}}).endpoint, "unix:/s");
    EXPECT_EQ(parse({"ls"}).ca_file, "");
    EXPECT_EQ(parse({"ls"}, {{"CEPH_TASKD_CA", "/ca"}}).ca_file, "/ca");
    EXPECT_EQ(parse({"ls", "--ca", "/x"}, {{"CEPH_TASKD_CA", "/ca"}}).ca_file, "/x");
    EXPECT_NE(refusal({"--socket", "/s", "--url", "http://h:1", "ls"}), "");
}

TEST(CommandLine, GlobalOptionsMayFollowTheCommand) {
    const CommandLine line =
        parse({"rbd", "rm", "a", "--format", "json", "--no-color", "--no-progress", "--socket", "/s"});
    EXPECT_EQ(line.format, Format::json);
    EXPECT_FALSE(line.color);
    EXPECT_FALSE(line.progress);
    EXPECT_EQ(line.endpoint, "unix:/s");
}

TEST(CommandLine, NoColorInTheEnvironmentCounts) {
    EXPECT_TRUE(parse({"ls"}).color);
    EXPECT_FALSE(parse({"ls"}, {{"NO_COLOR", "1"}}).color);
    EXPECT_TRUE(parse({"ls"}, {{"NO_COLOR", ""}}).color);
}

TEST(CommandLine, RbdCreateKnowsRbdsWords) {
    const auto submit = parsed<Submit>({"rbd", "create", "-p", "p", "--namespace", "n", "--image", "i", "-s", "10G",
                                        "--image-feature", "layering,exclusive-lock", "--image-feature", "object-map",
                                        "--config", "rbd_cache=false", "--config", "a=1,2"});
    ASSERT_EQ(submit.tasks.size(), 1U);
    EXPECT_EQ(submit.tasks.front().body, (json{{"name", "i"},
                                               {"pool_name", "p"},
                                               {"namespace", "n"},
                                               {"size", 10ULL << 30},
                                               {"features", {"layering", "exclusive-lock", "object-map"}},
                                               {"configuration", {{"rbd_cache", "false"}, {"a", "1,2"}}}}));
    EXPECT_TRUE(submit.wait);
    EXPECT_FALSE(submit.timeout);
}

TEST(CommandLine, TheSpecMayFollowARepeatableOption) {
    const auto submit = parsed<Submit>({"rbd", "create", "--size", "1", "--image-feature", "layering", "rbd/vm"});
    EXPECT_EQ(submit.tasks.front().body["name"], "vm");
    EXPECT_EQ(submit.tasks.front().body["features"], json({"layering"}));
}

TEST(CommandLine, RbdCreateNeedsASize) {
    EXPECT_THAT(refusal({"rbd", "create", "a"}), HasSubstr("--size"));
}

TEST(CommandLine, RbdRmTakesSeveralImagesOnce) {
    const auto submit = parsed<Submit>({"rbd", "rm", "a", "p/b", "rbd/a", "--no-wait"});
    ASSERT_EQ(submit.tasks.size(), 2U);
    EXPECT_EQ(submit.tasks[0].label, "rbd rm rbd/a");
    EXPECT_EQ(submit.tasks[1].label, "rbd rm p/b");
    EXPECT_FALSE(submit.wait);
}

TEST(CommandLine, RbdRmTakesAnImageWithoutSpec) {
    EXPECT_EQ(parsed<Submit>({"rbd", "remove", "--image", "a", "-p", "p"}).tasks.front().label, "rbd rm p/a");
    EXPECT_NE(refusal({"rbd", "rm"}), "");
}

TEST(CommandLine, RbdRmOfAnIdIsOfOneImage) {
    EXPECT_THAT(parsed<Submit>({"rbd", "rm", "a", "--image-id", "10ab"}).tasks.front().target,
                ::testing::EndsWith("image_id=10ab"));
    EXPECT_NE(refusal({"rbd", "rm", "a", "b", "--image-id", "10ab"}), "");
}

TEST(CommandLine, TimeoutIsInSeconds) {
    EXPECT_EQ(parsed<Submit>({"rbd", "rm", "a", "--timeout", "5"}).timeout, 5s);
    EXPECT_EQ(parsed<Watch>({"watch", "--timeout", "0"}).timeout, 0s);
    EXPECT_NE(refusal({"rbd", "rm", "a", "--timeout", "-1"}), "");
    EXPECT_NE(refusal({"rbd", "rm", "a", "--timeout", "x"}), "");
}

TEST(CommandLine, WordsAfterTheDashesAreTheClusters) {
    const auto submit =
        parsed<Submit>({"command", "--osd", "3", "--", "osd", "pool", "ls", "rm", "--yes-i-mean-it", "-h"});
    EXPECT_EQ(submit.tasks.front().body,
              (json{{"target", "osd.3"}, {"words", {"osd", "pool", "ls", "rm", "--yes-i-mean-it", "-h"}}}));
    EXPECT_TRUE(submit.prints_output);
}

TEST(CommandLine, WordsThatAreCommandsOfOursStayWords) {
    EXPECT_EQ(parsed<Submit>({"command", "osd", "pool", "ls"}).tasks.front().body["words"],
              json({"osd", "pool", "ls"}));
    EXPECT_EQ(parsed<Submit>({"command", "--", "version"}).tasks.front().body["words"], json({"version"}));
}

TEST(CommandLine, CommandTargetsExcludeEachOther) {
    const auto target = [](const std::vector<std::string>& options) {
        std::vector<std::string> arguments{"command", "bench"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return parsed<Submit>(arguments).tasks.front().body["target"].get<std::string>();
    };
    EXPECT_EQ(target({"--osd", "osd.3"}), "osd.3");
    EXPECT_EQ(target({"--mgr"}), "mgr");
    EXPECT_EQ(target({"--pg", "1.0"}), "pg 1.0");
    EXPECT_EQ(target({"--mon", "a"}), "mon.a");
    EXPECT_NE(refusal({"command", "bench", "--mgr", "--osd", "1"}), "");
}

TEST(CommandLine, LsFilters) {
    EXPECT_EQ(parsed<List>({"ls", "rbd/*"}).name_glob, "rbd/*");
    EXPECT_FALSE(parsed<List>({"ls", "--executing"}).finished);
    EXPECT_FALSE(parsed<List>({"ls", "--finished"}).executing);
    EXPECT_NE(refusal({"ls", "--finished", "--executing"}), "");
}

TEST(CommandLine, OtherCommandsTakeWhatTheyNeed) {
    EXPECT_EQ(parsed<Show>({"show", "x"}).id_or_glob, "x");
    EXPECT_EQ(parsed<Watch>({"watch"}).id_or_glob, "");
    EXPECT_TRUE(parsed<Cancel>({"cancel", "x", "--force"}).force);
    EXPECT_NE(refusal({"cancel"}), "");
    EXPECT_NE(refusal({"show"}), "");
    EXPECT_NE(refusal({}), "");
    EXPECT_NE(refusal({"frobnicate"}), "");
}

TEST(CommandLine, EveryHelpHasAnExample) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{},
                                                                                         {"rbd", "create"},
                                                                                         {"rbd", "rm"},
                                                                                         {"command"},
                                                                                         {"ls"},
                                                                                         {"show"},
                                                                                         {"watch"},
                                                                                         {"cancel"},
                                                                                         {"summary"},
                                                                                         {"version"}}) {
        std::vector<std::string> arguments = command;
        arguments.emplace_back("--help");
        EXPECT_THAT(parsed<Print>(arguments).text, HasSubstr("  ceph-task ")) << testing::PrintToString(command);
    }
}

TEST(CommandLine, BytesThatAreNotUtf8AreRefused) {
    EXPECT_THAT(refusal({"rbd", "rm", "a\xff"}), HasSubstr("'a?'"));
}

TEST(CommandLine, TheRefusalNamesTheOption) {
    EXPECT_THAT(refusal({"rbd", "create", "a", "--size", "1.5G"}), HasSubstr("--size"));
    EXPECT_THAT(refusal({"rbd", "create", "a", "--size", "1G", "--image-feature", "x"}), HasSubstr("--image-feature"));
}

}  // namespace
}  // namespace taskd::cli
