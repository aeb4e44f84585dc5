#include "daemon/service_status.hpp"

#include "support/manual_clock.hpp"

#include <gmock/gmock.h>

namespace taskd::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;

worker::DispatcherStatus well() {
    worker::DispatcherStatus status;
    status.workers_ready = 2;
    status.capacity = 100;
    return status;
}

std::string condition(const worker::DispatcherStatus& status) {
    return ServiceStatus().of(status).at("condition");
}

TEST(ServiceStatus, IsOkWhenNothingIsToBeLookedAt) {
    auto busy = well();
    busy.running = 32;
    busy.waiting = 80;
    busy.oldest_wait = 29min;
    busy.worker_deaths = 3;

    EXPECT_EQ(condition(busy), "ok");
}

TEST(ServiceStatus, NamesWhatIsToBeLookedAt) {
    auto ill = well();
    ill.workers_ready = 0;
    ill.stalled = 2;
    ill.waiting = 81;
    ill.oldest_wait = 30min + 59s;

    EXPECT_EQ(condition(ill),
              "no worker is ready; 2 tasks make no progress; the queue is 81% full; a task waits for 30 min");
}

TEST(ServiceStatus, TellsTheLastFailureInOneLine) {
    const test::ManualClock clock;
    ServiceStatus status(clock);
    EXPECT_EQ(status.of(well()).at("tasks_failed"), "0");
    EXPECT_EQ(status.of(well()).at("last_failure"), "");

    status.note_failure("the first");
    status.note_failure(std::string("a\nb\0c", 5));

    EXPECT_EQ(status.of(well()).at("tasks_failed"), "2");
    EXPECT_EQ(status.of(well()).at("last_failure"), "2026-11-25T01:31:34.380289Z a b c");
}

TEST(ServiceStatus, CutsALongFailureWhereACharacterBegins) {
    ServiceStatus status;
    status.note_failure(std::string(511, 'x') + "ü" + std::string(1000, 'y'));

    EXPECT_THAT(status.of(well()).at("last_failure"), EndsWith("xxx…"));
}

}  // namespace
}  // namespace taskd::daemon
