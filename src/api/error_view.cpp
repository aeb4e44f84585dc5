#include "api/error_view.hpp"

#include "core/utf8.hpp"

#include <nlohmann/json.hpp>
#include <taskd/task.hpp>

namespace taskd::api {
namespace {

/// How long a client that was refused for want of room should wait before it tries again.
constexpr const char* retry_after_s = "2";

struct View {
    int status;
    nlohmann::json body;  ///< detail, code, component and what the error carries.
};

View view_of(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const Error& known) {
        const int status = http_status(known.kind());
        if (known.kind() == ErrorKind::not_found && known.component() == "rbd") {
            // As the dashboard words an HTTP error inside a task; its clients look for the number.
            return {status, {{"detail", "(404, 'Image not found')"}, {"code", 404}, {"component", nullptr}}};
        }
        nlohmann::json body = known.extra().is_object() ? known.extra() : nlohmann::json::object();
        body["detail"] = known.what();
        if (known.errno_value() != 0) body["code"] = std::to_string(known.errno_value());
        body["component"] = known.component().empty() ? nlohmann::json() : nlohmann::json(known.component());
        make_valid_utf8(body);
        return {status, std::move(body)};
    } catch (...) {
        return {http_status(ErrorKind::internal),
                {{"detail", valid_utf8(error_text(std::current_exception()))}, {"component", nullptr}}};
    }
}

}  // namespace

int http_status(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::refused:
        case ErrorKind::bad_request:
        case ErrorKind::cancelled:
            return 400;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::unavailable:
            return 503;
        case ErrorKind::internal:
            return 500;
    }
    return 500;
}

nlohmann::json task_failure_view(std::exception_ptr error, const Task& task) {
    View view = view_of(std::move(error));
    view.body["status"] = view.status;
    view.body["task"] = {{"name", task.name()}, {"metadata", task.metadata()}};
    return std::move(view.body);
}

http::Response failure_response(std::exception_ptr error) {
    View view = view_of(std::move(error));
    http::Response response;
    response.status = view.status;
    response.body = view.body.dump();
    if (view.status == http_status(ErrorKind::unavailable)) response.headers.emplace_back("Retry-After", retry_after_s);
    return response;
}

}  // namespace taskd::api
