#pragma once

#include "rbd/image_spec.hpp"

namespace taskd::ceph {
class Cluster;
class Ioctx;
}  // namespace taskd::ceph

namespace taskd::rbd {

/// For when something was not found: whether the pool was deleted and made again under its name meanwhile, in which
/// case a client with an old OSD map looks into the old one. `pool` then is the new one.
/// @throws Error  of component "pool" when there is none of that name any more
/// @thread Any. Blocks for the newest OSD map.
bool reopen_if_replaced(const ceph::Cluster& cluster, const ImageSpec& spec, ceph::Ioctx& pool);

}  // namespace taskd::rbd
