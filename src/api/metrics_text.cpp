#include "api/metrics_text.hpp"

#include <chrono>
#include <limits>

#include <prometheus/text_serializer.h>

namespace taskd::api {
namespace {

using prometheus::MetricType;

double in_seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

prometheus::MetricFamily family(MetricType type, std::string_view name, std::string_view help) {
    prometheus::MetricFamily family;
    family.type = type;
    family.name = name;
    family.help = help;
    return family;
}

}  // namespace

MetricsText& MetricsText::begin_counter(std::string_view name, std::string_view help) {
    families_.push_back(family(MetricType::Counter, name, help));
    return *this;
}

MetricsText& MetricsText::begin_gauge(std::string_view name, std::string_view help) {
    families_.push_back(family(MetricType::Gauge, name, help));
    return *this;
}

MetricsText& MetricsText::begin_histogram(std::string_view name, std::string_view help) {
    families_.push_back(family(MetricType::Histogram, name, help));
    return *this;
}

prometheus::ClientMetric& MetricsText::new_metric(const Labels& labels) {
    auto& metric = families_.back().metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({std::string(name), std::string(value)});
    return metric;
}

MetricsText& MetricsText::add(double value, const Labels& labels) {
    auto& metric = new_metric(labels);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return *this;
}

MetricsText& MetricsText::add(const HistogramSnapshot& durations, const Labels& labels) {
    auto& histogram = new_metric(labels).histogram;
    histogram.sample_count = durations.count();
    histogram.sample_sum = in_seconds(durations.sum);
    std::uint64_t so_far = 0;
    for (std::size_t index = 0; index < durations.counts.size(); ++index) {
        so_far += durations.counts[index];
        const double bound = index < durations.bounds.size() ? in_seconds(durations.bounds[index])
                                                             : std::numeric_limits<double>::infinity();
        histogram.bucket.push_back({so_far, bound});
    }
    return *this;
}

std::string MetricsText::text() const {
    std::vector<prometheus::MetricFamily> told;
    for (const auto& family : families_)
        if (!family.metric.empty()) told.push_back(family);
    return prometheus::TextSerializer().Serialize(told);
}

}  // namespace taskd::api
