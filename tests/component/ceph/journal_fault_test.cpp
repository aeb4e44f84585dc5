#include "component/ceph/journal_fixture.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using Failure = test::MemoryJournalStore::Failure;

constexpr std::size_t more_calls_than_the_scenario_makes = 50;

/// Ids whose record is of this kind.
std::multiset<std::string> ids_in(const std::map<std::string, std::string>& records) {
    std::multiset<std::string> ids;
    for (const auto& [key, text] : records) ids.insert(nlohmann::json::parse(text).at("id"));
    return ids;
}

struct FaultTest : ::testing::TestWithParam<std::tuple<std::size_t, Failure>> {
    /// Tasks that come, end and are taken back, some together, some alone. Ends only what was accepted, as executors
    /// do.
    static void play(JournalAndStore& tried, std::set<std::string>& ended, std::set<std::string>& given_up) {
        const auto end = [&](const std::string& id) {
            if (std::count(tried.accepted.begin(), tried.accepted.end(), id) == 0) return;
            tried.finish(id);
            ended.insert(id);
        };
        tried.insert("a");
        tried.store->hold();
        for (const auto* id : {"b", "c", "d"}) tried.insert(id);
        tried.journal->withdraw("d");
        given_up.insert("d");
        tried.store->answer_all();
        end("a");
        tried.journal->update(record_of("b"));
        tried.journal->retry();
        tried.insert("e");
        end("e");
        end("b");
        tried.insert("f");
        tried.journal->withdraw("f");
        given_up.insert("f");
    }
};

TEST_P(FaultTest, NoAcceptedTaskIsLostAndNoRefusedOneIsLeftBehind) {
    const auto [count, failure] = GetParam();
    for (std::size_t n = 0; n < more_calls_than_the_scenario_makes; ++n) {
        SCOPED_TRACE("call " + std::to_string(n) + " failed");
        JournalAndStore tried;
        std::set<std::string> ended;
        std::set<std::string> given_up;

        tried.store->fail(n, count, -ETIMEDOUT, failure);
        play(tried, ended, given_up);
        for (int tries = 0; tries < 3; ++tries) tried.journal->retry();
        const bool nothing_failed = tried.store->failures() == 0;
        tried.store->fail_no_more();  // the cluster is back
        ASSERT_TRUE(tried.settle());

        std::multiset<std::string> unfinished;
        for (const auto& id : tried.accepted)
            if (!ended.contains(id) && !given_up.contains(id)) unfinished.insert(id);
        EXPECT_EQ(ids_in(tried.store->read("t.")), unfinished);
        EXPECT_EQ(ids_in(tried.store->read("f.")), std::multiset<std::string>(ended.begin(), ended.end()));
        EXPECT_EQ(tried.accepted.size() + tried.refused.size(), 6U) << "each is answered once";
        if (nothing_failed) return;
    }
    FAIL() << "the scenario makes more calls than thought";
}

INSTANTIATE_TEST_SUITE_P(OneOrMoreCalls, FaultTest,
                         ::testing::Combine(::testing::Values(1U, 2U, 3U),
                                            ::testing::Values(Failure::nothing_arrived,
                                                              Failure::only_the_answer_was_lost)));

}  // namespace
}  // namespace taskd::ceph
