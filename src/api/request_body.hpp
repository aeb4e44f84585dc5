#pragma once

#include "http/message.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace taskd::api {

/// A request that cannot be read: carries the HTTP-level answer.
struct Unreadable {
    http::Response response;
};

enum class EmptyBody { refused, allowed };

/// The arguments of a POST or PUT: the members of its JSON body and, where the body has none of that name, its query.
/// @throws Unreadable  415 another Content-Type; 400 "Invalid JSON document", also for JSON nested too deep
///         BadRequest  the body is no object, or a query parameter comes twice
/// @source dashboard-contract.md 0.1, 0.2
nlohmann::json read_arguments(const http::Request& request, EmptyBody empty = EmptyBody::refused);

/// The answer to a body that says it is JSON and is not: 400, and before the version is looked at; nullopt to another.
/// @source dashboard-contract.md 0.1
std::optional<http::Response> refuse_bad_json(const http::Request& request);

/// The one query parameter of that name.
/// @throws BadRequest when it comes twice
std::optional<std::string> query_value(const http::Request& request, std::string_view name);

/// @throws BadRequest naming the first query parameter that is not among these.
void require_known_query(const http::Request& request, std::initializer_list<std::string_view> known);

/// As the dashboard reads a boolean from a query: true/yes/on/1/t/y and false/no/off/0/f/n in any case.
/// @throws BadRequest naming the parameter
bool query_flag(const http::Request& request, std::string_view name);

}  // namespace taskd::api
