#include "worker/operation_service.hpp"

#include "support/fake_worker.hpp"
#include "support/memory_journal_store.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

/// Operations before fake workers, journalled in a store whose answers a test may hold back.
class OperationServiceTest : public ::testing::Test {
  protected:
    static DispatcherOptions dispatcher_options() {
        DispatcherOptions options;
        options.queue.capacity = 2;
        return options;
    }
    static ceph::JournalOptions journal_options() {
        ceph::JournalOptions options;
        options.spacing = {};
        return options;
    }
    std::shared_ptr<Task> create(const std::string& name) {
        return service.submit("rbd/create", {{"pool_name", "rbd"}, {"name", name}, {"size", 1 << 20}});
    }

    /// Workers that are never ready: what comes waits.
    Dispatcher::WorkerFactory idle_workers() {
        crew.ready_at_once = false;
        return crew.factory();
    }

    OperationServiceTest() { store->claim("", "ours", ""); }

    test::FakeCrew crew;
    TaskManager tasks;
    Dispatcher dispatcher{dispatcher_options(), idle_workers()};
    const std::shared_ptr<test::MemoryJournalStore> store = std::make_shared<test::MemoryJournalStore>();
    const std::shared_ptr<ceph::Journal> journal =
        std::make_shared<ceph::Journal>(store, "ours", journal_options(), [](const std::string&) {});
    OperationService service{tasks, rbd::OperationRegistry::builtin(), dispatcher, {}, {}, {nullptr, journal}};
};

TEST_F(OperationServiceTest, CountsWhatIsOnItsWayIntoTheJournalAsWaiting) {
    store->hold();
    const auto first = create("1");
    const auto second = create("2");

    EXPECT_THROW(create("3"), QueueFull);

    EXPECT_FALSE(first->is_accepted());
    store->answer_all();
    EXPECT_THROW(create("3"), QueueFull);
}

TEST_F(OperationServiceTest, GivesBackTheRoomOfWhatWasNeverAccepted) {
    store->hold();
    for (const auto* name : {"1", "2"}) {
        const auto task = create(name);
        task->cancel();
        EXPECT_TRUE(task->is_finished());
    }
    store->answer_all();

    EXPECT_NO_THROW(create("3"));
}

TEST_F(OperationServiceTest, TakesNoRoomForWhoJoinsATask) {
    const auto task = create("1");
    for (int n = 0; n < 3; ++n) EXPECT_EQ(create("1"), task);

    EXPECT_NO_THROW(create("2"));
}

}  // namespace
}  // namespace taskd::worker
