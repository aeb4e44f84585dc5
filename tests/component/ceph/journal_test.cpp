#include "ceph/journal.hpp"

#include "component/ceph/journal_fixture.hpp"

#include <future>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct JournalTest : ::testing::Test, JournalAndStore {};

TEST_F(JournalTest, SendsTogetherWhatGathersWhileABatchIsUnderWay) {
    store->hold();
    insert("first");
    for (const auto* id : {"a", "b", "c", "d"}) insert(id);
    ASSERT_THAT(store->batches(), SizeIs(1));
    store->answer_all();

    EXPECT_THAT(store->batches(), SizeIs(2));
    EXPECT_THAT(store->batches().at(1).must_be_absent, ElementsAre("t.a", "t.b", "t.c", "t.d"));
    EXPECT_THAT(accepted, ElementsAre("first", "a", "b", "c", "d"));
}

TEST_F(JournalTest, SendsNoMoreAtOnceThanItMay) {
    JournalAndStore small({.most_changes_in_batch = 2});
    small.store->hold();
    for (const auto* id : {"first", "a", "b", "c"}) small.insert(id);
    small.store->answer_all();

    EXPECT_THAT(small.store->batches(), SizeIs(3));
    EXPECT_THAT(small.tasks(), SizeIs(4));
}

TEST_F(JournalTest, MakesALoneTaskWaitForNoCompany) {
    JournalAndStore spaced({}, 1h);
    spaced.insert("a");
    EXPECT_THAT(spaced.accepted, ElementsAre("a"));

    spaced.clock.advance(1h);
    spaced.insert("b");
    EXPECT_THAT(spaced.accepted, ElementsAre("a", "b"));
}

TEST_F(JournalTest, SpacesOutTheBatchesOfMany) {
    JournalAndStore spaced({}, 1h);
    for (const auto* id : {"a", "b", "c"}) spaced.insert(id);
    ASSERT_THAT(spaced.store->batches(), SizeIs(1));

    ASSERT_TRUE(spaced.settle());
    ASSERT_THAT(spaced.store->batches(), SizeIs(2));
    EXPECT_THAT(spaced.store->batches().at(1).must_be_absent, ElementsAre("t.b", "t.c"));
}

TEST_F(JournalTest, SendsByItselfWhatItSpacedOut) {
    JournalAndStore spaced({}, 1ms);
    std::promise<void> durable;
    spaced.insert("a");
    spaced.journal->insert(record_of("b"), [&](const std::exception_ptr&) { durable.set_value(); });
    EXPECT_EQ(durable.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_THAT(spaced.store->batches(), SizeIs(2));
}

TEST_F(JournalTest, AcceptsOnlyWhatIsDurable) {
    store->hold();
    insert("a");
    EXPECT_THAT(accepted, IsEmpty());
    EXPECT_EQ(journal->pending(), 1U);

    store->answer_next();
    EXPECT_THAT(accepted, ElementsAre("a"));
    EXPECT_THAT(tasks(), ElementsAre("t.a"));
    EXPECT_EQ(journal->pending(), 0U);
}

TEST_F(JournalTest, TellsHowLongTheClusterOwesAnAnswer) {
    store->hold();
    insert("a");
    clock.advance(7s);
    EXPECT_EQ(journal->longest_pending(), 7s);

    store->answer_next();
    EXPECT_EQ(journal->longest_pending(), 0s);
}

TEST_F(JournalTest, RefusesAnInsertThatFailedAndTakesItBack) {
    store->fail(0, 1, -ETIMEDOUT, test::MemoryJournalStore::Failure::only_the_answer_was_lost);
    insert("a");
    EXPECT_THAT(refused, ElementsAre("a"));
    EXPECT_THAT(refusal, HasSubstr("not accepted"));
    ASSERT_THAT(tasks(), ElementsAre("t.a")) << "it did arrive";

    ASSERT_TRUE(settle());
    EXPECT_THAT(tasks(), IsEmpty());
}

TEST_F(JournalTest, SendsNothingAfterAFailureUntilItIsToldTo) {
    store->fail(0, 1);
    insert("a");
    insert("b");
    EXPECT_THAT(store->batches(), SizeIs(1));
    EXPECT_THAT(accepted, IsEmpty());

    journal->retry();
    EXPECT_THAT(accepted, ElementsAre("b"));
}

TEST_F(JournalTest, FinishMovesTheRecordToTheHistory) {
    insert("a");
    finish("a");
    ASSERT_TRUE(settle());

    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), ElementsAre("f." + format_utc(clock.wall()) + ".a"));
}

