#include "rbd/blockers.hpp"

#include "ceph/cluster.hpp"
#include "rbd/error.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/pool_probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <set>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

constexpr std::size_t most_in_text = 5;
constexpr std::size_t most_in_extra = 100;  // the error is kept in the task list and the journal

/// "a, b and 12 more", each made by `describe`.
template <typename List, typename Describe>
std::string enumerate(const List& list, Describe describe) {
    std::string text;
    for (std::size_t i = 0; i < std::min(list.size(), most_in_text); ++i)
        text.append(i > 0 ? ", " : "").append(describe(list[i]));
    if (list.size() > most_in_text) text += " and " + std::to_string(list.size() - most_in_text) + " more";
    return text;
}

template <typename List, typename Describe>
nlohmann::json array_of(const List& list, Describe describe) {
    auto result = nlohmann::json::array();
    for (std::size_t i = 0; i < std::min(list.size(), most_in_extra); ++i) result.push_back(describe(list[i]));
    return result;
}

bool holds_lock(const Watcher& watcher, std::uint64_t lock_owner) {
    return lock_owner != 0 && watcher.client == lock_owner;
}

std::string describe_clone(const Blockers::Clone& clone) {
    std::string text = shown(clone.child.spec) + " (of snapshot '" + shown(clone.snapshot) + "'";
    if (clone.child.in_trash) text += ", in the trash with id " + clone.child.id;
    if (!clone.obstacle.empty()) text += ", " + clone.obstacle;
    return text + ')';
}

std::string hint(const Blockers& blockers) {
    std::vector<std::string> parts;
    if (!blockers.watchers.empty())
        parts.emplace_back("in use by " + describe(blockers.watchers, blockers.lock_owner) +
                           ": close it there; a dead client goes after 30 s or with `ceph osd blocklist add ADDRESS`");
    if (blockers.is_mirror_copy)
        parts.emplace_back("it is the copy of a mirrored image: remove it at its primary site, or promote it first");
    if (blockers.is_migrating) parts.emplace_back("it is being migrated: commit or abort the migration first");
    if (blockers.group)
        parts.push_back("it belongs to the group " + shown(*blockers.group) + ": take it out of the group first");
    if (!blockers.clones.empty())
        parts.push_back("it has clones: " + describe(blockers.clones) + ": flatten or remove them first");
    if (!blockers.snapshots.empty())
        parts.push_back("it has snapshots: " +
                        enumerate(blockers.snapshots, [](const auto& name) { return shown(name); }));
    std::string text;
    for (const auto& part : parts) text.append(text.empty() ? "" : "; ").append(part);
    return text;
}

/// The client ids of the pool's rbd-mirror daemons. Their watches do not count: librbd leaves them out as well.
std::set<std::uint64_t> mirror_daemons(rados_ioctx_t pool) {
    constexpr std::size_t page = 128;
    std::set<std::uint64_t> clients;
    std::string last;
    for (std::size_t count = page; count == page;) {
        std::array<char*, page> images{};
        std::array<char*, page> instances{};
        const int rc =
            rbd_mirror_image_instance_id_list(pool, last.c_str(), page, images.data(), instances.data(), &count);
        if (rc == -ENOENT) break;
        if (rc < 0) throw rbd_error(rc, "error listing mirror image instances");
        for (std::size_t i = 0; i < count; ++i) {
            const std::string_view id = instances[i];
            std::uint64_t client = 0;
            if (std::from_chars(id.data(), id.data() + id.size(), client).ec == std::errc{}) clients.insert(client);
            last = images[i];
        }
        rbd_mirror_image_instance_id_list_cleanup(images.data(), instances.data(), count);
    }
    return clients;
}

std::string group_spec(const Image::Group& group, const ceph::Cluster& cluster) {
    std::array<char, 1024> pool{};
    const int size = rados_pool_reverse_lookup(cluster.handle(), group.pool_id, pool.data(), pool.size());
    return (size > 0 ? std::string(pool.data()) : std::to_string(group.pool_id)) + '/' + group.name;
}

std::string namespace_of(rados_ioctx_t pool) {
    std::array<char, 1024> ns{};
    return rados_ioctx_get_namespace(pool, ns.data(), ns.size()) > 0 ? std::string(ns.data()) : std::string{};
}

void find_snapshot_blockers(Image& image, SnapshotPlan plan, const std::string& ns, const ceph::Cluster& cluster,
                            Blockers& blockers) {
    if (plan == SnapshotPlan::keep) return;
    const auto snapshots = image.snapshots();
    if (snapshots.empty()) return;
    for (const auto& snapshot : snapshots) {
        const bool stays = snapshot.type == RBD_SNAP_NAMESPACE_TYPE_GROUP ||
                           (snapshot.type == RBD_SNAP_NAMESPACE_TYPE_USER && plan == SnapshotPlan::refuse);
        if (stays) blockers.snapshots.push_back(snapshot.name);
    }
    blockers.clones = find_clones(image, snapshots, ns, cluster);
}

}  // namespace

