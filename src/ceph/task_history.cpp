#include "ceph/task_history.hpp"

#include "core/name_glob.hpp"

#include <algorithm>

namespace taskd::ceph {
namespace {

/// `pool/image` or `pool/namespace/image` of what a task made and its metadata has in parts; empty for other tasks.
std::string made_image(const nlohmann::json& metadata) {
    for (const std::string prefix : {"", "dest_", "child_"}) {
        const auto part = [&](const char* name) {
            const auto found = metadata.find(prefix + name);
            return found != metadata.end() && found->is_string() ? found->get<std::string>() : std::string();
        };
        const auto image = part("image_name");
        const auto name_space = part("namespace");
        if (!image.empty()) return part("pool_name") + '/' + (name_space.empty() ? "" : name_space + '/') + image;
    }
    return {};
}

}  // namespace

void TaskHistory::add(std::string id, const nlohmann::json& finished_view) {
    auto entry = std::make_shared<const Entry>(
        Entry{std::move(id), finished_view.at("name").get<std::string>(),
              finished_view.at("end_time").get<std::string>(), finished_view.at("success").get<bool>(),
              finished_view.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
              made_image(finished_view.at("metadata"))});
    MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
    if (entries_.size() > most_) entries_.pop_front();
}

bool TaskHistory::matches(const Entry& entry, const HistoryQuery& query) {
    if (query.success && *query.success != entry.success) return false;
    if (query.may_see && !query.may_see(entry.name)) return false;
    if (!query.since.empty() && entry.end_time < query.since) return false;
    if (!query.until.empty() && entry.end_time >= query.until) return false;
    if (!matches_glob(query.name_glob, entry.name)) return false;
    const auto has = [&](const std::string& where) { return where.find(query.text) != std::string::npos; };
    return has(entry.text) || has(entry.made);
}

nlohmann::json TaskHistory::view_of(const Entry& entry) {
    auto view = nlohmann::json::parse(entry.text);
    view["id"] = entry.id;
    view["state"] = "finished";
    return view;
}

nlohmann::json TaskHistory::search(const HistoryQuery& query) const {
    std::vector<std::shared_ptr<const Entry>> all;
    {
        MutexLock lock(mutex_);
        all.assign(entries_.rbegin(), entries_.rend());
    }
    std::size_t total = 0;
    auto tasks = nlohmann::json::array();
    for (const auto& entry : all) {
        if (!matches(*entry, query)) continue;
        if (total++ >= query.offset && tasks.size() < query.limit) tasks.push_back(view_of(*entry));
    }
    return {{"tasks", std::move(tasks)}, {"total", total}};
}

std::optional<nlohmann::json> TaskHistory::find(const std::string& id) const {
    MutexLock lock(mutex_);
    const auto found =
        std::find_if(entries_.rbegin(), entries_.rend(), [&](const auto& entry) { return entry->id == id; });
    if (found == entries_.rend()) return std::nullopt;
    return view_of(**found);
}

std::size_t TaskHistory::size() const {
    MutexLock lock(mutex_);
    return entries_.size();
}

}  // namespace taskd::ceph
