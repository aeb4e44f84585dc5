#include "mgr/dashboard_client.hpp"

#include <cerrno>

#include <taskd/error.hpp>

namespace taskd::mgr {
namespace {

Error no_list(const std::string& what) {
    return {ErrorKind::unavailable, EPROTO, "mgr", "the dashboard tells no tasks: " + what};
}

}  // namespace

std::string DashboardClient::list_tasks(const std::string& url, const std::string& token,
                                        std::chrono::milliseconds timeout) {
    if (!client_ || url != url_) {
        client_.reset();
        // Of the URL the client takes scheme, host and port; what follows is the dashboard's url_prefix.
        const auto authority = url.find("://");
        const auto path = authority == std::string::npos ? authority : url.find('/', authority + 3);
        // The certificate is the mgr's own making and names no host: there is nothing to check it by.
        client_.emplace(http::Endpoint::parse(url.substr(0, path)), max_answer_bytes, http::TlsTrust{.verify = false});
        prefix_ = path == std::string::npos ? std::string() : url.substr(path);
        while (prefix_.ends_with('/')) prefix_.pop_back();
        url_ = url;
    }
    const auto answer = client_->request(
        "GET", prefix_ + "/api/task",
        {{"Accept", "application/vnd.ceph.api.v1.0+json"}, {"Authorization", "Bearer " + token}}, {}, timeout);
    if (answer.status == 303) throw no_list("this mgr is a standby");
    if (answer.status != 200) throw no_list("status " + std::to_string(answer.status));
    const auto type = answer.header("Content-Type").value_or("");
    if (type.find("json") == std::string_view::npos) throw no_list("its answer is no JSON");
    return answer.body;
}

}  // namespace taskd::mgr