std::string describe(const std::vector<Blockers::Clone>& clones) {
    return enumerate(clones, describe_clone);
}

std::string describe(const std::vector<Watcher>& watchers, std::uint64_t lock_owner) {
    return enumerate(watchers, [lock_owner](const Watcher& watcher) {
        return watcher.address + " (client." + std::to_string(watcher.client) +
               (holds_lock(watcher, lock_owner) ? ", holds the exclusive lock)" : ")");
    });
}

nlohmann::json to_json(const std::vector<Blockers::Clone>& clones) {
    return array_of(clones, [](const Blockers::Clone& clone) {
        return nlohmann::json{{"image_spec", shown(clone.child.spec)},
                              {"id", clone.child.id},
                              {"trash", clone.child.in_trash},
                              {"snapshot", shown(clone.snapshot)}};
    });
}

nlohmann::json Blockers::to_json() const {
    nlohmann::json list = nlohmann::json::object();
    if (!watchers.empty())
        list["watchers"] = array_of(watchers, [this](const Watcher& watcher) {
            return nlohmann::json{{"address", watcher.address},
                                  {"client", watcher.client},
                                  {"cookie", watcher.cookie},
                                  {"lock_owner", holds_lock(watcher, lock_owner)}};
        });
    if (is_mirror_copy) list["mirroring"] = "non-primary";
    if (is_migrating) list["migration"] = true;
    if (group) list["group"] = shown(*group);
    if (!clones.empty()) list["children"] = rbd::to_json(clones);
    if (!snapshots.empty())
        list["snapshots"] = array_of(snapshots, [](const std::string& name) { return shown(name); });
    return list;
}

bool Blockers::empty() const noexcept {
    return watchers.empty() && !is_mirror_copy && !is_migrating && !group && clones.empty() && snapshots.empty();
}

Error Blockers::refusal(const std::string& image, std::string_view doing) const {
    int code = ENOTEMPTY;
    std::string context(doing);
    const auto of_protected = std::find_if(clones.begin(), clones.end(), [](const Clone& c) { return c.of_protected; });
    if (!watchers.empty() || is_migrating) {
        code = EBUSY;
    } else if (is_mirror_copy) {
        code = EINVAL;
    } else if (group) {
        code = EMLINK;
    } else if (of_protected != clones.end() && snapshots.empty()) {
        code = EBUSY;
        context = "error unprotecting snapshot " + python_bytes(image) + '@' + python_bytes(of_protected->snapshot);
    }
    return rbd_error(-code, context, hint(*this), {{"blockers", to_json()}});
}

Blockers find_blockers(Image& image, rados_ioctx_t pool, const ceph::Cluster& cluster, SnapshotPlan plan) {
    Blockers blockers;
    blockers.watchers = image.watchers();
    blockers.is_migrating = (image.features() & RBD_FEATURE_MIGRATING) != 0;
    if (const auto group = image.group()) blockers.group = group_spec(*group, cluster);
    if (image.is_mirrored()) {
        blockers.is_mirror_copy = image.is_mirror_copy();
        const auto daemons = mirror_daemons(pool);
        std::erase_if(blockers.watchers,
                      [&daemons](const Watcher& watcher) { return daemons.contains(watcher.client); });
    }
    if (!blockers.watchers.empty()) blockers.lock_owner = image.lock_owner(pool);
    find_snapshot_blockers(image, plan, namespace_of(pool), cluster, blockers);
    return blockers;
}

std::vector<Blockers::Clone> find_clones(Image& image, const std::vector<Snapshot>& snapshots, const std::string& ns,
                                         const ceph::Cluster& cluster) {
    std::vector<Blockers::Clone> clones;
    // Only a protected snapshot can have clones of format 1. librbd looks for those in all pools, and would wait for a
    // sick one without end.
    const bool has_protected =
        std::any_of(snapshots.begin(), snapshots.end(), [](const Snapshot& s) { return s.is_protected; });
    if (!has_protected && !image.has_clones_of_format_2()) return clones;
    if (const auto why = why_no_children(cluster, ns); !why.empty())
        throw rbd_error(-ETIMEDOUT, "error listing children of image " + python_bytes(image.name()), why);
    if (image.children().empty()) return clones;
    for (const auto& snapshot : snapshots)
        for (auto& child : image.children_of(snapshot.id))
            clones.push_back({snapshot.name, snapshot.is_protected, std::move(child)});
    return clones;
}

}  // namespace taskd::rbd
