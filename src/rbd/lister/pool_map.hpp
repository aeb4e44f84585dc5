#pragma once

#include "ceph/cluster.hpp"
#include "core/mutex.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {
class CommandSender;
}

namespace taskd::rbd {

/// A pool, and handles to read its objects with.
class Pool {
  public:
    Pool(std::shared_ptr<ceph::Cluster> cluster, std::int64_t id, std::string name, bool is_for_images,
         std::shared_ptr<const ceph::Ioctx> io);

    std::int64_t id() const noexcept { return id_; }
    const std::string& name() const noexcept { return name_; }
    /// Whether it has the application `rbd`.
    bool is_for_images() const noexcept { return is_for_images_; }

    /// For the objects of a namespace, "" for those in none. Null when the pool has gone.
    /// @thread  Any. Does not block: the pool is in librados' map.
    std::shared_ptr<const ceph::Ioctx> io(const std::string& ns) const;

  private:
    const std::shared_ptr<ceph::Cluster> cluster_;
    const std::int64_t id_;
    const std::string name_;
    const bool is_for_images_;
    mutable Mutex mutex_;
    mutable std::map<std::string, std::shared_ptr<const ceph::Ioctx>> handles_ TASKD_GUARDED_BY(mutex_);
};

/// The pools of the cluster at one moment, by id, which is the dashboard's order.
class PoolMap {
  public:
    using Pools = std::map<std::int64_t, std::shared_ptr<const Pool>>;
    explicit PoolMap(Pools pools) : pools_(std::move(pools)) {}

    const Pools& all() const noexcept { return pools_; }
    /// Null when there is none.
    std::shared_ptr<const Pool> find(std::string_view name) const;
    std::shared_ptr<const Pool> find(std::int64_t id) const;

  private:
    const Pools pools_;
};

/// Asks the monitors which pools there are. librados' own map tells only of those that were there when it last had a
/// reason to ask for a new one.
/// @thread  Any.
class PoolSource {
  public:
    /// @param sender  Must outlive this.
    PoolSource(std::shared_ptr<ceph::Cluster> cluster, ceph::CommandSender& sender);

    /// Null, or what was known last, when the monitors do not say (Error in words beside it).
    struct Answer {
        std::shared_ptr<const PoolMap> pools;
        std::string problem;
    };
    /// Asks; who asks while a question waits to be sent shares its answer, which is never older than the asking.
    /// @param done  Called once, from a thread that sends commands, or here.
    void ask(std::function<void(Answer)> done);

    /// What was known last; null before the first answer. Never waits.
    std::shared_ptr<const PoolMap> last() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// The pools of `osd pool ls detail`: id, name, whether it is for images. Elements of another form are left out.
struct PoolDescription {
    std::int64_t id = 0;
    std::string name;
    bool is_for_images = false;
};
std::vector<PoolDescription> describe_pools(const nlohmann::json& answer);

}  // namespace taskd::rbd
