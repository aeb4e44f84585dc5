#include "ceph/journalled_executor.hpp"

#include "component/ceph/journal_fixture.hpp"
#include "support/manual_executor.hpp"

#include <gmock/gmock.h>
#include <taskd/task_manager.hpp>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The executor behind the journal: says when it was started, ends when the test says so.
class Inner final : public test::ManualExecutor {
  public:
    explicit Inner(bool& started) : started_(started) {}
    void start() override { started_ = true; }

  private:
    bool& started_;
};

struct JournalledExecutorTest : ::testing::Test, JournalAndStore {
    TaskManager manager{TaskManagerOptions{.sweep_interval = 0ms}};
    bool started = false;
    Inner* inner = nullptr;

    std::shared_ptr<Task> run(JournalledExecutor::Record state = JournalledExecutor::Record::is_new,
                              JournalledExecutor::Prepare prepare = {}, std::string id = {}) {
        auto made = std::make_unique<Inner>(started);
        inner = made.get();
        TaskRecord record;
        record.arguments = {{"snapshots", "remove"}};
        RunOptions options;
        options.accepted = state == JournalledExecutor::Record::is_durable;
        options.id = std::move(id);
        options.executor =
            std::make_unique<JournalledExecutor>(std::move(made), journal, record, state, std::move(prepare));
        return manager.run_function("rbd/delete", {{"image_spec", "rbd/a"}}, {}, std::move(options));
    }
    std::size_t listed() {
        const auto list = manager.list();
        return list.executing.size() + list.finished.size();
    }
};

TEST_F(JournalledExecutorTest, RunsATaskOnlyWhenItIsDurable) {
    store->hold();
    const auto task = run();
    EXPECT_FALSE(started);
    EXPECT_FALSE(task->is_accepted());
    EXPECT_EQ(listed(), 0U);

    store->answer_next();
    EXPECT_TRUE(started);
    EXPECT_TRUE(task->is_accepted());
    EXPECT_EQ(listed(), 1U);
}

TEST_F(JournalledExecutorTest, WritesWhatTheTaskIs) {
    const auto task = run();

    const auto record = TaskRecord::decode(store->read("t.").at("t." + task->id()));
    EXPECT_EQ(record.id, task->id());
    EXPECT_EQ(record.name, "rbd/delete");
    EXPECT_EQ(record.metadata, task->metadata());
    EXPECT_EQ(record.arguments, nlohmann::json({{"snapshots", "remove"}}));
    EXPECT_EQ(format_utc(record.begin_time), format_utc(task->status().begin_time));
}

TEST_F(JournalledExecutorTest, WritesWhatWasFoundOutBefore) {
    const auto task = run(JournalledExecutor::Record::is_new, [](TaskRecord& record, const auto& go_on) {
        record.bound = {{"image_id", "10ab"}};
        record.heavy = true;
        go_on();
        return [] {};
    });

    const auto record = TaskRecord::decode(store->read("t.").at("t." + task->id()));
    EXPECT_EQ(record.bound.at("image_id"), "10ab");
    EXPECT_TRUE(record.heavy);
}

TEST_F(JournalledExecutorTest, WritesTheEnd) {
    const auto task = run();
    inner->finish(nullptr);
    ASSERT_TRUE(settle());

    EXPECT_THAT(tasks(), IsEmpty());
    ASSERT_THAT(finished(), SizeIs(1));
    const auto ended = decode_finished(store->read("f.").begin()->second);
    EXPECT_EQ(ended.id, task->id());
    EXPECT_EQ(ended.view, task->finished_json());
}

TEST_F(JournalledExecutorTest, RefusesWhatCannotBeMadeDurable) {
    store->fail(0, 1);
    const auto task = run();

    EXPECT_TRUE(task->is_finished());
    EXPECT_FALSE(started);
    EXPECT_EQ(listed(), 0U);
    ASSERT_TRUE(settle());
    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), IsEmpty());
}

