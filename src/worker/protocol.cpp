#include "worker/protocol.hpp"

namespace taskd::worker::protocol {

nlohmann::json setup(const Setup& setup) {
    return {{"type", setup_type}, {"cluster", setup.cluster}, {"most_jobs", setup.most_jobs}, {"nice", setup.nice}};
}

Setup parse_setup(const nlohmann::json& message) {
    return {message.at("cluster").get<ceph::ClusterOptions>(), message.at("most_jobs").get<std::size_t>(),
            message.at("nice").get<int>()};
}

nlohmann::json run(const WorkOrder& order) {
    return {{"type", run_type},
            {"id", order.id},
            {"operation", order.operation},
            {"arguments", order.arguments},
            {"attempt", order.attempt}};
}

WorkOrder parse_run(const nlohmann::json& message) {
    return {message.at("id").get<std::string>(), message.at("operation").get<std::string>(), message.at("arguments"),
            message.at("attempt").get<int>()};
}

nlohmann::json cancel(const std::string& id) {
    return {{"type", cancel_type}, {"id", id}};
}

nlohmann::json ready(const std::string& addresses) {
    return {{"type", ready_type}, {"addresses", addresses}};
}

nlohmann::json unavailable(nlohmann::json error) {
    return {{"type", unavailable_type}, {"error", std::move(error)}};
}

nlohmann::json progress(const std::string& id, int percent) {
    return {{"type", progress_type}, {"id", id}, {"percent", percent}};
}

nlohmann::json result(const std::string& id, nlohmann::json value, nlohmann::json error) {
    return {{"type", result_type}, {"id", id}, {"value", std::move(value)}, {"error", std::move(error)}};
}

}  // namespace taskd::worker::protocol
