#include "ceph/command_table.hpp"

#include "unit/ceph/recorded_descriptions.hpp"

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const CommandTable& mon_table() {
    static const CommandTable table = CommandTable::parse(test::mon_descriptions);
    return table;
}

json checked(const json& command) {
    return mon_table().check(command);
}

/// The text of the refusal, or "accepted".
std::string refusal(const CommandTable& table, const json& command) {
    try {
        table.check(command);
    } catch (const BadRequest& bad) {
        return bad.what();
    }
    return "accepted";
}

std::string refusal(const json& command) {
    return refusal(mon_table(), command);
}

TEST(CommandTable, PassesACommandWithoutArguments) {
    EXPECT_EQ(checked({{"prefix", "pg stat"}}), json({{"prefix", "pg stat"}}));
}

TEST(CommandTable, PassesAFormatToEveryCommand) {
    const json command{{"prefix", "osd dump"}, {"format", "json"}};

    EXPECT_EQ(checked(command), command);
}

TEST(CommandTable, LeavesOutTheTarget) {
    EXPECT_EQ(checked({{"prefix", "pg stat"}, {"target", {"mon-mgr", ""}}}), json({{"prefix", "pg stat"}}));
}

// Each of these aborts a monitor of 16.2.15, or is next to one that does.
class PoisonCommand : public ::testing::TestWithParam<const char*> {};

TEST_P(PoisonCommand, IsRefused) {
    const auto command = json::parse(GetParam());

    EXPECT_THROW(check_shape(command), BadRequest);
    EXPECT_THROW(mon_table().check(command), BadRequest);
}

INSTANTIATE_TEST_SUITE_P(Fields, PoisonCommand,
                         ::testing::Values(R"({"prefix": 5})", R"({"prefix": true})", R"({"prefix": ["status"]})",
                                           R"({"prefix": "status", "format": 5})", R"({"prefix": ""})",
                                           R"({"prefix": null})", R"({"prefix": {"a": 1}})", R"({})", "null", "5",
                                           R"(["status"])", R"("status")", R"({"prefix": "status", "format": null})",
                                           R"({"prefix": "osd dump", "epoch": {"a": 1}})",
                                           R"({"prefix": "osd dump", "epoch": [[1]]})",
                                           R"({"prefix": "osd dump", "epoch": null})"));

TEST(CommandTable, RefusesAnUnknownCommand) {
    EXPECT_EQ(refusal({{"prefix", "osd foo"}}), "prefix: command 'osd foo' not known");
}

TEST(CommandTable, NamesAMissingArgument) {
    EXPECT_EQ(refusal({{"prefix", "osd pool create"}}), "pool: required by 'osd pool create' and missing");
}

TEST(CommandTable, NamesAnUnknownArgument) {
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epcoh", 1}}), "epcoh: not an argument of 'osd dump'");
}

TEST(CommandTable, KnowsThatAMisspelledFalseIsNotRequired) {
    EXPECT_EQ(refusal({{"prefix", "osd pool application get"}}), "accepted");
}

TEST(CommandTable, TakesOnlyIntegersForACephInt) {
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epoch", 1}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epoch", "1"}}), "epoch: expected an integer");
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epoch", 1.0}}), "epoch: expected an integer");
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epoch", true}}), "epoch: expected an integer");
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epoch", 18446744073709551615U}}), "epoch: expected an integer");
    EXPECT_EQ(refusal({{"prefix", "osd dump"}, {"epoch", -1}}), "epoch: must be at least 0");
}

TEST(CommandTable, TakesOnlyANumberForAnOsdsName) {
    EXPECT_EQ(refusal({{"prefix", "osd reweight"}, {"id", 0}, {"weight", 1.0}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "osd reweight"}, {"id", "osd.0"}, {"weight", 1.0}}), "id: expected an integer");
}

TEST(CommandTable, MakesAnIntegerAFloatWhereTheDaemonWantsOne) {
    const json command{
        {"prefix", "osd blocklist"}, {"blocklistop", "add"}, {"addr", "127.0.0.1:0/1"}, {"expire", 3600}};

    EXPECT_EQ(checked(command).dump(),
              R"({"addr":"127.0.0.1:0/1","blocklistop":"add","expire":3600.0,"prefix":"osd blocklist"})");
}

TEST(CommandTable, RefusesANumberWrittenAsAString) {
    EXPECT_EQ(refusal({{"prefix", "osd blocklist"}, {"blocklistop", "add"}, {"addr", "x"}, {"expire", "3600"}}),
              "expire: expected a number");
}

TEST(CommandTable, KeepsAFloatInItsRange) {
    EXPECT_EQ(refusal({{"prefix", "osd reweight"}, {"id", 0}, {"weight", 1.5}}), "weight: must be at most 1");
    EXPECT_EQ(refusal({{"prefix", "osd reweight"}, {"id", 0}, {"weight", std::numeric_limits<double>::quiet_NaN()}}),
              "weight: expected a finite number");
}

