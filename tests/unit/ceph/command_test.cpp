#include "ceph/command.hpp"

#include <cerrno>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using Kind = CommandTarget::Kind;

TEST(CommandTarget, ParsesWhatItPrints) {
    for (const char* text : {"mon", "mon.a", "mgr", "osd.0", "osd.12", "pg 1.2a"})
        EXPECT_EQ(CommandTarget::parse(text).text(), text);
}

TEST(CommandTarget, KnowsKindAndId) {
    EXPECT_EQ(CommandTarget::parse("mon.host-1.x"), (CommandTarget{Kind::mon, "host-1.x"}));
    EXPECT_EQ(CommandTarget::parse("osd.3").osd(), 3);
    EXPECT_EQ(CommandTarget::parse("pg.1.2a"), (CommandTarget{Kind::pg, "1.2a"}));
}

TEST(CommandTarget, RefusesEverythingElse) {
    for (const char* text : {"", "mon.", "osd", "osd.", "osd.x", "osd.-1", "osd.99999999999", "pg", "pg 1", "pg 1.",
                             "pg .1", "pg 1.g", "mds.a", "mgr.x", "mon.a b", "MON"})
        EXPECT_THROW(CommandTarget::parse(text), BadRequest) << text;
}

TEST(CommandView, HasTheKeysOfAnAnswer) {
    EXPECT_EQ(to_view({0, "done\n", "{\"a\": 1}\n"}, {{"prefix", "x"}}),
              json({{"return_code", 0}, {"status", "done"}, {"output", {{"a", 1}}}, {"output_format", "json"}}));
    EXPECT_EQ(to_view({0, "", "plain\n"}, {{"prefix", "x"}}),
              json({{"return_code", 0}, {"status", ""}, {"output", "plain\n"}, {"output_format", "text"}}));
}

TEST(CommandView, CutsALongOutputAndSaysSo) {
    const auto view = to_view({0, "", "[" + std::string(1000, ' ') + "]"}, {{"prefix", "x"}}, 100);

    EXPECT_EQ(view["output"].get<std::string>().size(), 100U);
    EXPECT_EQ(view["output_format"], "text");
    EXPECT_EQ(view["truncated"], true);
    EXPECT_EQ(view["output_size"], 1002);
}

TEST(CommandView, IsValidUtf8WhateverTheDaemonSent) {
    const auto view = to_view({0, "\xc3", std::string("\x00\xff\xfe{", 4)}, {{"prefix", "x"}});

    EXPECT_NO_THROW(view.dump());
    EXPECT_EQ(view["output_format"], "text");
}

TEST(CommandView, TakesAScalarForJsonWhereJsonWasAskedFor) {
    EXPECT_EQ(to_view({0, "", "\"v\""}, {{"prefix", "config get"}, {"format", "json"}})["output"], "v");
}

TEST(CommandError, KeepsWhatTheDaemonSaid) {
    const Error error =
        command_error(-EINVAL, "command not known\n", {Kind::mon, ""}, {{"prefix", "osd foo"}}, nullptr);

    EXPECT_STREQ(error.what(), "[errno 22] command not known (mon command 'osd foo')");
    EXPECT_EQ(error.errno_value(), EINVAL);
    EXPECT_EQ(error.component(), "mon");
    EXPECT_EQ(error.kind(), ErrorKind::refused);
}

TEST(CommandError, SpeaksForADaemonThatSaidNothing) {
    EXPECT_STREQ(command_error(-ETIMEDOUT, "", {Kind::osd, "0"}, {{"prefix", "version"}}, nullptr).what(),
                 "[errno 110] RADOS timed out (osd.0 command 'version')");
}

}  // namespace
}  // namespace taskd::ceph