TEST_F(JournalTest, TellsOfAnEndBeforeItIsDurable) {
    std::vector<std::string> told;
    journal->observe_ends([&](const std::string& id, const nlohmann::json&) { told.push_back(id); });
    insert("a");
    store->hold();
    finish("a");
    EXPECT_THAT(told, ElementsAre("a"));
    store->answer_all();
}

TEST_F(JournalTest, WritesAnEndAgainUntilItIsDurable) {
    insert("a");
    store->fail(1, 3);
    finish("a");
    for (int tries = 0; tries < 3; ++tries) journal->retry();
    ASSERT_EQ(journal->pending(), 1U);

    ASSERT_TRUE(settle());
    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), SizeIs(1));
}

TEST_F(JournalTest, WritesEndsBeforeAnyInsertThatCameLater) {
    insert("a");
    store->hold();
    finish("a");
    insert("b");
    ASSERT_THAT(store->batches(), SizeIs(2));

    store->answer_next();
    EXPECT_THAT(tasks(), ElementsAre("t.b")) << "whoever saw the end of a and asked for b finds a ended after a crash";
}

TEST_F(JournalTest, WritesAFailureWithoutWaitingForCompany) {
    insert("a");
    auto failed = finished_at(clock.wall());
    failed["success"] = false;
    journal->finish("a", failed);

    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), SizeIs(1));
}

TEST_F(JournalTest, UpdatesAnUnfinishedTask) {
    insert("a");
    auto record = record_of("a");
    record.attempts = 2;
    journal->update(record);
    ASSERT_TRUE(settle());

    EXPECT_EQ(TaskRecord::decode(store->read("t.").at("t.a")).attempts, 2);
}

TEST_F(JournalTest, WithdrawsARecordThatHasArrived) {
    insert("a");
    journal->withdraw("a");
    ASSERT_TRUE(settle());

    EXPECT_THAT(tasks(), IsEmpty());
}

TEST_F(JournalTest, WithdrawsARecordThatIsUnderWay) {
    store->hold();
    insert("a");
    journal->withdraw("a");
    store->answer_all();
    ASSERT_TRUE(settle());

    EXPECT_THAT(tasks(), IsEmpty());
}

// Of what is undecided nobody is told that it is not there: were this front to die now, the next one would find it.
TEST_F(JournalTest, KnowsWhatMayStillBeInTheClusterThoughItWasRefused) {
    store->hold();
    insert("a");
    journal->withdraw("a");
    EXPECT_TRUE(journal->is_undecided("a"));
    store->answer_next();
    EXPECT_TRUE(journal->is_undecided("a")) << "it has arrived, and its removal is under way";

    store->answer_all();
    ASSERT_TRUE(settle());
    EXPECT_FALSE(journal->is_undecided("a"));
}

TEST_F(JournalTest, DoesNotKnowWhatBecameOfAnInsertThatFailed) {
    store->fail(0, 1);
    insert("a");
    EXPECT_THAT(refused, ElementsAre("a"));
    EXPECT_TRUE(journal->is_undecided("a"));

    ASSERT_TRUE(settle());
    EXPECT_FALSE(journal->is_undecided("a"));
}

