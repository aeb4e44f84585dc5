#include "api/path_arguments.hpp"

#include <algorithm>
#include <string>

#include <taskd/error.hpp>

namespace taskd::api {

nlohmann::json arguments_with_path(const http::Request& request, std::initializer_list<std::string_view> params,
                                   EmptyBody empty) {
    auto arguments = read_arguments(request, empty);
    for (const auto param : params) arguments[std::string(param)] = request.param(param);
    return arguments;
}

nlohmann::json arguments_of_delete(const http::Request& request, std::initializer_list<std::string_view> params,
                                   std::initializer_list<std::string_view> known) {
    auto arguments = nlohmann::json::object();
    for (const auto& [name, value] : request.query) {
        if (name == "priority" || name == "deadline") continue;
        if (std::find(known.begin(), known.end(), name) == known.end())
            throw BadRequest(name, "unknown query parameter");
        arguments[name] = query_value(request, name).value_or("");
    }
    for (const auto param : params) arguments[std::string(param)] = request.param(param);
    return arguments;
}

}  // namespace taskd::api