TEST_F(JournalledExecutorTest, GivenUpWhileItsRecordIsUnderWayLeavesNoTrace) {
    store->hold();
    const auto task = run();
    task->cancel();
    EXPECT_TRUE(task->is_finished());
    store->answer_all();
    ASSERT_TRUE(settle());

    EXPECT_FALSE(started);
    EXPECT_EQ(listed(), 0U);
    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), IsEmpty());
}

TEST_F(JournalledExecutorTest, CancelledAtTheMomentOfItsAcceptanceItIsStartedFirstAndItsEndIsKept) {
    store->hold();
    const auto task = run();
    bool was_started_before_cancel = true;
    task->on_accepted([&] {
        was_started_before_cancel = started;
        task->cancel();
    });
    store->answer_all();
    ASSERT_FALSE(was_started_before_cancel);
    EXPECT_TRUE(started);
    EXPECT_EQ(inner->cancels, 1);

    inner->finish(nullptr);
    ASSERT_TRUE(settle());
    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), SizeIs(1));
}

TEST_F(JournalledExecutorTest, GivenUpBeforeItsRecordWasSentIsNeverSent) {
    std::function<void()> go_on;
    bool given_up = false;
    const auto task = run(JournalledExecutor::Record::is_new, [&](TaskRecord&, auto then) {
        go_on = std::move(then);
        return [&] { given_up = true; };
    });
    task->cancel();
    go_on();
    ASSERT_TRUE(settle());

    EXPECT_TRUE(task->is_finished());
    EXPECT_TRUE(given_up);
    EXPECT_FALSE(started);
    for (const auto& batch : store->batches()) EXPECT_THAT(batch.set, IsEmpty());
}

TEST_F(JournalledExecutorTest, CancelOfAnAcceptedTaskGoesToTheExecutorBehind) {
    const auto task = run();
    task->cancel(true);

    EXPECT_EQ(inner->forced_cancels, 1);
    EXPECT_FALSE(task->is_finished());
    EXPECT_THAT(tasks(), SizeIs(1));
}

TEST_F(JournalledExecutorTest, ARecoveredTaskRunsWithoutBeingWrittenAgain) {
    insert("recovered");
    const auto before = store->batches().size();
    const auto task = run(JournalledExecutor::Record::is_durable, {}, "recovered");
    EXPECT_TRUE(started);
    EXPECT_EQ(listed(), 1U);
    EXPECT_EQ(store->batches().size(), before);

    inner->finish(nullptr);
    ASSERT_TRUE(settle());
    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), SizeIs(1));
}

TEST_F(JournalledExecutorTest, AnExecutorBehindThatThrowsFailsTheAcceptedTask) {
    class Throwing final : public TaskExecutor {
        void start() override { throw QueueFull("tasks", 1); }
    };
    RunOptions options;
    options.accepted = false;
    options.executor = std::make_unique<JournalledExecutor>(std::make_unique<Throwing>(), journal, TaskRecord(),
                                                            JournalledExecutor::Record::is_new);
    const auto task = manager.run_function("rbd/delete", {}, {}, std::move(options));
    ASSERT_TRUE(settle());

    EXPECT_TRUE(task->failure() != nullptr);
    EXPECT_THAT(tasks(), IsEmpty());
    EXPECT_THAT(finished(), SizeIs(1)) << "accepted, so its end is kept";
}

TEST_F(JournalledExecutorTest, AnotherRunOfTheSameAfterItsEndIsAnotherRecord) {
    const auto first = run();
    inner->finish(nullptr);
    const auto second = run();
    ASSERT_TRUE(settle());

    EXPECT_NE(first->id(), second->id());
    EXPECT_THAT(tasks(), ElementsAre("t." + second->id()));
    EXPECT_THAT(finished(), SizeIs(1));
}

}  // namespace
}  // namespace taskd::ceph
