#pragma once

#include "api/error_view.hpp"
#include "api/routes.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "support/fake_command_caller.hpp"
#include "support/fake_command_port.hpp"
#include "support/fake_worker.hpp"
#include "worker/operation_service.hpp"

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace taskd::api {

struct Answer {
    int status;
    nlohmann::json body;  ///< Null when there is none.
    std::string content_type;
    std::string task_id;  ///< X-Task-Id.
    bool retry_after;
};

inline std::set<std::string> keys_of(const nlohmann::json& object) {
    std::set<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.insert(key);
    return keys;
}

/// A small healthy cluster's answers to what the status asks.
inline ceph::CommandResult healthy(const ceph::CommandTarget&, const nlohmann::json& command) {
    const auto prefix = command["prefix"].get<std::string>();
    nlohmann::json answer;
    if (prefix == "status")
        answer = {{"fsid", "f"},
                  {"health", {{"status", "HEALTH_OK"}}},
                  {"mgrmap", {{"services", {{"dashboard", "http://127.0.0.1:8080/"}}}}}};
    if (prefix == "mgr stat") answer = {{"active_name", "x"}};
    if (prefix == "version") answer = {{"version", "ceph version 16.2.15 (abc) pacific (stable)"}};
    return {0, "", answer.dump()};
}

/// All routes over a real server, on a loopback port that the system chose, before fake workers and a fake cluster.
class ApiTest : public ::testing::Test {
  protected:
    /// Answers the whole request; a header that is given replaces the usual one.
    Answer request(std::string_view method, std::string_view target, std::string_view body = {},
                   std::vector<http::NameValue> headers = {}) {
        if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
        http::Client client(server.endpoints().front());
        const auto response = client.request(method, target, headers, body, std::chrono::seconds(60));
        Answer answer{response.status, {}, {}, {}, response.header("Retry-After").has_value()};
        answer.content_type = response.header("Content-Type").value_or("");
        // The page's files are no JSON.
        if (!response.body.empty() && answer.content_type.ends_with("json"))
            answer.body = nlohmann::json::parse(response.body);
        answer.task_id = response.header("X-Task-Id").value_or("");
        return answer;
    }
    Answer get(std::string_view target) { return request("GET", target); }
    Answer post(std::string_view target, const nlohmann::json& body) { return request("POST", target, body.dump()); }
    /// The same for a client that does not wait for the task.
    Answer post_async(std::string_view target, const nlohmann::json& body) {
        return request("POST", target, body.dump(), {{"Prefer", "respond-async"}});
    }

    /// What the workers do with every order.
    void workers_succeed() {
        crew.on_order = [this](const auto& given) { crew.succeed(given); };
    }
    void workers_fail(const Error& error) {
        crew.on_order = [this, error](const auto& given) { crew.fail(given, error); };
    }

    static worker::DispatcherOptions dispatcher_options() {
        worker::DispatcherOptions options;
        options.workers = 1;
        options.queue.capacity = 4;
        options.tick = std::chrono::milliseconds(1);
        return options;
    }
    static http::ServerOptions server_options() {
        http::ServerOptions options;
        options.listen.push_back(http::Endpoint::tcp("127.0.0.1", 0));
        return options;
    }
    void SetUp() override { server.start(); }
    void TearDown() override { server.stop(std::chrono::milliseconds(0)); }

    static constexpr const char* media_type = "application/vnd.ceph.api.v1.0+json";

    Access access() {
        return {[this] { return standing; }, [this] { return caps; }, meters};
    }

    const std::shared_ptr<Meters> meters =
        std::make_shared<Meters>(counted_task_names(rbd::OperationRegistry::builtin()));
    test::FakeCrew crew;
    TaskManager tasks{{.observer = &meters->tasks}};
    worker::Dispatcher dispatcher{dispatcher_options(), crew.factory()};
    worker::OperationService operations{tasks, rbd::OperationRegistry::builtin(), dispatcher, {}, task_failure_view};
    test::FakeCommandPort commands{tasks.notifications()};
    std::shared_ptr<const ceph::CommandTable> command_table;
    ceph::CommandSender sender{std::make_shared<test::FakeCommandCaller>(&healthy)};
    ceph::ClusterStatus cluster{sender};
    Services services{tasks, operations, commands, [this] { return command_table; }, cluster};
    Access::Standing standing{std::shared_ptr<const Services>(std::shared_ptr<void>(), &services), {}, "active"};
    std::shared_ptr<const ceph::CapsReport> caps;
    http::Server server{server_options(), make_router(access())};
};

}  // namespace taskd::api
