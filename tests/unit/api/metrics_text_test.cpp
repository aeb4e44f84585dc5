#include "api/metrics_text.hpp"

#include <array>
#include <chrono>

#include <gmock/gmock.h>

namespace taskd::api {
namespace {

using namespace std::chrono_literals;

TEST(MetricsText, WritesNumbersWithHelpTypeAndLabels) {
    MetricsText text;
    text.begin_gauge("a_waiting", "What waits.").add(3);
    text.begin_counter("a_ended_total", "What has ended.").add(1e10, {{"task", "x/y"}, {"outcome", "success"}});

    EXPECT_EQ(text.text(),
              "# HELP a_waiting What waits.\n# TYPE a_waiting gauge\na_waiting 3\n"
              "# HELP a_ended_total What has ended.\n# TYPE a_ended_total counter\n"
              "a_ended_total{task=\"x/y\",outcome=\"success\"} 10000000000\n");
}

TEST(MetricsText, WritesDurationsInSecondsAndCountsUpwards) {
    static constexpr std::array<std::chrono::nanoseconds, 2> bounds{500us, 2s};
    Histogram histogram(bounds);
    for (const auto duration : std::initializer_list<std::chrono::nanoseconds>{1us, 1s, 1500ms, 1h})
        histogram.note(duration);
    MetricsText text;
    text.begin_histogram("a_seconds", "How long it took.").add(histogram.look());

    EXPECT_EQ(text.text(),
              "# HELP a_seconds How long it took.\n# TYPE a_seconds histogram\n"
              "a_seconds_count 4\na_seconds_sum 3602.500001\n"
              "a_seconds_bucket{le=\"0.0005\"} 1\na_seconds_bucket{le=\"2\"} 3\na_seconds_bucket{le=\"+Inf\"} 4\n");
}

TEST(MetricsText, LeavesOutWhatHasNoValue) {
    MetricsText text;
    text.begin_gauge("a_age_seconds", "Of what is not known.");

    EXPECT_EQ(text.text(), "");
}

}  // namespace
}  // namespace taskd::api
