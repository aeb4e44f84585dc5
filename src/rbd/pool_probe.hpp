#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace taskd::ceph {
class Cluster;
}

namespace taskd::rbd {

/// The names of all pools of the cluster.
std::vector<std::string> all_pools(const ceph::Cluster& cluster);

/// Those of the pools whose object of this name, in this namespace, cannot be asked for within the time: its placement
/// group has no primary that serves it. A librbd call that needs the object would hang there, without end.
/// @param pools  Empty: all of the cluster.
/// @thread Any. Blocks no longer than `bound`; a question that is not answered stays with librados until it is.
std::vector<std::string> silent_pools(const ceph::Cluster& cluster, const std::vector<std::string>& pools,
                                      const std::string& ns, const std::string& object,
                                      std::chrono::milliseconds bound);

/// Those in which librbd cannot look for the clones of a protected snapshot, in words for an error; empty when it can.
/// It asks every pool of the cluster for them.
std::string why_no_children(const ceph::Cluster& cluster, const std::string& ns);

/// Whether librbd can work with the images of this pool, in the same way.
std::string why_no_images(const ceph::Cluster& cluster, const std::string& pool, const std::string& ns);

/// Whether librbd can take this pool for the data of a new image, in the same way.
std::string why_no_data(const ceph::Cluster& cluster, const std::string& pool);

}  // namespace taskd::rbd
