#include "ceph/task_record.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << path;
    return text.str();
}

std::filesystem::path root() {
    return std::filesystem::path(__FILE__).parent_path() / "../../..";
}

/// An example of docs/record-format.md, which has it word for word.
std::string golden(const std::string& name) {
    std::string text = read_file(root() / "tests/golden/journal" / name);
    text.pop_back();  // the end of the line
    EXPECT_THAT(read_file(root() / "docs/record-format.md"), HasSubstr("\n" + text + "\n"));
    return text;
}

template <class Decode>
std::string refused_field(Decode decode, const json& record) {
    try {
        decode(record.dump());
        return "none";
    } catch (const BadRequest& mistake) {
        return mistake.field();
    }
}

std::string refused_field(const json& record) {
    return refused_field(TaskRecord::decode, record);
}

json good_task() {
    return json::parse(golden("task.json"));
}

json good_finished() {
    return json::parse(golden("finished.json"));
}

TEST(TaskRecord, TheDocumentedOneIsReadAndWrittenAsItIs) {
    const auto record = TaskRecord::decode(golden("task.json"));

    EXPECT_EQ(record.id, "01M88ET4NVYF7G8CFG2B0WQ2E7");
    EXPECT_EQ(record.kind, TaskRecord::Kind::operation);
    EXPECT_EQ(record.bound.at("image_id"), "10ab6b8b4567");
    EXPECT_TRUE(record.heavy);
    EXPECT_EQ(record.encode(), golden("task.json"));
}

TEST(TaskRecord, ACommandComesBackAsOne) {
    TaskRecord record = TaskRecord::decode(golden("task.json"));
    record.kind = TaskRecord::Kind::command;
    record.arguments = nullptr;
    record.bound = nullptr;
    record.deadline = "2026-11-25T05:00:00.000000Z";
    record.attempts = 3;

    const auto again = TaskRecord::decode(record.encode());
    EXPECT_EQ(again.kind, TaskRecord::Kind::command);
    EXPECT_EQ(again.arguments, nullptr);
    EXPECT_EQ(again.bound, json::object());
    EXPECT_EQ(again.deadline, "2026-11-25T05:00:00.000000Z");
    EXPECT_EQ(again.attempts, 3);
}

TEST(TaskRecord, WhoAskedForItComesBackAndNeedNotBeThere) {
    TaskRecord record = TaskRecord::decode(golden("task.json"));
    EXPECT_EQ(record.owner, "");
    record.owner = "alice";

    EXPECT_EQ(TaskRecord::decode(record.encode()).owner, "alice");
    json wrong = good_task();
    wrong["owner"] = 5;
    EXPECT_EQ(refused_field(wrong), "owner");
}

TEST(TaskRecord, TextThatIsNoUtf8DoesNotKeepItFromBeingWritten) {
    TaskRecord record = TaskRecord::decode(golden("task.json"));
    record.metadata["image_spec"] = "rbd/\xff";

    EXPECT_EQ(TaskRecord::decode(record.encode()).metadata["image_spec"], "rbd/\xEF\xBF\xBD");
}

TEST(TaskRecord, EveryMissingFieldIsNamed) {
    const json good = good_task();
    for (const auto& [key, value] : good.items()) {
        json record = good;
        record.erase(key);
        EXPECT_EQ(refused_field(record), key);
    }
}

TEST(TaskRecord, EveryFieldOfAWrongTypeIsNamed) {
    const json good = good_task();
    for (const auto& [key, value] : good.items()) {
        if (key == "arguments") continue;  // any JSON
        for (const json& wrong : {json::array({1}), json(), json(1.5)}) {
            json record = good;
            record[key] = wrong;
            EXPECT_EQ(refused_field(record), key) << wrong;
        }
    }
}

TEST(TaskRecord, EveryFieldOutOfRangeIsNamed) {
    const std::pair<const char*, json> wrongs[] = {
        {"attempts", -1},           {"attempts", 4294967297},         {"attempts", true},       {"kind", "dance"},
        {"priority", "urgent"},     {"begin_time", "yesterday"},      {"deadline", "tomorrow"}, {"version", 0},
        {"version", -4294967295LL}, {"metadata", {{"deep", json()}}},
    };
    for (const auto& [key, wrong] : wrongs) {
        json record = good_task();
        record[key] = wrong;
        if (key == std::string("metadata"))
            for (int level = 0; level < 70; ++level) record[key] = {{"deep", record[key]}};
        EXPECT_EQ(refused_field(record), key) << wrong;
    }
}

