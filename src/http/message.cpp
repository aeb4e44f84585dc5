#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace taskd::http {

bool same_name(std::string_view left, std::string_view right) noexcept {
    const auto lower = [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
    };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [lower](char one, char other) { return lower(one) == lower(other); });
}

void HeaderFields::add(std::string_view name, std::string_view value) {
    fields_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(value.size())});
    text_.append(name).append(value);
}

void HeaderFields::clear() noexcept {
    text_.clear();
    fields_.clear();
}

std::optional<std::string_view> HeaderFields::find(std::string_view name) const noexcept {
    for (std::size_t index = 0; index < fields_.size(); ++index) {
        if (fields_[index].name_size != name.size()) continue;
        const auto [field_name, value] = at(index);
        if (same_name(field_name, name)) return value;
    }
    return std::nullopt;
}

std::pair<std::string_view, std::string_view> HeaderFields::at(std::size_t index) const noexcept {
    const auto& field = fields_[index];
    const auto text = std::string_view(text_).substr(field.offset, field.name_size + field.value_size);
    return {text.substr(0, field.name_size), text.substr(field.name_size)};
}

const std::string& Request::param(std::string_view name) const {
    for (const auto& [param_name, value] : params)
        if (param_name == name) return value;
    throw std::out_of_range("no path parameter '" + std::string(name) + "'");
}

void Request::clear() noexcept {
    method.clear();
    target.clear();
    path.clear();
    query.clear();
    params.clear();
    headers.clear();
    body.clear();
    forwarded.reset();
    caller.reset();
}

std::string Request::client() const {
    if (!forwarded || forwarded->client.empty()) return peer.address;
    return forwarded->client + " via " + peer.address;
}

bool Request::is_secure() const noexcept {
    return forwarded && !forwarded->scheme.empty() ? same_name(forwarded->scheme, "https") : peer.secure;
}

std::string_view Request::host() const noexcept {
    if (forwarded && !forwarded->host.empty()) return forwarded->host;
    return header("Host").value_or(std::string_view());
}

std::string_view Body::view() const noexcept {
    if (const auto* own = std::get_if<std::string>(&content_)) return *own;
    const auto& shared_text = *std::get_if<std::shared_ptr<const std::string>>(&content_);
    return shared_text ? std::string_view(*shared_text) : std::string_view{};
}

std::shared_ptr<const std::string> Body::shared() const {
    const auto* shared_text = std::get_if<std::shared_ptr<const std::string>>(&content_);
    return shared_text ? *shared_text : nullptr;
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Request Entity Too Large";
        case 415:
            return "Unsupported Media Type";
        case 422:
            return "Unprocessable Entity";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Unknown";
    }
}

std::string make_request_id() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string id = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    std::array<std::uint64_t, 2> bits{random(), random()};
    std::size_t taken = 0;
    for (char& character : id) {
        if (character != 'x' && character != 'y') continue;
        auto nibble = (bits[taken / 16] >> (taken % 16 * 4)) & 15U;
        ++taken;
        if (character == 'y') nibble = (nibble & 3U) | 8U;
        character = digits[nibble];
    }
    return id;
}

Response error_response(int status, std::string_view detail, std::string_view request_id) {
    Response response;
    response.status = status;
    nlohmann::ordered_json body;
    body["status"] = std::to_string(status) + " " + std::string(reason_phrase(status));
    body["detail"] = detail;
    body["request_id"] = request_id.empty() ? make_request_id() : std::string(request_id);
    // A client's bytes may be in the detail, so it need not be UTF-8.
    response.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return response;
}

Response not_found_response(const Request& request) {
    const auto sent = std::string_view(request.target).substr(0, request.target.find('?'));
    std::string path = decode_all_but_slashes(request.path);
    if (sent.ends_with('/') && !path.ends_with('/')) path += '/';  // which routes do without
    return error_response(404, "The path '" + path + "' was not found.");
}

}  // namespace taskd::http
