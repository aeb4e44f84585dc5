#pragma once

#include <string>
#include <vector>

#include <rados/librados.h>

namespace taskd::rbd {

/// The namespaces of a pool, without the default one.
/// @throws Error
/// @thread Any. Blocks.
std::vector<std::string> list_namespaces(rados_ioctx_t pool);

}  // namespace taskd::rbd
