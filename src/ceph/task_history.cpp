#include "ceph/task_history.hpp"

#include "core/name_glob.hpp"
#include "core/release_memory.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <taskd/error.hpp>

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

/// A task, of which only id and end are known until somebody wants to know more.
/// @thread  Any.
class TaskHistory::Entry {
  public:
    struct Content {
        explicit Content(const nlohmann::json& view)
            : name(view.at("name").get<std::string>()),
              success(view.at("success").get<bool>()),
              text(view.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)),
              made(made_image(view.at("metadata"))) {}

        std::string name;
        bool success;
        std::string text;  ///< The view as JSON: compact, and what is searched.
        std::string made;  ///< `pool/image` of the image that it made: searched as well, as people write it.
    };

    Entry(std::string id, const nlohmann::json& view)
        : kept_{std::move(id), view.at("end_time").get<std::string>(), {}}, content_(view) {
        std::call_once(read_, [] {});
    }
    explicit Entry(KeptTask task) : kept_(std::move(task)) {}

    const std::string& id() const noexcept { return kept_.id; }
    const std::string& end_time() const noexcept { return kept_.end_time; }
    std::string key() const { return kept_.key(); }
    /// Null: it cannot be read.
    const Content* content() const {
        std::call_once(read_, [this] { read(); });
        return content_ ? &*content_ : nullptr;
    }
    /// Why, after `content` was null.
    const std::string& problem() const noexcept { return problem_; }

  private:
    void read() const {
        try {
            content_.emplace(kept_.view());
            release_memory(kept_.text);
        } catch (const BadRequest& mistake) {
            problem_ = mistake.what();
        }
    }

    mutable std::once_flag read_;
    mutable KeptTask kept_;  ///< Its text is let go of once it is read.
    mutable std::optional<Content> content_;
    mutable std::string problem_;
};

void TaskHistory::add(std::string id, const nlohmann::json& finished_view) {
    push_back(std::make_shared<const Entry>(std::move(id), finished_view));
}

void TaskHistory::add_unread(KeptTask task) {
    auto entry = std::make_shared<const Entry>(std::move(task));
    MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
    has_unread_ = true;
}

void TaskHistory::push_back(std::shared_ptr<const Entry> entry) {
    MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
    drop_oldest();
}

/// Not while some are unread: the oldest may be one that cannot be read, which takes nobody's place.
void TaskHistory::drop_oldest() {
    while (!has_unread_ && entries_.size() > most_) entries_.pop_front();
}

TaskHistory::Entries TaskHistory::entries() const {
    MutexLock lock(mutex_);
    return entries_;
}

std::vector<TaskHistory::Unreadable> TaskHistory::read_all(const std::stop_token& stop) {
    std::vector<Unreadable> unreadable;
    for (const auto& entry : entries()) {
        if (stop.stop_requested()) return unreadable;
        if (entry->content() == nullptr) unreadable.push_back({entry->key(), entry->problem()});
    }
    MutexLock lock(mutex_);
    std::erase_if(entries_, [](const auto& entry) { return entry->content() == nullptr; });
    has_unread_ = false;
    drop_oldest();
    return unreadable;
}

bool TaskHistory::matches(const Entry& entry, const HistoryQuery& query) {
    if (!query.since.empty() && entry.end_time() < query.since) return false;
    if (!query.until.empty() && entry.end_time() >= query.until) return false;
    const auto* content = entry.content();
    if (content == nullptr) return false;
    if (query.success && *query.success != content->success) return false;
    if (query.may_see && !query.may_see(content->name)) return false;
    if (!matches_glob(query.name_glob, content->name)) return false;
    const auto has = [&](const std::string& where) { return where.find(query.text) != std::string::npos; };
    return has(content->text) || has(content->made);
}

nlohmann::json TaskHistory::view_of(const Entry& entry) {
    auto view = nlohmann::json::parse(entry.content()->text);
    view["id"] = entry.id();
    view["state"] = "finished";
    return view;
}

nlohmann::json TaskHistory::search(const HistoryQuery& query) const {
    const auto all = entries();
    std::size_t total = 0;
    auto tasks = nlohmann::json::array();
    for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
        if (!matches(**entry, query)) continue;
        if (total++ >= query.offset && tasks.size() < query.limit) tasks.push_back(view_of(**entry));
    }
    return {{"tasks", std::move(tasks)}, {"total", total}};
}

std::optional<nlohmann::json> TaskHistory::find(const std::string& id) const {
    std::shared_ptr<const Entry> found;
    {
        MutexLock lock(mutex_);
        const auto place =
            std::find_if(entries_.rbegin(), entries_.rend(), [&](const auto& entry) { return entry->id() == id; });
        if (place == entries_.rend()) return std::nullopt;
        found = *place;
    }
    if (found->content() == nullptr) return std::nullopt;
    return view_of(*found);
}

std::size_t TaskHistory::size() const {
    MutexLock lock(mutex_);
    return entries_.size();
}

}  // namespace taskd::ceph
