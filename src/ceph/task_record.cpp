#include "ceph/task_record.hpp"

#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;

constexpr std::string_view kind_names[] = {"operation", "command"};

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json parse_record(std::string_view text) {
    json record = json::parse(text, nullptr, false);
    if (!record.is_object()) throw BadRequest("record", "not a JSON object");
    const auto version = record.find("version");
    if (version == record.end() || !version->is_number_integer()) throw BadRequest("version", "expected a number");
    if (version->get<int>() > task_record_version)
        throw BadRequest("version", "written by a newer ceph-taskd (" + dump(*version) + ")");
    return record;
}

template <class Value>
Value field(const json& record, const char* name) {
    const auto found = record.find(name);
    if (found == record.end()) throw BadRequest(name, "missing");
    try {
        return found->get<Value>();
    } catch (const json::exception&) {
        throw BadRequest(name, "of the wrong type");
    }
}

json object_field(const json& record, const char* name) {
    json value = field<json>(record, name);
    if (!value.is_object()) throw BadRequest(name, "expected an object");
    return value;
}

TaskRecord::Kind kind_from(const std::string& text) {
    if (text == kind_names[0]) return TaskRecord::Kind::operation;
    if (text == kind_names[1]) return TaskRecord::Kind::command;
    throw BadRequest("kind", "unknown");
}

}  // namespace

std::string TaskRecord::encode() const {
    return dump({{"version", task_record_version},
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
                 {"heavy", heavy}});
}

TaskRecord TaskRecord::decode(std::string_view text) {
    const json record = parse_record(text);
    TaskRecord task;
    task.id = field<std::string>(record, "id");
    task.kind = kind_from(field<std::string>(record, "kind"));
    task.name = field<std::string>(record, "name");
    task.metadata = object_field(record, "metadata");
    task.arguments = field<json>(record, "arguments");
    task.bound = object_field(record, "bound");
    task.begin_time = parse_utc(field<std::string>(record, "begin_time"));
    task.attempts = field<int>(record, "attempts");
    task.priority = field<std::string>(record, "priority");
    task.deadline = field<std::string>(record, "deadline");
    task.heavy = field<bool>(record, "heavy");
    return task;
}

std::string encode_finished(const std::string& id, json finished_view) {
    if (dump(finished_view.at("ret_value")).size() > most_result_bytes)
        finished_view["ret_value"] = {{"truncated", true}, {"note", "too long for the history"}};
    return dump({{"version", task_record_version}, {"id", id}, {"task", std::move(finished_view)}});
}

FinishedRecord decode_finished(std::string_view text) {
    const json record = parse_record(text);
    FinishedRecord finished{field<std::string>(record, "id"), object_field(record, "task")};
    for (const auto* key :
         {"name", "metadata", "begin_time", "end_time", "duration", "progress", "success", "ret_value", "exception"})
        if (!finished.view.contains(key)) throw BadRequest(key, "missing");
    return finished;
}

}  // namespace taskd::ceph
