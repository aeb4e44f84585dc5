#pragma once

#include "api/request_body.hpp"
#include "http/message.hpp"

#include <initializer_list>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::api {

/// What `read_arguments` gives, with these parameters of the route in it.
/// @throws as `read_arguments`
nlohmann::json arguments_with_path(const http::Request& request, std::initializer_list<std::string_view> params,
                                   EmptyBody empty = EmptyBody::refused);

/// The arguments of a DELETE: these parameters of the route, and of the query those that are known beside `priority`
/// and `deadline`. A body is ignored, as in the dashboard.
/// @throws BadRequest naming a query parameter that is not known, or given twice
nlohmann::json arguments_of_delete(const http::Request& request, std::initializer_list<std::string_view> params,
                                   std::initializer_list<std::string_view> known);

}  // namespace taskd::api
