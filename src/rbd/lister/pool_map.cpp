#include "rbd/lister/pool_map.hpp"

#include "ceph/command_sender.hpp"
#include "rbd/error.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// Handles that a pool keeps for its namespaces; beyond, they are made anew.
constexpr std::size_t most_handles = 4096;

std::shared_ptr<const ceph::Ioctx> open(const ceph::Cluster& cluster, std::int64_t pool, const std::string& ns) {
    rados_ioctx_t io = nullptr;
    if (rados_ioctx_create2(cluster.handle(), pool, &io) < 0) return nullptr;
    rados_ioctx_set_namespace(io, ns.c_str());
    return std::make_shared<const ceph::Ioctx>(io);
}

}  // namespace

Pool::Pool(std::shared_ptr<ceph::Cluster> cluster, std::int64_t id, std::string name, bool is_for_images,
           std::shared_ptr<const ceph::Ioctx> io)
    : cluster_(std::move(cluster)), id_(id), name_(std::move(name)), is_for_images_(is_for_images) {
    handles_.emplace("", std::move(io));
}

std::shared_ptr<const ceph::Ioctx> Pool::io(const std::string& ns) const {
    const MutexLock lock(mutex_);
    if (const auto found = handles_.find(ns); found != handles_.end()) return found->second;
    if (handles_.size() >= most_handles) handles_.erase(std::next(handles_.begin()), handles_.end());
    auto io = open(*cluster_, id_, ns);
    if (io) handles_.emplace(ns, io);
    return io;
}

std::shared_ptr<const Pool> PoolMap::find(std::string_view name) const {
    const auto found =
        std::find_if(pools_.begin(), pools_.end(), [&](const auto& pool) { return pool.second->name() == name; });
    return found == pools_.end() ? nullptr : found->second;
}

std::shared_ptr<const Pool> PoolMap::find(std::int64_t id) const {
    const auto found = pools_.find(id);
    return found == pools_.end() ? nullptr : found->second;
}

std::vector<PoolDescription> describe_pools(const nlohmann::json& answer) {
    std::vector<PoolDescription> pools;
    if (!answer.is_array()) return pools;
    for (const auto& pool : answer) {
        if (!pool.is_object() || !pool.contains("pool_name") || !pool["pool_name"].is_string()) continue;
        const auto id = pool.contains("pool_id") ? pool.find("pool_id") : pool.find("pool");
        if (id == pool.end() || !id->is_number_integer()) continue;
        const auto applications = pool.find("application_metadata");
        const bool is_for_images =
            applications != pool.end() && applications->is_object() && applications->contains("rbd");
        pools.push_back({id->get<std::int64_t>(), pool["pool_name"].get<std::string>(), is_for_images});
    }
    return pools;
}

struct PoolSource::State : std::enable_shared_from_this<State> {
    State(std::shared_ptr<ceph::Cluster> where, ceph::CommandSender& command_sender)
        : cluster(std::move(where)), sender(command_sender) {}

    using Done = std::function<void(Answer)>;

    void ask();
    void answered(const ceph::CommandAnswer& answer);
    std::shared_ptr<const PoolMap> make_map(const std::vector<PoolDescription>& pools) const;

    const std::shared_ptr<ceph::Cluster> cluster;
    ceph::CommandSender& sender;

    mutable Mutex mutex;
    std::vector<Done> asked TASKD_GUARDED_BY(mutex);    ///< By the question under way.
    std::vector<Done> waiting TASKD_GUARDED_BY(mutex);  ///< For the next one.
    bool under_way TASKD_GUARDED_BY(mutex) = false;
    std::shared_ptr<const PoolMap> newest TASKD_GUARDED_BY(mutex);
};

void PoolSource::State::ask() {
    {
        const MutexLock lock(mutex);
        if (under_way || waiting.empty()) return;
        under_way = true;
        asked = std::exchange(waiting, {});
    }
    try {
        sender.send({}, {{"prefix", "osd pool ls"}, {"detail", "detail"}, {"format", "json"}}, {},
                    [state = shared_from_this()](const ceph::CommandAnswer& answer) { state->answered(answer); });
    } catch (const Error&) {
        ceph::CommandAnswer refused;
        refused.error = std::current_exception();
        answered(refused);
    }
}

std::shared_ptr<const PoolMap> PoolSource::State::make_map(const std::vector<PoolDescription>& pools) const {
    std::shared_ptr<const PoolMap> before;
    {
        const MutexLock lock(mutex);
        before = newest;
    }
    PoolMap::Pools result;
    for (const auto& [id, name, is_for_images] : pools) {
        const auto known = before ? before->find(id) : nullptr;
        if (known && known->name() == name && known->is_for_images() == is_for_images) {
            result.emplace(id, known);
        } else if (auto io = open(*cluster, id, "")) {  // waits for a newer map when librados has not got the pool yet
            result.emplace(id, std::make_shared<const Pool>(cluster, id, name, is_for_images, std::move(io)));
        }
    }
    return std::make_shared<const PoolMap>(std::move(result));
}

void PoolSource::State::answered(const ceph::CommandAnswer& answer) {
    Answer told;
    if (answer.error) {
        told.problem = error_text(answer.error);
    } else if (answer.result.return_code < 0) {
        told.problem = "the monitors do not tell the pools: " + answer.result.status;
    } else {
        told.pools = make_map(describe_pools(nlohmann::json::parse(answer.result.output, nullptr, false)));
    }
    std::vector<Done> to_tell;
    {
        const MutexLock lock(mutex);
        under_way = false;
        to_tell = std::exchange(asked, {});
        if (told.pools) newest = told.pools;
        told.pools = newest;
    }
    for (const auto& done : to_tell) done(told);
    ask();
}

PoolSource::PoolSource(std::shared_ptr<ceph::Cluster> cluster, ceph::CommandSender& sender)
    : state_(std::make_shared<State>(std::move(cluster), sender)) {}

void PoolSource::ask(std::function<void(Answer)> done) {
    {
        const MutexLock lock(state_->mutex);
        state_->waiting.push_back(std::move(done));
    }
    state_->ask();
}

std::shared_ptr<const PoolMap> PoolSource::last() const {
    const MutexLock lock(state_->mutex);
    return state_->newest;
}

}  // namespace taskd::rbd
