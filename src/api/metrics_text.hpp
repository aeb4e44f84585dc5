#pragma once

#include "core/histogram.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace taskd::api {

/// Puts metrics together in Prometheus' text format 0.0.4.
///
///     text.begin_gauge("taskd_tasks_waiting", "Tasks that wait for a worker.").add(3);
/// @source  https://prometheus.io/docs/instrumenting/exposition_formats/
class MetricsText {
  public:
    using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

    static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

    // Begin a metric. Each ends with a sentence that says what is measured; those of counters end in "_total", those of
    // histograms in "_seconds".
    MetricsText& begin_counter(std::string_view name, std::string_view help);
    MetricsText& begin_gauge(std::string_view name, std::string_view help);
    MetricsText& begin_histogram(std::string_view name, std::string_view help);

    /// Adds a value, or durations, to the metric that was begun last.
    MetricsText& add(double value, const Labels& labels = {});
    MetricsText& add(const HistogramSnapshot& durations, const Labels& labels = {});

    /// A metric of which nothing was added is left out.
    std::string text() const;

  private:
    prometheus::ClientMetric& new_metric(const Labels& labels);

    std::vector<prometheus::MetricFamily> families_;
};

}  // namespace taskd::api