TEST(CommandTable, TakesOnlyTheChoicesThereAre) {
    EXPECT_EQ(refusal({{"prefix", "osd pool create"}, {"pool", "p"}, {"pool_type", "replicated"}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "osd pool create"}, {"pool", "p"}, {"pool_type", "mirrored"}}),
              "pool_type: must be one of replicated, erasure");
}

TEST(CommandTable, TakesOnlyABooleanForACephBool) {
    const auto with = [](const json& value) {
        return refusal(
            {{"prefix", "osd pool delete"}, {"pool", "p"}, {"pool2", "p"}, {"yes_i_really_really_mean_it", value}});
    };

    EXPECT_EQ(with(true), "accepted");
    EXPECT_EQ(with("true"), "yes_i_really_really_mean_it: expected true or false");
    EXPECT_EQ(with(1), "yes_i_really_really_mean_it: expected true or false");
}

TEST(CommandTable, TakesAnArrayForARepeatedArgument) {
    EXPECT_EQ(refusal({{"prefix", "osd tree"}, {"states", {"up", "in"}}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "osd tree"}, {"states", "up"}}), "states: expected an array");
    EXPECT_EQ(refusal({{"prefix", "osd tree"}, {"states", json::array()}}), "states: expected a non-empty array");
    EXPECT_EQ(refusal({{"prefix", "osd tree"}, {"states", {"up", 5}}}), "states: expected a string");
    EXPECT_THAT(refusal({{"prefix", "osd tree"}, {"states", {"sideways"}}}), HasSubstr("must be one of up, down"));
}

TEST(CommandTable, MakesEachElementOfAnArrayAFloat) {
    const json command{
        {"prefix", "osd crush weight-set reweight"}, {"pool", "p"}, {"item", "osd.0"}, {"weight", {1, 2.5}}};

    EXPECT_EQ(checked(command)["weight"].dump(), "[1.0,2.5]");
}

TEST(CommandTable, TakesOnlyAUuidForACephUuid) {
    EXPECT_EQ(refusal({{"prefix", "osd new"}, {"uuid", "f52993eb-7867-41fe-93fb-341ea4863f57"}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "osd new"}, {"uuid", "f52993eb"}}), "uuid: expected a UUID");
}

TEST(CommandTable, TakesOnlyAPgIdForACephPgid) {
    EXPECT_EQ(refusal({{"prefix", "pg scrub"}, {"pgid", "1.2a"}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "pg scrub"}, {"pgid", "1.x"}}), "pgid: expected a PG id such as 1.2a");
}

TEST(CommandTable, TakesOnlyGoodCharacters) {
    EXPECT_EQ(refusal({{"prefix", "osd erasure-code-profile set"}, {"name", "a-b_c.9"}}), "accepted");
    EXPECT_EQ(refusal({{"prefix", "osd erasure-code-profile set"}, {"name", "a b"}}),
              "name: has a character outside of [A-Za-z0-9-_.]");
}

TEST(CommandTable, TakesEitherFormOfACommandThatHasTwo) {
    const CommandTable osd = CommandTable::parse(test::osd_descriptions);

    EXPECT_EQ(refusal(osd, {{"prefix", "pg"}, {"pgid", "1.0"}, {"cmd", "query"}}), "accepted");
    EXPECT_EQ(refusal(osd, {{"prefix", "pg"}, {"pgid", "1.0"}, {"cmd", "mark_unfound_lost"}, {"mulcmd", "revert"}}),
              "accepted");
    EXPECT_NE(refusal(osd, {{"prefix", "pg"}, {"pgid", "1.0"}, {"cmd", "dance"}}), "accepted");
}

TEST(CommandTable, TellsWhatPermissionACommandNeeds) {
    EXPECT_EQ(mon_table().permission("status"), "r");
    EXPECT_EQ(mon_table().permission("osd pool create"), "rw");
    EXPECT_EQ(mon_table().permission("osd foo"), "");
}

TEST(CommandTable, RefusesDescriptionsOfAnotherForm) {
    EXPECT_THROW(CommandTable::parse("[]"), Error);
    EXPECT_THROW(CommandTable::parse("{}"), Error);
    EXPECT_THROW(CommandTable::parse("not JSON"), Error);
    EXPECT_THROW(CommandTable::parse(R"({"cmd000": {"help": "no signature"}})"), Error);
}

TEST(CommandShape, LimitsTheLength) {
    const json command{{"prefix", "config-key set"}, {"key", "k"}, {"val", std::string(100'000, 'x')}};

    EXPECT_THROW(check_shape(command), BadRequest);
    EXPECT_NO_THROW(check_shape(command, 200'000));
}

TEST(CommandShape, RefusesInvalidUtf8) {
    EXPECT_THROW(check_shape({{"prefix", "config-key set"}, {"val", "\xff"}}), BadRequest);
}

}  // namespace
}  // namespace taskd::ceph
