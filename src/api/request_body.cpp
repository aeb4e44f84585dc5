#include "api/request_body.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

/// Deeper than any request of this API, and shallow enough for every recursive walk over the value.
constexpr int most_json_depth = 32;

std::string lower(std::string_view text) {
    std::string copy(text);
    std::transform(copy.begin(), copy.end(), copy.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return copy;
}

/// The media type without its parameters: "application/json" of "application/json; charset=utf-8".
std::string media_type(std::string_view content_type) {
    std::string type = lower(content_type.substr(0, content_type.find(';')));
    type.erase(type.find_last_not_of(" \t") + 1);
    return type;
}

bool says_json(const http::Request& request) {
    const auto content_type = request.header("Content-Type");
    const std::string type = content_type ? media_type(*content_type) : std::string();
    return type == "application/json" || type == "text/javascript";
}

[[noreturn]] void refuse(int status, std::string_view detail) {
    throw Unreadable{http::error_response(status, detail)};
}

nlohmann::json parse_document(const std::string& text) {
    const auto limit_depth = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        if (depth > most_json_depth) refuse(400, "Invalid JSON document");
        return true;
    };
    try {
        return nlohmann::json::parse(text, limit_depth);
    } catch (const nlohmann::json::exception&) {
        refuse(400, "Invalid JSON document");
    }
}

}  // namespace

nlohmann::json read_arguments(const http::Request& request, EmptyBody empty) {
    nlohmann::json arguments = nlohmann::json::object();
    if (says_json(request)) {
        arguments = parse_document(request.body);
        if (!arguments.is_object()) throw BadRequest("body", "expected a JSON object");
    } else if (empty == EmptyBody::refused || !request.body.empty()) {
        refuse(415, "Expected an entity of content type application/json, text/javascript");
    }
    for (const auto& [name, value] : request.query) {
        if (query_value(request, name) && !arguments.contains(name)) arguments[name] = value;
    }
    return arguments;
}

std::optional<http::Response> refuse_bad_json(const http::Request& request) {
    if (request.method != "POST" && request.method != "PUT") return std::nullopt;
    if (!says_json(request)) return std::nullopt;
    try {
        parse_document(request.body);
        return std::nullopt;
    } catch (const Unreadable& unreadable) {
        return unreadable.response;
    }
}

std::optional<std::string> query_value(const http::Request& request, std::string_view name) {
    std::optional<std::string> found;
    for (const auto& [known, value] : request.query) {
        if (known != name) continue;
        if (found) throw BadRequest(name, "given twice");
        found = value;
    }
    return found;
}

void require_known_query(const http::Request& request, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : request.query)
        if (std::find(known.begin(), known.end(), name) == known.end())
            throw BadRequest(name, "unknown query parameter");
}

bool query_flag(const http::Request& request, std::string_view name) {
    const auto value = query_value(request, name);
    if (!value) return false;
    const std::string text = lower(*value);
    for (const std::string_view yes : {"true", "yes", "on", "1", "t", "y"})
        if (text == yes) return true;
    for (const std::string_view no : {"false", "no", "off", "0", "f", "n", ""})
        if (text == no) return false;
    throw BadRequest(name, "expected true or false");
}

}  // namespace taskd::api
