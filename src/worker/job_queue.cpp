#include "worker/job_queue.hpp"

#include <algorithm>
#include <tuple>

#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

constexpr std::array<std::string_view, 3> priority_names{"high", "normal", "low"};

void erase_from(std::deque<std::string>& queue, const std::string& id) {
    if (const auto found = std::find(queue.begin(), queue.end(), id); found != queue.end()) queue.erase(found);
}

}  // namespace

Priority priority_from(std::string_view text) {
    for (std::size_t n = 0; n < priority_names.size(); ++n)
        if (priority_names[n] == text) return static_cast<Priority>(n);
    throw BadRequest("priority", "expected high, normal or low");
}

std::string_view to_string(Priority priority) noexcept {
    return priority_names[static_cast<std::size_t>(priority)];
}

void JobQueue::push(QueuedJob job, SteadyTime now) {
    if (waiting_ >= limits_.capacity) throw QueueFull("task queue", limits_.capacity);
    std::string id = job.id;
    std::sort(job.images.begin(), job.images.end());
    job.images.erase(std::unique(job.images.begin(), job.images.end()), job.images.end());
    auto& entry = entries_[id];
    entry = {std::move(job), now, Stage::blocked, next_order_++};
    for (const auto& image : entry.job.images) on_image_[image].push_back(id);
    ++waiting_;
    if (is_first_on_its_images(entry)) make_ready(entry);
}

bool JobQueue::is_first_on_its_images(const Entry& entry) const {
    return std::all_of(entry.job.images.begin(), entry.job.images.end(),
                       [&](const std::string& image) { return on_image_.at(image).front() == entry.job.id; });
}

void JobQueue::make_ready(Entry& entry) {
    entry.stage = Stage::ready;
    auto& share = pools_[entry.job.pool];
    auto& queues = entry.job.heavy ? share.heavy : share.light;
    auto& queue = queues[static_cast<std::size_t>(entry.job.priority)];
    // At its place in the order, which is the end but for one that was blocked until now.
    const auto place =
        std::upper_bound(queue.begin(), queue.end(), entry.order,
                         [&](std::size_t order, const std::string& id) { return order < entries_.at(id).order; });
    queue.insert(place, entry.job.id);
}

bool JobQueue::heavy_may_start(const PoolShare& share) const {
    const std::size_t most_of_pool =
        limits_.per_pool > 1 ? limits_.per_pool - std::max<std::size_t>(1, limits_.per_pool / 4) : 1;
    const std::size_t most_of_all = limits_.slots > 1 ? limits_.slots - std::max<std::size_t>(1, limits_.slots / 4) : 1;
    return share.heavy_running < most_of_pool && heavy_running_ < most_of_all;
}

std::pair<long, std::size_t> JobQueue::rank_of(const Entry& entry, SteadyTime now) const {
    return {static_cast<long>(entry.job.priority) - static_cast<long>((now - entry.since) / limits_.ageing),
            entry.order};
}

std::optional<std::string> JobQueue::take_from(PoolShare& share, SteadyTime now) {
    if (share.running >= limits_.per_pool) return std::nullopt;
    // Of each priority the oldest job is looked at.
    std::deque<std::string>* best = nullptr;
    auto best_rank = std::make_pair(0L, std::size_t{0});
    const auto consider = [&](std::array<std::deque<std::string>, 3>& queues) {
        for (auto& queue : queues) {
            if (queue.empty()) continue;
            const auto rank = rank_of(entries_.at(queue.front()), now);
            if (best == nullptr || rank < best_rank) {
                best = &queue;
                best_rank = rank;
            }
        }
    };
    consider(share.light);
    if (heavy_may_start(share)) consider(share.heavy);
    if (best == nullptr) return std::nullopt;
    std::string id = std::move(best->front());
    best->pop_front();
    return id;
}

