#pragma once

#include "rbd/image.hpp"

#include <functional>
#include <optional>
#include <string>

namespace taskd::rbd {

/// What an edit says of an image's mirroring. What is so already is not done again, as in the dashboard.
struct MirroringChange {
    std::optional<bool> enable;
    std::string mode;  ///< "journal", "snapshot"; needed to enable it.
    std::optional<bool> primary;
    bool force = false;  ///< Promote although the other site was not demoted.
    bool resync = false;

    bool empty() const noexcept { return !enable && !primary && !resync; }
    /// Whether the image is mirrored by snapshots once this is done.
    /// @param is_mirrored, by_snapshots  What it is before.
    bool leaves_snapshots(bool is_mirrored, bool by_snapshots) const {
        return enable == true && !is_mirrored ? mode == "snapshot" : by_snapshots && enable != false;
    }
};

/// What is to be done of it, with what takes it back.
struct MirroringStep {
    std::string name;  ///< "enable mirroring"
    std::function<void()> run;
    std::function<void()> undo;  ///< Empty: it cannot be taken back.
};

/// Looks at all that is known to forbid it and says what there is to do, in order.
/// @param image  Opened read-only is enough; `writable` gives the handle to work with, when a step is run.
/// @throws Error
/// @thread Any. Blocks.
std::vector<MirroringStep> plan_mirroring(const Image& image, rados_ioctx_t pool, const MirroringChange& change,
                                          std::function<Image&()> writable);

}  // namespace taskd::rbd
