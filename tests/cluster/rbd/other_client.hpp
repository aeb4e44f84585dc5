#pragma once

#include "ceph/cluster.hpp"
#include "rbd/directory.hpp"
#include "rbd/open_image.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rbd/librbd.h>

namespace taskd::test {

/// Somebody else who works with the images of a pool, by librbd alone: makes what the tests need and looks at what is
/// left. Every member throws std::runtime_error when librbd refuses.
/// @thread  Any.
class OtherClient {
  public:
    OtherClient(const ceph::Cluster& cluster, const std::string& pool, const std::string& ns = "")
        : cluster_(cluster), io_(cluster.open_ioctx(pool, ns)) {}

    const ceph::Cluster& cluster() const { return cluster_; }
    rados_ioctx_t pool() const { return io_.handle(); }

    /// An image of `features` (default: the cluster's); returns its id.
    std::string make(const std::string& name, std::uint64_t size = 1 << 22);
    std::string make(const std::string& name, std::uint64_t size, std::uint64_t features);
    void snapshot(const std::string& name, const std::string& snapshot, bool protect = false);
    void clone(const std::string& parent, const std::string& snapshot, const std::string& child, int format = 1);
    /// For writing, so that it is seen as in use.
    rbd::OpenImage open(const std::string& name) const;
    rbd::OpenImage open_read_only(const std::string& name) const;
    void remove(const std::string& name);
    void move_to_trash(const std::string& name);
    /// What is in the trash has its name as well then, as a restoring that is cut off leaves it.
    void give_name_back(const std::string& id, const std::string& name);
    void remove_from_trash(const std::string& id);
    void rename(const std::string& from, const std::string& to);
    /// Begins to remove it and stops half-way, as a client that is killed.
    void remove_half(const std::string& name);
    /// What is in the trash then looks as if its move there, or back, had been cut off.
    void set_trash_state(const std::string& id, rbd::TrashState state);

    bool exists(const std::string& name) const;
    std::string id_of(const std::string& name) const;
    std::vector<std::string> snapshots(const std::string& name) const;
    std::size_t watchers(const std::string& name) const;
    std::map<std::string, std::string> metadata(const std::string& name) const;
    /// Everything that `rbd ls` shows, half-removed images included.
    std::vector<std::string> listed() const;
    /// Objects of the pool, in this namespace, whose name has `part` in it.
    std::vector<std::string> objects_with(const std::string& part) const;

  private:
    rbd::OpenImage try_open_read_only(const std::string& name, int& rc) const;

    const ceph::Cluster& cluster_;
    ceph::Ioctx io_;
};

}  // namespace taskd::test
