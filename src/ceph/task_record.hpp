#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>

namespace taskd::ceph {

/// An unfinished task as the journal keeps it; docs/record-format.md describes the JSON.
struct TaskRecord {
    /// What may be done with it after an interruption: operations run again, commands never.
    enum class Kind { operation, command };

    std::string id;
    Kind kind = Kind::operation;
    std::string name;
    nlohmann::json metadata;
    nlohmann::json arguments;  ///< As the caller gave them, normalised; what a second caller's are compared with.
    nlohmann::json bound;  ///< What was found out at acceptance and holds for every attempt (`image_id`); an object.
    WallTime begin_time;
    int attempts = 0;  ///< Runs that may have begun.
    std::string priority = "normal";
    bool heavy = false;    ///< Long by nature, as far as could be told at acceptance.
    std::string deadline;  ///< UTC; empty for none.
    std::string owner;     ///< Who asked for it; empty where nobody said.

    std::string encode() const;
    /// @throws BadRequest  naming the field; also for a record of a newer version
    static TaskRecord decode(std::string_view text);
};

/// The version that this program writes. It reads this one and older ones.
inline constexpr int task_record_version = 1;

/// A finished task: the dashboard's view of it with its id, results longer than `most_result_bytes` left out
/// and failures cut to their text.
std::string encode_finished(const std::string& id, nlohmann::json finished_view);

struct FinishedRecord {
    std::string id;
    nlohmann::json view;  ///< `Task::finished_json`
};
/// @throws BadRequest
FinishedRecord decode_finished(std::string_view text);

/// A finished task as it was found in the journal, and has not been read yet: there may be thousands.
struct KeptTask {
    std::string id;        ///< As its key has it,
    std::string end_time;  ///< … and this too: UTC.
    std::string text;

    /// @throws BadRequest  the key is none of a finished task
    static KeptTask found(std::string_view key, std::string text);
    std::string key() const;
    /// @throws BadRequest
    nlohmann::json view() const;
};

inline constexpr std::string_view finished_prefix = "f.";
/// Sorts by the time of the end.
std::string finished_key(const std::string& id, const std::string& end_time);

inline constexpr std::size_t most_result_bytes = 4096;

}  // namespace taskd::ceph
