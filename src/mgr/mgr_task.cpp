#include "mgr/mgr_task.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <taskd/error.hpp>
#include <taskd/identity.hpp>

namespace taskd::mgr {
namespace {

using Entries = std::vector<std::shared_ptr<const ListedMgrTask>>;
using Entry = Entries::value_type;

bool began_later(const Entry& left, const Entry& right) {
    return left->task.begin_time > right->task.begin_time;
}

bool ended_later(const Entry& left, const Entry& right) {
    return left->task.end->time > right->task.end->time;
}

template <class Later>
Entries merge(const Entries& one, const Entries& other, Later later) {
    Entries both;
    both.reserve(one.size() + other.size());
    std::merge(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(both), later);
    return both;
}

std::string identity_or_empty(const nlohmann::json& metadata) {
    try {
        return identity_of(metadata);
    } catch (const BadRequest&) {
        return {};
    }
}

}  // namespace

bool is_plausible(WallTime time) noexcept {
    constexpr std::chrono::seconds latest{4'000'000'000};
    const auto since_epoch = time.time_since_epoch();
    return since_epoch >= since_epoch.zero() && since_epoch <= latest;
}

nlohmann::json MgrTask::view() const {
    nlohmann::json view{
        {"name", name}, {"metadata", metadata}, {"begin_time", format_utc(begin_time)}, {"progress", progress}};
    if (end) {
        view["end_time"] = format_utc(end->time);
        view["duration"] = end->duration_s;
        view["success"] = end->success;
        view["ret_value"] = end->ret_value;
        view["exception"] = end->exception;
    }
    return view;
}

MgrTaskList listed(std::vector<MgrTask> tasks) {
    MgrTaskList list;
    for (auto& task : tasks) {
        auto text = task.view().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        auto identity = identity_or_empty(task.metadata);
        auto& entries = task.end ? list.finished : list.executing;
        entries.push_back(std::make_shared<const ListedMgrTask>(
            ListedMgrTask{std::move(task), std::move(text), std::move(identity)}));
    }
    std::stable_sort(list.executing.begin(), list.executing.end(), began_later);
    std::stable_sort(list.finished.begin(), list.finished.end(), ended_later);
    for (auto* entries : {&list.executing, &list.finished})
        if (entries->size() > MgrTaskList::most) entries->resize(MgrTaskList::most);
    return list;
}

MgrTaskList merged(const MgrTaskList& one, const MgrTaskList& other) {
    return {merge(one.executing, other.executing, began_later), merge(one.finished, other.finished, ended_later)};
}

}  // namespace taskd::mgr
