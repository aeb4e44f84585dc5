#include "core/name_glob.hpp"

#include <fnmatch.h>

namespace taskd {

bool matches_glob(const std::string& glob, const std::string& name) {
    return glob.empty() || ::fnmatch(glob.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

}  // namespace taskd