TEST(TaskRecord, OfANewerVersionIsRefusedWithTheReason) {
    for (const json& version : {json(2), json(4294967297)}) {
        json record = good_task();
        record["version"] = version;
        try {
            TaskRecord::decode(record.dump());
            FAIL() << "read version " << version;
        } catch (const BadRequest& mistake) {
            EXPECT_THAT(mistake.what(), HasSubstr("newer ceph-taskd"));
        }
    }
}

TEST(TaskRecord, UnknownFieldsAreIgnored) {
    json record = good_task();
    record["colour"] = "red";

    EXPECT_EQ(refused_field(record), "none");
}

TEST(TaskRecord, WhatIsNoJsonObjectIsRefused) {
    for (const auto* text : {"", "{", "[]", "null", "\xff", "{\"version\": 1} x"})
        EXPECT_THROW(TaskRecord::decode(text), BadRequest) << text;
}

TEST(FinishedRecord, TheDocumentedOneIsReadAndWrittenAsItIs) {
    const auto finished = decode_finished(golden("finished.json"));

    EXPECT_EQ(finished.id, "01M88ET4NVYF7G8CFG2B0WQ2E7");
    EXPECT_EQ(encode_finished(finished.id, finished.view), golden("finished.json"));
}

TEST(FinishedRecord, EveryFieldThatIsMissingOrOfAWrongTypeIsNamed) {
    const json good = good_finished();
    for (const auto& [key, value] : good["task"].items()) {
        json record = good;
        record["task"].erase(key);
        EXPECT_EQ(refused_field(decode_finished, record), key) << "missing";
        if (key == "ret_value") continue;  // any JSON
        record["task"][key] = json::array({1});
        EXPECT_EQ(refused_field(decode_finished, record), key) << "a list";
    }
}

TEST(KeptTask, IsReadOnlyUnderItsOwnKey) {
    const auto text = golden("finished.json");
    const auto end_time = good_finished()["task"]["end_time"].get<std::string>();
    const auto id = good_finished()["id"].get<std::string>();
    const auto kept = [&](const std::string& key) { return KeptTask::found(key, text); };

    EXPECT_EQ(kept("f." + end_time + "." + id).view(), good_finished()["task"]);
    EXPECT_EQ(kept("f." + end_time + "." + id).key(), finished_key(id, end_time));
    EXPECT_THROW(kept("f." + end_time + ".another").view(), BadRequest);
    EXPECT_THROW(kept("f.2026-11-25T01:00:00.000000Z." + id).view(), BadRequest);
    EXPECT_EQ(kept("f." + end_time + ".an.id").id, "an.id");
    for (const auto* key : {"", "f", "f.", "f.x", "t.", "t.a.b", "f.a.b", "Z."})
        EXPECT_THROW(kept(key), BadRequest) << key;
}

TEST(FinishedRecord, ALongResultIsLeftOut) {
    auto view = good_finished()["task"];
    view["ret_value"] = std::string(most_result_bytes, 'x');

    const auto text = encode_finished("ID", view);
    EXPECT_LT(text.size(), most_result_bytes);
    EXPECT_EQ(decode_finished(text).view["ret_value"]["truncated"], true);
}

TEST(FinishedRecord, ALongFailureKeepsItsWords) {
    auto view = good_finished()["task"];
    view["success"] = false;
    view["exception"] = {{"detail", "no " + std::string(2 * most_result_bytes, 'x')},
                         {"code", "39"},
                         {"blockers", json::array({std::string(most_result_bytes, 'y')})}};

    const auto exception = decode_finished(encode_finished("ID", view)).view["exception"];
    EXPECT_THAT(exception["detail"].get<std::string>(), ::testing::StartsWith("no xxx"));
    EXPECT_LT(exception.dump().size(), most_result_bytes + 200);
    EXPECT_EQ(exception["code"], "39");
    EXPECT_FALSE(exception.contains("blockers"));
}

TEST(FinishedRecord, ACutFailureIsStillUtf8) {
    auto view = good_finished()["task"];
    std::string umlauts = "x";
    while (umlauts.size() < 2 * most_result_bytes) umlauts += "ü";
    view["exception"] = {{"detail", umlauts}};

    EXPECT_NO_THROW(decode_finished(encode_finished("ID", view)));
}

}  // namespace
}  // namespace taskd::ceph
