#pragma once

#include "rbd/operation.hpp"

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::test {

/// What the operation "test/run" does in this test; set before it is run, and not while it runs.
inline std::function<nlohmann::json(rbd::OperationContext& context, const nlohmann::json& arguments)> run_test =
    [](rbd::OperationContext&, const nlohmann::json& arguments) { return arguments; };

/// An operation of the test's own; needs no cluster. Its argument "image" (optional) is the image that it touches.
inline const rbd::Operation test_operation{
    .name = "test/run",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", rbd::Access::update},
    .decode = [](const nlohmann::json& given, const rbd::Limits&) { return given; },
    .metadata = [](const nlohmann::json& arguments) { return arguments; },
    .touches =
        [](const nlohmann::json& arguments) {
            rbd::Touches touches{"rbd", {}};
            if (arguments.contains("image")) touches.images.push_back(arguments["image"].get<std::string>());
            return touches;
        },
    .run = [](rbd::OperationContext& context, const nlohmann::json& arguments) { return run_test(context, arguments); },
    .interrupted = "does it again",
};

inline const rbd::OperationRegistry& test_registry() {
    static const rbd::OperationRegistry registry({&test_operation});
    return registry;
}

}  // namespace taskd::test
