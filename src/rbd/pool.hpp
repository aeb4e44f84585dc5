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

/// Opens a pool for what is not of one image.
/// @param component  Of the error when there is no such pool, as the dashboard names it there.
/// @throws Error  also when the pool does not answer: librbd would wait for it without end
/// @thread Any. Blocks.
ceph::Ioctx open_pool(const ceph::Cluster& cluster, const std::string& pool, const std::string& component);

}  // namespace taskd::rbd
