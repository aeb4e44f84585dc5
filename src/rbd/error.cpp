#include "rbd/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace taskd::rbd {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 16> binding_texts{{
    {EPERM, "RBD permission error"},
    {ENOENT, "RBD image not found"},
    {EIO, "RBD I/O error"},
    {ENOSPC, "RBD insufficient space available"},
    {EEXIST, "RBD image already exists"},
    {EINVAL, "RBD invalid argument"},
    {EROFS, "RBD read-only image"},
    {EBUSY, "RBD image is busy"},
    {ENOTEMPTY, "RBD image has snapshots"},
    {ENOSYS, "RBD function not supported"},
    {EDOM, "RBD arguments out of range"},
    {ESHUTDOWN, "RBD connection was shutdown"},
    {ETIMEDOUT, "RBD operation timeout"},
    {EDQUOT, "RBD disk quota exceeded"},
    {EOPNOTSUPP, "RBD operation not supported"},
    {ECANCELED, "RBD operation canceled"},
}};

/// Cause and remedy of an errno that has always the same, for where nothing closer is known.
constexpr std::array<std::pair<int, std::string_view>, 13> usual_hints{{
    {EPERM, usual_caps_hint},
    {EACCES, usual_caps_hint},
    {ESHUTDOWN, "this client was fenced: its address is on the cluster's blocklist"},
    {ESTALE, "another client changed it meanwhile, and what this one knew of it is out of date: try again"},
    {EAGAIN, "another client is changing it: try again"},
    {EROFS,
     "it cannot be written here: it is a mirrored copy (promote it, or change its primary), or another client holds "
     "its "
     "lock and does not give it up (`rbd lock ls`)"},
    {ETIMEDOUT, "the cluster did not answer in time: see `ceph health detail`; it may still take effect"},
    {EIO, "an object of it cannot be read or makes no sense: see `ceph health detail` and the logs of its OSDs"},
    {ENOSPC, "the cluster or the pool is full: see `ceph df`"},
    {EDQUOT, "the pool is at its quota: see `ceph osd pool get-quota`"},
    {ENOSYS, "it has a feature that this librbd does not know: one as new as the client that made it is needed"},
    {EOPNOTSUPP, "the OSDs do not know the operation, or not for such a pool: they may be older than this librbd"},
    {ENAMETOOLONG, "the name is too long for the cluster"},
}};

std::string_view usual_hint(int code) {
    const auto* row =
        std::find_if(usual_hints.begin(), usual_hints.end(), [code](const auto& hint) { return hint.first == code; });
    return row == usual_hints.end() ? std::string_view() : row->second;
}

std::string sentence(int code, std::string_view context, std::string_view hint) {
    const auto* text =
        std::find_if(binding_texts.begin(), binding_texts.end(), [code](const auto& row) { return row.first == code; });
    std::string result = "[errno " + std::to_string(code) + "] ";
    if (text != binding_texts.end())
        result.append(text->second).append(" (").append(context).append(")");
    else
        result.append(context);
    if (!hint.empty()) result.append(": ").append(hint);
    return result;
}

}  // namespace

Error rbd_error(int rc, std::string_view context, std::string_view hint, nlohmann::json extra) {
    const auto kind = rc == -ECANCELED ? ErrorKind::cancelled : ErrorKind::refused;
    return rbd_error(kind, rc, context, hint, std::move(extra));
}

Error rbd_error(ErrorKind kind, int rc, std::string_view context, std::string_view hint, nlohmann::json extra) {
    if (hint.empty()) {
        hint = usual_hint(-rc);
        if (hint == usual_caps_hint) extra["missing_caps"] = {{"mon", "profile rbd"}, {"osd", "profile rbd"}};
    }
    return Error(kind, -rc, "rbd", sentence(-rc, context, hint), std::move(extra));
}

std::string python_bytes(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    // repr() quotes with ' unless the text has a ' and no ".
    const bool double_quoted = name.find('\'') != std::string_view::npos && name.find('"') == std::string_view::npos;
    const char quote = double_quoted ? '"' : '\'';
    std::string result = std::string("b") + quote;
    for (const char c : name) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '\\' || c == quote)
            result.append({'\\', c});
        else if (c == '\n' || c == '\r' || c == '\t')
            result.append({'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'});
        else if (byte < 0x20 || byte >= 0x7F)
            result.append({'\\', 'x', digits[byte >> 4], digits[byte & 15]});
        else
            result += c;
    }
    return result + quote;
}

}  // namespace taskd::rbd
