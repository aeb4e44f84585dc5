#include "core/utf8.hpp"
#include "core/whole_number.hpp"

#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include <taskd/error.hpp>

namespace taskd {
namespace {

constexpr std::array<std::pair<ErrorKind, std::string_view>, 7> kinds{{{ErrorKind::refused, "refused"},
                                                                       {ErrorKind::not_found, "not_found"},
                                                                       {ErrorKind::bad_request, "bad_request"},
                                                                       {ErrorKind::conflict, "conflict"},
                                                                       {ErrorKind::unavailable, "unavailable"},
                                                                       {ErrorKind::cancelled, "cancelled"},
                                                                       {ErrorKind::internal, "internal"}}};

}  // namespace

std::string_view to_string(ErrorKind kind) noexcept {
    for (const auto& [known, text] : kinds)
        if (known == kind) return text;
    return "internal";
}

ErrorKind error_kind_from(std::string_view text) {
    for (const auto& [kind, known] : kinds)
        if (known == text) return kind;
    throw std::invalid_argument("unknown kind of error '" + std::string(text) + "'");
}

Error::Error(ErrorKind kind, int code, std::string component, std::string detail, nlohmann::json extra)
    : std::system_error(code, std::generic_category()),
      kind_(kind),
      component_(std::move(component)),
      detail_(std::move(detail)),
      extra_(std::move(extra)) {}

BadRequest::BadRequest(std::string_view field, std::string_view problem)
    : Error(ErrorKind::bad_request, EINVAL, "taskd", std::string(field) + ": " + std::string(problem)), field_(field) {}

QueueFull::QueueFull(std::string_view queue, std::size_t capacity)
    : Error(ErrorKind::unavailable, EAGAIN, "taskd",
            std::string(queue) + " is full (" + std::to_string(capacity) + " entries); try again later") {}

nlohmann::json error_to_json(std::exception_ptr error) {
    nlohmann::json view;
    try {
        std::rethrow_exception(std::move(error));
    } catch (const Error& known) {
        view = {{"kind", to_string(known.kind())},
                {"code", known.errno_value()},
                {"component", known.component()},
                {"detail", known.what()}};
        if (!known.extra().is_null()) view["extra"] = known.extra();
    } catch (const std::exception& unknown) {
        view = {{"kind", "internal"}, {"code", 0}, {"component", ""}, {"detail", unknown.what()}};
    } catch (...) {
        view = {{"kind", "internal"}, {"code", 0}, {"component", ""}, {"detail", "unknown exception"}};
    }
    make_valid_utf8(view);
    return view;
}

std::exception_ptr error_from_json(const nlohmann::json& error) {
    try {
        const auto code = whole_number(error.at("code"));
        if (!code || *code < std::numeric_limits<int>::min() || *code > std::numeric_limits<int>::max())
            throw BadRequest("error", "its code is no errno");
        return std::make_exception_ptr(Error(error_kind_from(error.at("kind").get_ref<const std::string&>()),
                                             static_cast<int>(*code), error.at("component").get<std::string>(),
                                             error.at("detail").get<std::string>(),
                                             error.value("extra", nlohmann::json())));
    } catch (const nlohmann::json::exception& malformed) {
        throw BadRequest("error", malformed.what());
    } catch (const std::invalid_argument& unknown_kind) {
        throw BadRequest("error", unknown_kind.what());
    }
}

std::string error_text(std::exception_ptr error) {
    try {
        std::rethrow_exception(std::move(error));
    } catch (const std::exception& known) {
        std::string text = valid_utf8(known.what());
        return text.empty() ? "exception without a text" : text;
    } catch (...) {
        return "unknown exception";
    }
}

}  // namespace taskd