TEST_F(JournalTest, SaysThatAcceptanceIsUnknownWhenItIsFencedInTheMidstOfIt) {
    store->hold();
    store->fail(0, test::MemoryJournalStore::never, -ESHUTDOWN);
    std::vector<std::string> why;
    const auto tell = [&](const std::exception_ptr& error) { why.push_back(error_text(error)); };
    journal->insert(record_of("under way"), tell);
    journal->insert(record_of("never sent"), tell);
    store->answer_all();

    EXPECT_THAT(why, ElementsAre(HasSubstr("unknown"), HasSubstr("not accepted")));
}

TEST_F(JournalTest, NeverSendsWhatWasWithdrawnBefore) {
    store->hold();
    insert("first");
    insert("a");
    journal->withdraw("a");
    EXPECT_THAT(refused, ElementsAre("a"));
    EXPECT_EQ(journal->pending(), 1U) << "refused ones must not pile up while the cluster does not answer";

    store->answer_all();
    EXPECT_THAT(store->batches(), SizeIs(1));
}

TEST_F(JournalTest, TellsOnceThatItBelongsToAnother) {
    store->give_to("another");
    insert("a");
    insert("b");
    finish("c");

    EXPECT_THAT(lost, ElementsAre(HasSubstr("taken over")));
    EXPECT_THAT(refused, ElementsAre("a", "b"));
    EXPECT_THAT(tasks(), IsEmpty());
}

// Who is refused looks for his task next: not at a front that does not know yet that it is no longer asked.
TEST_F(JournalTest, TellsThatItIsLostBeforeItRefuses) {
    store->give_to("another");
    std::size_t told = 0;
    journal->insert(record_of("a"), [&](const std::exception_ptr& error) {
        EXPECT_TRUE(error);
        told = lost.size();
    });

    EXPECT_EQ(told, 1U);
}

TEST_F(JournalTest, TellsThatItsClientIsFenced) {
    store->fail(0, test::MemoryJournalStore::never, -ESHUTDOWN);
    insert("a");

    EXPECT_THAT(lost, ElementsAre(HasSubstr("fenced")));
}

TEST_F(JournalTest, AnswersAllThatWaitWhenItIsLost) {
    store->hold();
    for (const auto* id : {"first", "a", "b"}) insert(id);
    store->give_to("another");
    store->answer_next();

    EXPECT_THAT(refused, ElementsAre("first", "a", "b"));
    EXPECT_EQ(journal->pending(), 0U);
    EXPECT_FALSE(settle());
}

TEST_F(JournalTest, DescribesItsOwner) {
    bool durable = false;
    store->fail(0, 1);
    journal->describe_owner("me and my workers", [&](const std::exception_ptr&) { durable = true; });
    EXPECT_FALSE(durable);

    ASSERT_TRUE(settle());
    EXPECT_TRUE(durable);
    EXPECT_EQ(store->owner().second, "me and my workers");
}

TEST_F(JournalTest, DropsTheOldestOfTooManyFinished) {
    JournalAndStore small({.most_finished = 2});
    for (const auto* id : {"a", "b", "c"}) {
        small.insert(id);
        small.finish(id);
        small.clock.advance(1s);
    }
    ASSERT_TRUE(small.settle());

    EXPECT_THAT(small.finished(), SizeIs(2));
    EXPECT_THAT(small.finished().at(0), HasSubstr(".b"));
}

TEST_F(JournalTest, DropsWhatFinishedTooLongAgo) {
    insert("old");
    finish("old");
    clock.advance(24h * 31);
    insert("new");
    finish("new");
    ASSERT_TRUE(settle());

    EXPECT_THAT(finished(), ElementsAre(HasSubstr(".new")));
}

