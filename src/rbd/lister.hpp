#pragma once

#include "rbd/image_spec.hpp"
#include "rbd/lister/image_details.hpp"
#include "rbd/lister/image_options.hpp"
#include "rbd/lister/mirroring_health.hpp"
#include "rbd/lister/page.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
class Cluster;
class CommandSender;
}  // namespace taskd::ceph

namespace taskd::rbd {

/// A pool, or some of its objects, that did not answer in time, or refused to.
struct SilentPool {
    std::string name;
    int error = 0;  ///< Positive errno.
    std::string problem;
};

/// What pools override of librbd's options, by pool: metadata conf_* of the pool, without the prefix.
using PoolOptions = std::map<std::string, std::map<std::string, std::string>>;

struct ListRequest {
    std::string pool;  ///< Empty: all pools with the application rbd.
    PageRequest page;
    bool wants_usage = true;
};

struct ImageList {
    std::vector<ListedImage> images;  ///< Of the page, in its order.
    std::size_t total = 0;            ///< That match, on all pages.
    std::vector<SilentPool> silent;   ///< By pool id.
    PoolOptions options;
};

using NextSnapshots = std::map<std::string, nlohmann::json>;

struct ImageAnswer {
    ListedImage image;  ///< Present.
    PoolOptions options;
};

struct TrashAnswer {
    struct Entry {
        std::string ns;
        std::string id;
        std::string name;
        std::uint8_t source = 0;  ///< RBD_TRASH_IMAGE_SOURCE_*
        wire::Time deleted;
        wire::Time deferred_until;
    };
    std::string pool;
    std::vector<Entry> entries;  ///< By namespace, the one without a name last, and id. None half-removed.
    int error = 0;               ///< Positive errno of a pool that did not answer.
    std::string problem;
};

struct NamespaceAnswer {
    std::string name;
    std::size_t images = 0;
};

struct MirrorPeer {
    std::string uuid;
    std::uint8_t direction = 0;  ///< RBD_MIRROR_PEER_DIRECTION_*
    std::string site_name;
    std::string client_name;  ///< "client.rbd-mirror-peer"
    std::string mirror_uuid;
};

struct MirroringAnswer {
    std::int64_t pool_id = 0;
    std::uint32_t mode = 0;  ///< RBD_MIRROR_MODE_*
    std::vector<MirrorPeer> peers;
};

/// The answer to a question, or why there is none.
template <class Value>
struct Outcome {
    Value value{};
    std::exception_ptr error{};
};
template <class Value>
using Answered = std::function<void(Outcome<Value>)>;

/// Tells what images there are, in all pools at once and without opening one: names from the directory objects, then a
/// compound read of each header, hundreds under way (docs/rbd-wire-format.md says what is read).
///
/// A pool that does not answer costs 1.2 s once and 0.25 s while it stays so; the answer then says which. Nothing is
/// answered from memory that the OSD has not confirmed.
/// @thread  Any. No member waits; answers come once each, on the lister's thread (taskd-lister), and must not block it.
class Lister {
  public:
    /// @param sender  Asks the monitors for the pools. Must outlive this.
    Lister(std::shared_ptr<ceph::Cluster> cluster, ceph::CommandSender& sender);
    /// Ends what is under way: it is answered with an Error (unavailable).
    ~Lister();
    Lister(const Lister&) = delete;
    Lister& operator=(const Lister&) = delete;

    /// @throws QueueFull, as all others
    void list(ListRequest request, Answered<ImageList> done);
    /// Error not_found (component rbd) when there is no such image, or only a half-removed one.
    /// @param id  The id that it must have, which says what the name cannot (`is_meant`); empty: whoever has the name.
    void get(ImageSpec image, std::string id, bool wants_usage, Answered<ImageAnswer> done);
    /// @param pool  Empty: all pools with the application rbd.
    void trash(std::string pool, Answered<std::vector<TrashAnswer>> done);
    void namespaces(std::string pool, Answered<std::vector<NamespaceAnswer>> done);
    void mirroring(std::string pool, Answered<MirroringAnswer> done);
    /// The names of the pools with the application rbd.
    void image_pools(Answered<std::vector<std::string>> done);

    /// The oldest Ceph whose clients can use the cluster, "luminous"; answered on a thread that sends commands.
    /// @throws QueueFull, Error (unavailable)
    void oldest_client(Answered<std::string> done);

    /// When the mgr takes the next mirror snapshot of images: `{"image", "schedule_time"}` in its words, by
    /// `pool[/namespace]/name`. Answered on a thread that sends commands, a minute later at most.
    /// @throws QueueFull, Error (unavailable)
    /// @source  mgr `rbd mirror snapshot schedule status`
    void next_snapshots(Answered<NextSnapshots> done);

    /// How mirroring fares, as it was known last, at once; looked at anew every few seconds while somebody asks.
    /// Nothing before the first look has ended.
    std::optional<MirroringHealth> mirroring_health();

    /// With what librbd works.
    const ImageOptions& options() const noexcept;

    struct Impl;

  private:
    std::shared_ptr<Impl> impl_;  // pools that are asked for may be told of when this is gone
};

}  // namespace taskd::rbd
