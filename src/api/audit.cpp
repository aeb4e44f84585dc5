#include "api/audit.hpp"

#include "api/guard.hpp"
#include "ceph/command_output.hpp"

#include <array>
#include <cstdio>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace taskd::api {
namespace {

/// Bytes of what a task is about, and of why it failed.
constexpr std::size_t most_detail = 1024;

/// Nobody's name or path makes a line of its own.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (code >= 0x20 && code != 0x7f) {
            line += c;
            continue;
        }
        std::array<char, 5> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(code));
        line += escaped.data();
    }
    return line;
}

std::string shortened(std::string_view text) {
    const auto kept = ceph::cut_utf8(text, most_detail);
    return one_line(kept) + (kept.size() < text.size() ? "…" : "");
}

std::string subject_of(const Task& task) {
    return task.name() + " " +
           shortened(task.metadata().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string name_of(std::string_view who) {
    return who.empty() ? "-" : one_line(who);
}

/// At the Unix socket many are one user: the kernel tells them apart.
std::string address_of(const http::Request& request) {
    const auto& credentials = request.peer.credentials;
    return request.client() + (credentials ? " uid " + std::to_string(credentials->uid) : "");
}

std::string why_failed(const Task& task) {
    const auto exception = task.exception_json();
    return exception.is_object() ? exception.value("detail", "") : std::string();
}

void write(ceph::ClusterLog* cluster_log, const std::string& line) {
    spdlog::info("audit: {}", line);
    if (cluster_log != nullptr) cluster_log->write("ceph-taskd audit: " + line);
}

}  // namespace

ChangeRequest::ChangeRequest(const http::Request& request)
    : who_(request.caller ? caller_of(request).name : std::string()),
      from_(address_of(request)),
      what_(request.method + " " + request.path) {}

std::string ChangeRequest::line(const Services* services, const http::Response& response) const {
    std::string id;
    for (const auto& [name, value] : response.headers)
        if (name == "X-Task-Id") id = value;
    std::string about = shortened(response.about);
    if (!id.empty() && services != nullptr)
        if (const auto task = services->tasks.find_by_id(id)) about = subject_of(*task);
    return name_of(who_) + " from " + one_line(from_) + ": " + one_line(what_) + ": " +
           std::to_string(response.status) + " task " + (id.empty() ? "-" : id) + (about.empty() ? "" : " " + about);
}

void ChangeRequest::tell(const Services* services, const http::Response& response) const {
    write(services != nullptr ? services->cluster_log : nullptr, line(services, response));
}

std::string line_of_end(const Task& task) {
    return name_of(task.owner()) + ": task " + task.id() + " " + subject_of(task) + ": " +
           (task.failure() ? "failed: " + shortened(why_failed(task)) : "success");
}

void tell_end(ceph::ClusterLog* cluster_log, const Task& task) {
    write(cluster_log, line_of_end(task));
}

}  // namespace taskd::api
