#pragma once

#include "rbd/operation.hpp"

#include <string>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::test {

/// The field that `decode` refuses, empty when it takes the arguments.
inline std::string refused_field(const rbd::Operation& operation, const nlohmann::json& given) {
    try {
        operation.decode(given, rbd::Limits{});
    } catch (const BadRequest& error) {
        return error.field();
    }
    return {};
}

}  // namespace taskd::test
