#include "rbd/mirroring_change.hpp"

#include "rbd/error.hpp"

#include <cerrno>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

enum class State { disabled, primary, copy };

State state_of(const Image& image) {
    if (!image.is_mirrored()) return State::disabled;
    return image.is_mirror_copy() ? State::copy : State::primary;
}

/// The dashboard's words, up to its "to primary".
std::string doing(std::string_view verb, const Image& image, std::string_view after = {}) {
    return "error " + std::string(verb) + " image " + python_bytes(image.name()) + std::string(after);
}

void check(int rc, const std::string& what) {
    if (rc < 0) throw rbd_error(rc, what);
}

rbd_mirror_image_mode_t mode_from(const std::string& text) {
    return text == "journal" ? RBD_MIRROR_IMAGE_MODE_JOURNAL : RBD_MIRROR_IMAGE_MODE_SNAPSHOT;
}

void check_enabling(const Image& image, rados_ioctx_t pool, const MirroringChange& change) {
    if (change.mode.empty()) throw BadRequest("mirror_mode", "is required to enable mirroring");
    rbd_mirror_mode_t mode = RBD_MIRROR_MODE_DISABLED;
    check(rbd_mirror_mode_get(pool, &mode), "error getting mirror mode");
    if (mode == RBD_MIRROR_MODE_DISABLED)
        throw rbd_error(-EINVAL, doing("enabling mirroring for", image), "mirroring of its pool is disabled");
}

MirroringStep enabling(const Image& image, const std::string& mode, const std::function<Image&()>& writable) {
    return {"enable mirroring",
            [=, what = doing("enabling mirroring for", image)] {
                check(rbd_mirror_image_enable2(writable().handle(), mode_from(mode)), what);
            },
            [=, what = doing("disabling mirroring for", image)] {
                check(rbd_mirror_image_disable(writable().handle(), false), what);
            }};
}

MirroringStep disabling(const Image& image, const std::function<Image&()>& writable) {
    return {"disable mirroring",
            [=, what = doing("disabling mirroring for", image)] {
                check(rbd_mirror_image_disable(writable().handle(), false), what);
            },
            {}};
}

MirroringStep promoting(const Image& image, bool force, const std::function<Image&()>& writable) {
    return {"promote",
            [=, what = doing("promoting", image, " to primary")] {
                check(rbd_mirror_image_promote(writable().handle(), force), what);
            },
            {}};
}

MirroringStep demoting(const Image& image, const std::function<Image&()>& writable) {
    return {"demote",
            [=, what = doing("demoting", image, " to secondary")] {
                check(rbd_mirror_image_demote(writable().handle()), what);
            },
            [=, what = doing("promoting", image, " to primary")] {
                check(rbd_mirror_image_promote(writable().handle(), false), what);
            }};
}

}  // namespace

std::vector<MirroringStep> plan_mirroring(const Image& image, rados_ioctx_t pool, const MirroringChange& change,
                                          std::function<Image&()> writable) {
    std::vector<MirroringStep> steps;
    if (change.empty()) return steps;
    const auto state = state_of(image);
    const bool enables = change.enable == true && state == State::disabled;
    const bool disables = change.enable == false && state != State::disabled;
    // A new one begins as primary; there is nothing to promote at one that is not, or no longer, mirrored.
    const bool is_mirrored = enables || (state != State::disabled && !disables);
    if (change.primary == true && !is_mirrored)
        throw rbd_error(-ENOENT, doing("promoting", image, " to primary"), "it is not mirrored");
    if (change.resync && !is_mirrored) throw rbd_error(-ENOENT, doing("to resync", image), "it is not mirrored");
    if (enables) {
        check_enabling(image, pool, change);
        steps.push_back(enabling(image, change.mode, writable));
    }
    if (disables) steps.push_back(disabling(image, writable));
    if (change.primary == true && state == State::copy) steps.push_back(promoting(image, change.force, writable));
    if (change.primary == false && (enables || (state == State::primary && !disables)))
        steps.push_back(demoting(image, writable));
    if (change.resync)
        steps.push_back({"resync",
                         [writable, what = doing("to resync", image)] {
                             check(rbd_mirror_image_resync(writable().handle()), what);
                         },
                         {}});
    return steps;
}

}  // namespace taskd::rbd
