#include "ceph/task_history.hpp"

#include <thread>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Four tasks, which ended in the order of their ids.
struct TaskHistoryTest : ::testing::Test {
    TaskHistoryTest() {
        add("1", "rbd/create", "vm-1", "2026-11-25T01:00:00.000000Z", true);
        add("2", "rbd/delete", "vm-1", "2026-11-25T02:00:00.000000Z", false, "[errno 39] RBD image has snapshots");
        add("3", "rbd/delete", "vm-2", "2026-11-25T03:00:00.000000Z", true);
        add("4", "command", "osd tree", "2026-11-25T04:00:00.000000Z", true);
    }

    void add(const std::string& id, const std::string& name, const std::string& about, const std::string& end_time,
             bool success, const std::string& detail = {}) {
        history.add(id, {{"name", name},
                         {"metadata", {{"image_spec", "rbd/" + about}}},
                         {"begin_time", "2026-11-25T00:00:00.000000Z"},
                         {"end_time", end_time},
                         {"duration", 1},
                         {"progress", 100},
                         {"success", success},
                         {"ret_value", nullptr},
                         {"exception", success ? json() : json{{"detail", detail}}}});
    }

    std::vector<std::string> search(const HistoryQuery& query) {
        std::vector<std::string> ids;
        const json found = history.search(query);
        for (const auto& task : found["tasks"]) ids.push_back(task["id"]);
        total = found["total"];
        return ids;
    }

    TaskHistory history{4};
    std::size_t total = 0;
};

TEST_F(TaskHistoryTest, ListsTheNewestFirst) {
    EXPECT_THAT(search({}), ElementsAre("4", "3", "2", "1"));
    EXPECT_EQ(total, 4U);
}

TEST_F(TaskHistoryTest, FindsByAGlobOfTheWholeName) {
    HistoryQuery query;
    query.name_glob = "rbd/*";
    EXPECT_THAT(search(query), ElementsAre("3", "2", "1"));
    query.name_glob = "*e";
    EXPECT_THAT(search(query), ElementsAre("3", "2", "1"));
    query.name_glob = "rbd";
    EXPECT_THAT(search(query), IsEmpty());
}

TEST_F(TaskHistoryTest, FindsByState) {
    HistoryQuery query;
    query.success = false;
    EXPECT_THAT(search(query), ElementsAre("2"));
    query.success = true;
    EXPECT_THAT(search(query), ElementsAre("4", "3", "1"));
}

TEST_F(TaskHistoryTest, FindsWordsOfMetadataAndFailure) {
    HistoryQuery query;
    query.text = "vm-1";
    EXPECT_THAT(search(query), ElementsAre("2", "1"));
    query.text = "has snapshots";
    EXPECT_THAT(search(query), ElementsAre("2"));
}

TEST_F(TaskHistoryTest, FindsAnImageAsPeopleWriteItWhereMetadataHasItsParts) {
    const auto add_metadata = [&](const std::string& id, const json& metadata) {
        history.add(id, {{"name", "rbd/create"}, {"end_time", ""}, {"success", true}, {"metadata", metadata}});
    };
    add_metadata("5", {{"pool_name", "rbd"}, {"namespace", nullptr}, {"image_name", "vm-5"}});
    add_metadata("6", {{"src_image_spec", "rbd/vm-5"},
                       {"dest_pool_name", "pool"},
                       {"dest_namespace", "space"},
                       {"dest_image_name", "vm-6"}});

    HistoryQuery query;
    query.text = "rbd/vm-5";
    EXPECT_THAT(search(query), ElementsAre("6", "5"));
    query.text = "pool/space/vm-";
    EXPECT_THAT(search(query), ElementsAre("6"));
}

TEST_F(TaskHistoryTest, FindsFromATimeOnAndBeforeAnother) {
    HistoryQuery query;
    query.since = "2026-11-25T02:00:00.000000Z";
    EXPECT_THAT(search(query), ElementsAre("4", "3", "2"));
    query.until = "2026-11-25T04:00:00.000000Z";
    EXPECT_THAT(search(query), ElementsAre("3", "2"));
}

TEST_F(TaskHistoryTest, GivesAPageAndCountsAll) {
    HistoryQuery query;
    query.limit = 2;
    query.offset = 1;
    EXPECT_THAT(search(query), ElementsAre("3", "2"));
    EXPECT_EQ(total, 4U);
    query.offset = 9;
    EXPECT_THAT(search(query), IsEmpty());
    query.limit = 0;
    EXPECT_THAT(search(query), IsEmpty());
}

