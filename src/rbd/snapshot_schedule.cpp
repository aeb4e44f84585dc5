#include "rbd/snapshot_schedule.hpp"

#include "rbd/error.hpp"

#include <cerrno>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

using nlohmann::json;

std::vector<SnapshotSchedule::Item> items_from(const json& list) {
    std::vector<SnapshotSchedule::Item> items;
    for (const auto& entry : list) {
        auto& item = items.emplace_back(SnapshotSchedule::Item{entry.at("interval").get<std::string>(), {}});
        if (const auto& start = entry.at("start_time"); start.is_string()) item.start_time = start.get<std::string>();
    }
    return items;
}

json arguments_of(const SnapshotSchedule::Item& item) {
    json arguments{{"interval", item.interval}};
    if (item.start_time) arguments["start_time"] = *item.start_time;
    return arguments;
}

}  // namespace

SnapshotSchedule::SnapshotSchedule(OperationContext& context, const ImageSpec& image)
    : context_(context), level_spec_(image.format()) {
    // What separates the parts of a level spec cannot be in one of them.
    if (image.name.find_first_of("/@") != std::string::npos || !is_utf8(image.name))
        throw rbd_error(-EINVAL, "error scheduling snapshots of image " + python_bytes(image.name),
                        "the mgr cannot address an image of this name");
}

std::string SnapshotSchedule::ask(const char* verb, json command) const {
    command.update({{"prefix", std::string("rbd mirror snapshot schedule ") + verb}, {"level_spec", level_spec_}});
    auto answer = context_.ask_mgr(command);
    if (answer.return_code < 0)
        throw ceph::command_error(answer.return_code, answer.status, {ceph::CommandTarget::Kind::mgr, {}}, command,
                                  nullptr);
    return std::move(answer.output);
}

std::vector<SnapshotSchedule::Item> SnapshotSchedule::items(const std::string& image_id) const {
    const auto text = ask("list", json::object());
    try {
        // {"POOL_ID/NAMESPACE/IMAGE_ID": {"name", "schedule": [{"interval", "start_time"}]}}, with what it inherits.
        const json levels = json::parse(text);
        for (const auto& [level, schedule] : levels.items())
            if (level.ends_with("/" + image_id)) return items_from(schedule.at("schedule"));
        return {};
    } catch (const json::exception&) {
        throw Error(ErrorKind::internal, EBADMSG, "mgr",
                    "[errno 74] the mgr's list of snapshot schedules is of an unknown form");
    }
}

void SnapshotSchedule::add(const Item& item) const {
    ask("add", arguments_of(item));
}

void SnapshotSchedule::remove(const Item& item) const {
    ask("remove", arguments_of(item));
}

void SnapshotSchedule::clear() const {
    ask("remove", json::object());
}

}  // namespace taskd::rbd
