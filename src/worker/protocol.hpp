#pragma once

#include "ceph/options.hpp"
#include "worker/worker.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

/// The messages between a front and its worker process: JSON objects with a `type`, one frame each (frame.hpp).
///
///     front ──▶ worker   setup (once, first)  run  cancel
///     worker ──▶ front   ready | unavailable (once, first)  progress  result
///
/// Both ends are the same binary, so the protocol has no version.
namespace taskd::worker::protocol {

inline constexpr std::string_view setup_type = "setup";
inline constexpr std::string_view run_type = "run";
inline constexpr std::string_view cancel_type = "cancel";
inline constexpr std::string_view ready_type = "ready";
inline constexpr std::string_view unavailable_type = "unavailable";
inline constexpr std::string_view progress_type = "progress";
inline constexpr std::string_view result_type = "result";

struct Setup {
    ceph::ClusterOptions cluster;
    std::size_t most_jobs = 1;  ///< Threads; the front never has more orders with this worker.
    int nice = 0;               ///< Its nice value: the front's own may be lower.
};

nlohmann::json setup(const Setup& setup);
Setup parse_setup(const nlohmann::json& message);
nlohmann::json run(const WorkOrder& order);
WorkOrder parse_run(const nlohmann::json& message);
nlohmann::json cancel(const std::string& id);
/// @param addresses  Of the worker's cluster client, to fence it by.
nlohmann::json ready(const std::string& addresses);
nlohmann::json unavailable(nlohmann::json error);
nlohmann::json progress(const std::string& id, int percent);
nlohmann::json result(const std::string& id, nlohmann::json value, nlohmann::json error);

}  // namespace taskd::worker::protocol