TEST_F(JournalTest, DropsWhatAnEarlierLifeFinished) {
    insert("old");
    finish("old");
    ASSERT_TRUE(settle());

    Journal next(
        store, "ours", {.most_finished = 1}, [](const auto&) {}, clock);
    const auto found = next.load().finished;
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].id, "old");
    EXPECT_EQ(found[0].view(), finished_at(clock.wall()));
    clock.advance(1s);
    next.finish("new", finished_at(clock.wall()));
    ASSERT_TRUE(next.wait_until_durable(10s));
    EXPECT_THAT(finished(), ElementsAre(HasSubstr(".old"), HasSubstr(".new"))) << "before anybody has read it";

    next.begin_to_drop({});
    clock.advance(1s);
    next.finish("newest", finished_at(clock.wall()));
    ASSERT_TRUE(next.wait_until_durable(10s));
    EXPECT_THAT(finished(), ElementsAre(HasSubstr(".newest")));
}

TEST_F(JournalTest, DropsNothingThatCouldNotBeRead) {
    const std::string key = "f.2026-01-01T00:00:00.000000Z.x";
    store->put(key, R"({"version": 99})");
    store->put("f.x", "{}");
    Journal next(
        store, "ours", {.most_finished = 1}, [](const auto&) {}, clock);
    const auto content = next.load();
    ASSERT_THAT(content.finished, SizeIs(1));
    EXPECT_EQ(content.finished[0].key(), key);
    EXPECT_THROW(content.finished[0].view(), BadRequest);
    EXPECT_THAT(content.unreadable, ElementsAre(HasSubstr("f.x: key")));

    next.begin_to_drop({key});
    for (const auto* id : {"a", "b"}) {
        clock.advance(1s);
        next.finish(id, finished_at(clock.wall()));
    }
    ASSERT_TRUE(next.wait_until_durable(10s));
    EXPECT_THAT(finished(), ElementsAre(key, HasSubstr(".b"), "f.x"));
}

TEST_F(JournalTest, LoadsTasksInTheOrderOfTheirAcceptance) {
    auto later = record_of("a");
    later.begin_time += 1s;
    journal->insert(later, {});
    insert("c");
    insert("b");
    ASSERT_TRUE(settle());

    std::vector<std::string> ids;
    for (const auto& record : journal->load().unfinished) ids.push_back(record.id);
    EXPECT_THAT(ids, ElementsAre("b", "c", "a"));
}

TEST_F(JournalTest, KeepsAndReportsWhatItCannotRead) {
    auto newer = nlohmann::json::parse(record_of("newer").encode());
    newer["version"] = task_record_version + 1;
    store->put("t.broken", "{\"version\": 1, \"id\": ");
    store->put("t.newer", newer.dump());
    store->put("t.other", record_of("elsewhere").encode());
    store->put("f.2026-11-25T01:31:34.380289Z.x", "[]");
    insert("good");
    ASSERT_TRUE(settle());

    const auto content = journal->load();
    EXPECT_THAT(content.unfinished, SizeIs(1));
    ASSERT_THAT(content.finished, SizeIs(1));
    EXPECT_THROW(content.finished[0].view(), BadRequest);
    EXPECT_THAT(content.unreadable,
                ElementsAre(HasSubstr("t.broken"), HasSubstr("t.newer: version: written by a newer"),
                            HasSubstr("t.other: id")));
    finish("good");
    ASSERT_TRUE(settle());
    EXPECT_THAT(tasks(), ElementsAre("t.broken", "t.newer", "t.other"));
}

TEST_F(JournalTest, IsMeasuredInWritesAndFailures) {
    const auto meter = std::make_shared<JournalMeter>();
    JournalAndStore measured({.meter = meter});
    measured.store->hold();
    measured.insert("a");
    measured.clock.advance(20ms);
    measured.store->answer_all();
    measured.store->fail(0);
    measured.insert("b");

    EXPECT_EQ(meter->writes.look().count(), 2U);
    EXPECT_EQ(meter->writes.look().sum, 20ms);
    EXPECT_EQ(meter->failed_batches.value(), 1U);
    EXPECT_EQ(meter->changes.value(), 1U);
}

}  // namespace
}  // namespace taskd::ceph