std::optional<std::string> JobQueue::next(SteadyTime now) {
    if (running_ >= limits_.slots || pools_.empty()) return std::nullopt;
    auto pool = pools_.upper_bound(last_pool_);
    for (std::size_t looked_at = 0; looked_at < pools_.size(); ++looked_at, ++pool) {
        if (pool == pools_.end()) pool = pools_.begin();
        auto id = take_from(pool->second, now);
        if (!id) continue;
        Entry& entry = entries_.at(*id);
        entry.stage = Stage::running;
        --waiting_;
        ++running_;
        ++pool->second.running;
        if (entry.job.heavy) {
            ++heavy_running_;
            ++pool->second.heavy_running;
        }
        last_pool_ = pool->first;
        return id;
    }
    return std::nullopt;
}

void JobQueue::release_slot(const std::string& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.stage != Stage::running) return;
    Entry& entry = found->second;
    entry.stage = Stage::released;
    auto& share = pools_.at(entry.job.pool);
    --running_;
    --share.running;
    if (entry.job.heavy) {
        --heavy_running_;
        --share.heavy_running;
    }
}

void JobQueue::leave_images(const Entry& entry) {
    for (const auto& image : entry.job.images) {
        const auto line = on_image_.find(image);
        if (line == on_image_.end()) continue;
        erase_from(line->second, entry.job.id);
        if (line->second.empty()) {
            on_image_.erase(line);
            continue;
        }
        Entry& first = entries_.at(line->second.front());
        if (first.stage == Stage::blocked && is_first_on_its_images(first)) make_ready(first);
    }
}

void JobQueue::done(const std::string& id) {
    release_slot(id);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const Entry entry = std::move(found->second);
    entries_.erase(found);
    leave_images(entry);
    const auto share = pools_.find(entry.job.pool);
    if (share == pools_.end() || share->second.running > 0) return;
    const auto is_empty = [](const auto& queues) {
        return std::all_of(queues.begin(), queues.end(), [](const auto& queue) { return queue.empty(); });
    };
    if (is_empty(share->second.light) && is_empty(share->second.heavy)) pools_.erase(share);
}

bool JobQueue::remove_waiting(const std::string& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return false;
    Entry& entry = found->second;
    if (entry.stage != Stage::blocked && entry.stage != Stage::ready) return false;
    if (entry.stage == Stage::ready) {
        auto& share = pools_.at(entry.job.pool);
        auto& queues = entry.job.heavy ? share.heavy : share.light;
        erase_from(queues[static_cast<std::size_t>(entry.job.priority)], id);
    }
    --waiting_;
    done(id);
    return true;
}

std::string JobQueue::waits_for(const std::string& id) const {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return {};
    const Entry& entry = found->second;
    if (entry.stage == Stage::blocked) {
        for (const auto& image : entry.job.images)
            if (const auto& first = on_image_.at(image).front(); first != id)
                return "task " + first + " on image " + image;
    }
    if (entry.stage != Stage::ready) return {};
    const auto& share = pools_.at(entry.job.pool);
    if (share.running >= limits_.per_pool)
        return "the limit of " + std::to_string(limits_.per_pool) + " tasks of pool " + entry.job.pool;
    return "a free slot";
}

std::vector<JobQueue::Turn> JobQueue::turns(SteadyTime now) const {
    struct Waiting {
        const std::string* pool;
        std::pair<long, std::size_t> rank;
        const std::string* id;
    };
    std::vector<Waiting> all;
    all.reserve(waiting_);
    for (const auto& [id, entry] : entries_)
        if (entry.stage == Stage::blocked || entry.stage == Stage::ready)
            all.push_back({&entry.job.pool, rank_of(entry, now), &id});
    std::sort(all.begin(), all.end(),
              [](const Waiting& a, const Waiting& b) { return std::tie(*a.pool, a.rank) < std::tie(*b.pool, b.rank); });
    std::vector<Turn> turns;
    turns.reserve(all.size());
    for (const auto& [pool, rank, id] : all) {
        const bool is_of_same_pool = !turns.empty() && *all[turns.size() - 1].pool == *pool;
        turns.push_back({id, is_of_same_pool ? turns.back().position + 1 : 1});
    }
    return turns;
}

}  // namespace taskd::worker
