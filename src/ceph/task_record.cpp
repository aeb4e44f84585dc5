#include "ceph/task_record.hpp"

#include "core/utf8.hpp"

#include <taskd/error.hpp>
#include <taskd/identity.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;

constexpr int most_attempts = 1'000'000;
constexpr std::string_view kind_names[] = {"operation", "command"};

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json parse_record(std::string_view text) {
    json record = json::parse(text, nullptr, false);
    if (!record.is_object()) throw BadRequest("record", "not a JSON object");
    const auto version = record.find("version");
    if (version == record.end()) throw BadRequest("version", "missing");
    if (!version->is_number_integer() || *version < 1) throw BadRequest("version", "expected a number from 1 on");
    if (*version > task_record_version)
        throw BadRequest("version", "written by a newer ceph-taskd (" + dump(*version) + ")");
    return record;
}

const json& field(const json& record, const char* name) {
    const auto found = record.find(name);
    if (found == record.end()) throw BadRequest(name, "missing");
    return *found;
}

std::string text_field(const json& record, const char* name) {
    const json& value = field(record, name);
    if (!value.is_string()) throw BadRequest(name, "expected a text");
    return value.get<std::string>();
}

const json& object_field(const json& record, const char* name) {
    const json& value = field(record, name);
    if (!value.is_object()) throw BadRequest(name, "expected an object");
    return value;
}

bool flag_field(const json& record, const char* name) {
    const json& value = field(record, name);
    if (!value.is_boolean()) throw BadRequest(name, "expected true or false");
    return value.get<bool>();
}

int count_field(const json& record, const char* name, int most) {
    const json& value = field(record, name);
    if (!value.is_number_integer() || value < 0 || value > most)
        throw BadRequest(name, "expected a whole number from 0 to " + std::to_string(most));
    return value.get<int>();
}

WallTime time_field(const json& record, const char* name) {
    try {
        return parse_utc(text_field(record, name));
    } catch (const BadRequest& mistake) {
        throw BadRequest(name, mistake.what());
    }
}

/// What the task list would not take must not come into it either.
const json& metadata_field(const json& record) {
    const json& metadata = object_field(record, "metadata");
    (void)identity_of(metadata);
    return metadata;
}

std::string priority_field(const json& record) {
    auto priority = text_field(record, "priority");
    if (priority != "high" && priority != "normal" && priority != "low")
        throw BadRequest("priority", "expected high, normal or low");
    return priority;
}

/// Longer texts of a failure are cut: they are for people.
void cap_exception(json& exception) {
    if (dump(exception).size() <= most_result_bytes) return;
    json capped{{"truncated", true}};
    for (const auto* key : {"detail", "code", "component", "status", "task"})
        if (exception.contains(key)) capped[key] = exception[key];
    if (capped.contains("detail") && capped["detail"].is_string()) {
        auto detail = capped["detail"].get<std::string>();
        if (detail.size() > most_result_bytes) {
            detail.resize(most_result_bytes);
            capped["detail"] = valid_utf8(detail) + "…";
        }
    }
    exception = std::move(capped);
}

TaskRecord::Kind kind_from(const std::string& text) {
    if (text == kind_names[0]) return TaskRecord::Kind::operation;
    if (text == kind_names[1]) return TaskRecord::Kind::command;
    throw BadRequest("kind", "unknown");
}

}  // namespace

std::string TaskRecord::encode() const {
    json record{{"version", task_record_version},
                {"id", id},
                {"kind", kind_names[static_cast<std::size_t>(kind)]},
                {"name", name},
                {"metadata", metadata},
                {"arguments", arguments},
                {"bound", bound.is_null() ? json::object() : bound},
                {"begin_time", format_utc(begin_time)},
                {"attempts", attempts},
                {"priority", priority},
                {"deadline", deadline},
                {"heavy", heavy}};
    if (!owner.empty()) record["owner"] = owner;
    return dump(record);
}

TaskRecord TaskRecord::decode(std::string_view text) {
    const json record = parse_record(text);
    TaskRecord task;
    task.id = text_field(record, "id");
    task.kind = kind_from(text_field(record, "kind"));
    task.name = text_field(record, "name");
    task.metadata = metadata_field(record);
    task.arguments = field(record, "arguments");
    task.bound = object_field(record, "bound");
    task.begin_time = time_field(record, "begin_time");
    task.attempts = count_field(record, "attempts", most_attempts);
    task.priority = priority_field(record);
    task.deadline = text_field(record, "deadline");
    if (!task.deadline.empty()) (void)time_field(record, "deadline");
    task.heavy = flag_field(record, "heavy");
    if (record.contains("owner")) task.owner = text_field(record, "owner");
    return task;
}

std::string encode_finished(const std::string& id, json finished_view) {
    if (dump(finished_view.at("ret_value")).size() > most_result_bytes)
        finished_view["ret_value"] = {{"truncated", true}, {"note", "too long for the history"}};
    cap_exception(finished_view.at("exception"));
    return dump({{"version", task_record_version}, {"id", id}, {"task", std::move(finished_view)}});
}

FinishedRecord decode_finished(std::string_view text) {
    json record = parse_record(text);
    FinishedRecord finished{text_field(record, "id"), {}};
    const json& view = object_field(record, "task");
    (void)text_field(view, "name");
    (void)metadata_field(view);
    (void)time_field(view, "begin_time");
    (void)time_field(view, "end_time");
    if (!field(view, "duration").is_number()) throw BadRequest("duration", "expected a number");
    (void)count_field(view, "progress", 100);
    (void)flag_field(view, "success");
    (void)field(view, "ret_value");
    if (const json& exception = field(view, "exception"); !exception.is_null() && !exception.is_object())
        throw BadRequest("exception", "expected null or an object");
    finished.view = std::move(record["task"]);
    return finished;
}

KeptTask KeptTask::found(std::string_view key, std::string text) {
    const auto behind_time = key.find("Z.");
    if (!key.starts_with(finished_prefix) || behind_time == std::string_view::npos)
        throw BadRequest("key", "expected f.TIME.ID");
    const auto end_time = key.substr(finished_prefix.size(), behind_time + 1 - finished_prefix.size());
    return {std::string(key.substr(behind_time + 2)), std::string(end_time), std::move(text)};
}

std::string KeptTask::key() const {
    return finished_key(id, end_time);
}

json KeptTask::view() const {
    auto record = decode_finished(text);
    if (record.id != id) throw BadRequest("id", "not that of the key");
    if (record.view.at("end_time") != end_time) throw BadRequest("end_time", "not that of the key");
    return std::move(record.view);
}

std::string finished_key(const std::string& id, const std::string& end_time) {
    return std::string(finished_prefix) + end_time + '.' + id;
}

}  // namespace taskd::ceph
