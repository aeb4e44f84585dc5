#pragma once

#include "cluster/rbd/other_client.hpp"
#include "rbd/operation.hpp"
#include "support/cluster.hpp"
#include "support/operation_context.hpp"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::test {

/// Operations against a real cluster: run by one client, arranged and looked at by another.
class OperationTest : public ::testing::Test {
  protected:
    OperationTest();

    static const TestCluster& test_cluster();
    static const ceph::Cluster& ours();
    static const ceph::Cluster& theirs();

    /// Decodes and runs, as a worker would.
    static nlohmann::json run(const rbd::Operation& operation, const nlohmann::json& given,
                              rbd::OperationContext& context);
    static nlohmann::json create(const std::string& name, const nlohmann::json& more = nlohmann::json::object(),
                                 int attempt = 1);
    static nlohmann::json remove(const std::string& name, const nlohmann::json& more = nlohmann::json::object(),
                                 int attempt = 1);

    /// Arguments for pool rbd.
    static nlohmann::json create_arguments(const std::string& name,
                                           const nlohmann::json& more = nlohmann::json::object());
    static nlohmann::json delete_arguments(const std::string& name,
                                           const nlohmann::json& more = nlohmann::json::object());

    /// In pool rbd.
    OtherClient other_;
};

/// What `action` fails with; a failure of the test when it does not.
template <typename Action>
Error error_of(Action&& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "succeeded";
    return Error(ErrorKind::internal, 0, "", "");
}

MATCHER_P2(IsError, code, text, "errno " + std::to_string(code) + " and \"" + text + "\" within its text") {
    *result_listener << "which is \"" << arg.what() << '"';
    return arg.errno_value() == code && std::string(arg.what()).find(text) != std::string::npos;
}

}  // namespace taskd::test
