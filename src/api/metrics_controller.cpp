#include "api/meters.hpp"
#include "api/metrics_text.hpp"
#include "api/routes.hpp"

#include <algorithm>
#include <array>

namespace taskd::api {
namespace {

double seconds_of(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

void tell_role(MetricsText& text, const Access::Standing& standing, const Meters& meters) {
    text.begin_gauge("taskd_build_info", "1, with the version of ceph-taskd.").add(1, {{"version", meters.version}});
    auto& role = text.begin_gauge("taskd_role", "1 for the role that this ceph-taskd has, 0 for the others.");
    for (const std::string_view one : {"connecting", "standby", "recovering", "active", "draining"})
        role.add(standing.state == one ? 1 : 0, {{"role", one}});
    text.begin_gauge("taskd_role_confirmed_age_seconds",
                     "Seconds since the cluster last confirmed that this is the active one.");
    if (standing.confirmed_at) text.add(seconds_of(std::chrono::steady_clock::now() - *standing.confirmed_at));
}

void tell_caps(MetricsText& text, const ceph::CapsReport& report) {
    const auto missing = std::count_if(report.findings.begin(), report.findings.end(), [](const auto& finding) {
        return finding.verdict == ceph::CapFinding::Verdict::missing;
    });
    text.begin_gauge("taskd_caps_missing", "Caps that the daemon's Ceph user lacks, as tested at the start.")
        .add(static_cast<double>(missing));
}

void tell_ends(MetricsText& text, const TaskTally& tally) {
    constexpr std::array<std::string_view, 3> outcomes{"success", "failure", "cancelled"};
    text.begin_counter("taskd_tasks_ended_total", "Tasks that have ended, by name and outcome.");
    for (const auto& [name, entry] : tally.entries())
        for (std::size_t outcome = 0; outcome < outcomes.size(); ++outcome)
            text.add(static_cast<double>(entry.ended[outcome].value()),
                     {{"task", name}, {"outcome", outcomes[outcome]}});
    const auto tell_times = [&](Histogram TaskTally::Entry::*times) {
        for (const auto& [name, entry] : tally.entries())
            if (const auto look = (entry.*times).look(); look.count() > 0) text.add(look, {{"task", name}});
    };
    text.begin_histogram("taskd_task_wait_duration_seconds", "From the acceptance of a task to its first start.");
    tell_times(&TaskTally::Entry::wait);
    text.begin_histogram("taskd_task_run_duration_seconds", "From the first start of a task to its end.");
    tell_times(&TaskTally::Entry::run);
}

void tell_queue(MetricsText& text, const Services& services) {
    const auto queue = services.operations.dispatcher_status();
    const auto count = [](std::size_t number) { return static_cast<double>(number); };
    text.begin_gauge("taskd_tasks_executing", "Tasks that have not ended, commands included.")
        .add(count(services.tasks.executing_count()));
    text.begin_gauge("taskd_tasks_waiting", "Operations that wait for a worker.").add(count(queue.waiting));
    text.begin_gauge("taskd_tasks_running", "Operations that a worker runs.").add(count(queue.running));
    text.begin_gauge("taskd_tasks_stalled", "Running operations that report no progress.").add(count(queue.stalled));
    text.begin_gauge("taskd_tasks_oldest_wait_seconds", "How long the operation waits that waits longest.")
        .add(seconds_of(queue.oldest_wait));
    text.begin_gauge("taskd_queue_capacity", "Operations that may wait; more are refused.").add(count(queue.capacity));
    text.begin_gauge("taskd_workers_ready", "Workers that take operations.").add(count(queue.workers_ready));
    text.begin_counter("taskd_worker_starts_total", "Workers that were started.").add(count(queue.worker_starts));
    text.begin_counter("taskd_worker_deaths_total", "Workers that ended by no doing of the daemon's.")
        .add(count(queue.worker_deaths));
}

void tell_cluster(MetricsText& text, const Services& services) {
    const auto cluster = services.cluster.current();
    text.begin_gauge("taskd_monitor_connected", "1 while a monitor answers, else 0.")
        .add(cluster.have_mon_connection ? 1 : 0);
    text.begin_gauge("taskd_cluster_status_age_seconds", "Age of what is known of the cluster.");
    if (cluster.snapshot) text.add(seconds_of(cluster.age));
}

void tell_journal(MetricsText& text, const ceph::JournalMeter& meter, const ceph::Journal* journal) {
    text.begin_histogram("taskd_journal_write_duration_seconds",
                         "From sending a batch of changes to the cluster's answer.")
        .add(meter.writes.look());
    text.begin_counter("taskd_journal_changes_total", "Changes of the journal that became durable.")
        .add(static_cast<double>(meter.changes.value()));
    text.begin_counter("taskd_journal_failed_batches_total", "Batches of changes that the cluster refused.")
        .add(static_cast<double>(meter.failed_batches.value()));
    if (journal == nullptr) return;
    text.begin_gauge("taskd_journal_pending_changes", "Changes of the journal that are not durable yet.")
        .add(static_cast<double>(journal->pending()));
    text.begin_gauge("taskd_journal_longest_pending_seconds",
                     "How long the cluster has owed an answer to the batch under way; 0 when none is.")
        .add(seconds_of(journal->longest_pending()));
}

void tell_requests(MetricsText& text, const std::vector<http::RouteStatistics>& routes) {
    constexpr std::array<std::string_view, 6> classes{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
    text.begin_counter("taskd_http_requests_total",
                       "Requests that were answered, by route, method and class of the status.");
    for (const auto& route : routes)
        for (std::size_t index = 0; index < classes.size(); ++index)
            if (route.responses[index] > 0)
                text.add(static_cast<double>(route.responses[index]),
                         {{"route", route.name.pattern}, {"method", route.name.method}, {"code", classes[index]}});
    text.begin_histogram("taskd_http_request_duration_seconds",
                         "From the end of a request to its answer, waiting for a task included.");
    for (const auto& route : routes)
        if (route.duration.count() > 0)
            text.add(route.duration, {{"route", route.name.pattern}, {"method", route.name.method}});
}

void tell_connections(MetricsText& text, const http::Statistics& http) {
    const auto count = [](std::uint64_t number) { return static_cast<double>(number); };
    text.begin_gauge("taskd_http_connections_open", "Connections that are served.").add(count(http.connections_open));
    text.begin_counter("taskd_http_connections_accepted_total", "Connections that were served.")
        .add(count(http.connections_accepted));
    text.begin_counter("taskd_http_connections_refused_total", "Connections that a limit refused.")
        .add(count(http.connections_refused));
    text.begin_counter("taskd_http_accept_errors_total", "Connections that could not be taken, files running out.")
        .add(count(http.accept_errors));
    text.begin_counter("taskd_http_timeouts_total", "Connections that were ended for being too slow.")
        .add(count(http.timeouts));
    text.begin_counter("taskd_http_tls_failures_total", "Connections that made no TLS handshake.")
        .add(count(http.tls_failures));
    text.begin_counter("taskd_http_handler_failures_total", "Requests that met a fault of the daemon.")
        .add(count(http.handler_failures));
}

http::Response metrics(const Access& access) {
    const auto standing = access.standing();
    const auto& meters = *access.meters;
    const auto* services = standing.services.get();
    MetricsText text;
    tell_role(text, standing, meters);
    if (const auto caps = access.caps ? access.caps() : nullptr) tell_caps(text, *caps);
    if (services != nullptr) tell_cluster(text, *services);
    tell_ends(text, meters.tasks);
    if (services != nullptr) tell_queue(text, *services);
    tell_journal(text, *meters.journal, services != nullptr ? services->journal.get() : nullptr);
    if (meters.http) tell_connections(text, meters.http());
    if (meters.routes) tell_requests(text, meters.routes());
    http::Response response;
    response.content_type = MetricsText::content_type;
    response.body = text.text();
    return response;
}

}  // namespace

std::vector<std::string> counted_task_names(const rbd::OperationRegistry& registry) {
    std::vector<std::string> names{"command", "pool/create", "pool/edit", "pool/delete"};
    for (const auto* operation : registry.all()) names.emplace_back(operation->name);
    return names;
}

void add_metrics_routes(http::Router& router, const Access& access) {
    router.add("GET", "/metrics", http::SyncHandler([access](const http::Request&) { return metrics(access); }));
}

}  // namespace taskd::api