TEST_F(TaskHistoryTest, ForgetsTheOldestBeyondItsBound) {
    add("5", "rbd/create", "vm-5", "2026-11-25T05:00:00.000000Z", true);

    EXPECT_EQ(history.size(), 4U);
    EXPECT_THAT(search({}), ElementsAre("5", "4", "3", "2"));
}

class UnreadTaskHistoryTest : public TaskHistoryTest {
  protected:
    UnreadTaskHistoryTest() {
        for (const std::string id : {"1", "2", "3"}) {
            auto view = *history.find(id);
            view.erase("id");
            view.erase("state");
            const auto end_time = view["end_time"].get<std::string>();
            unread.add_unread({id, end_time, encode_finished(id, view)});
        }
        unread.add_unread({"bad", "2026-11-25T03:30:00.000000Z", "{}"});
        unread.add("4", *history.find("4"));
    }

    TaskHistory unread{10};
};

TEST_F(UnreadTaskHistoryTest, IsSearchedAsIfItHadBeenRead) {
    auto wanted = history.search({});
    EXPECT_EQ(unread.search({}), wanted);
    EXPECT_EQ(unread.search({}), wanted) << "once more";
}

TEST_F(UnreadTaskHistoryTest, FindsOneByItsId) {
    EXPECT_EQ(unread.find("2"), history.find("2"));
    EXPECT_FALSE(unread.find("bad"));
}

TEST_F(UnreadTaskHistoryTest, LetsGoOfWhatCannotBeRead) {
    EXPECT_EQ(unread.size(), 5U);
    const auto unreadable = unread.read_all({});

    ASSERT_EQ(unreadable.size(), 1U);
    EXPECT_EQ(unreadable[0].key, "f.2026-11-25T03:30:00.000000Z.bad");
    EXPECT_THAT(unreadable[0].why, ::testing::HasSubstr("version"));
    EXPECT_EQ(unread.size(), 4U);
    EXPECT_EQ(unread.search({}), history.search({}));
    EXPECT_THAT(unread.read_all({}), IsEmpty());
}

TEST_F(UnreadTaskHistoryTest, TellsOfWhatCannotBeReadHoweverManyThereAre) {
    TaskHistory small(2);
    small.add_unread({"odd", "2026-11-25T00:30:00.000000Z", "[]"});
    for (const std::string id : {"1", "2", "3"}) {
        const auto view = *history.find(id);
        small.add_unread({id, view["end_time"], encode_finished(id, view)});
    }
    small.add("4", *history.find("4"));

    EXPECT_EQ(small.read_all({}).size(), 1U);
    EXPECT_EQ(small.size(), 2U);
    EXPECT_TRUE(small.find("3"));
    EXPECT_TRUE(small.find("4"));
    small.add("5", *history.find("4"));
    EXPECT_EQ(small.size(), 2U);
}

TEST_F(UnreadTaskHistoryTest, IsReadFromSeveralThreadsAtOnce) {
    for (int n = 5; n < 500; ++n) {
        const auto view = *history.find("1");
        unread.add_unread({std::to_string(n), view["end_time"], encode_finished(std::to_string(n), view)});
    }
    std::vector<std::thread> threads;
    threads.emplace_back([&] { EXPECT_EQ(unread.read_all({}).size(), 1U); });
    threads.emplace_back([&] { unread.search({}); });
    threads.emplace_back([&] {
        for (int n = 5; n < 500; ++n) unread.find(std::to_string(n));
    });
    threads.emplace_back([&] {
        for (int n = 500; n < 600; ++n) unread.add(std::to_string(n), *history.find("4"));
    });
    for (auto& thread : threads) thread.join();

    EXPECT_EQ(unread.size(), 10U);
    EXPECT_EQ(unread.search({})["total"], 10);
}

TEST_F(UnreadTaskHistoryTest, StopsReadingWhenItIsTold) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THAT(unread.read_all(stop.get_token()), IsEmpty());
    EXPECT_EQ(unread.size(), 5U);
}

TEST_F(TaskHistoryTest, FindsOneByItsId) {
    EXPECT_EQ(history.find("2")->at("exception").at("detail"), "[errno 39] RBD image has snapshots");
    EXPECT_EQ(history.find("2")->at("state"), "finished");
    EXPECT_FALSE(history.find("9"));
}

}  // namespace
}  // namespace taskd::ceph
