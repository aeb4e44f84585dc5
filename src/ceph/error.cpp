#include "ceph/error.hpp"

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace taskd::ceph {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 15> errno_texts{{
    {EPERM, "permission error"},
    {ENOENT, "object not found"},
    {EINTR, "interrupted or timeout"},
    {EIO, "I/O error"},
    {EACCES, "permission denied"},
    {EBUSY, "object busy"},
    {EEXIST, "object exists"},
    {EINVAL, "invalid argument"},
    {ENOSPC, "no space"},
    {ENODATA, "no data"},
    {EISCONN, "is connected error"},
    {ENOTCONN, "not connected"},
    {ESHUTDOWN, "connection was shutdown"},
    {ETIMEDOUT, "timed out"},
    {EINPROGRESS, "in progress error"},
}};

}  // namespace

std::string rados_error_text(int rc) {
    const int code = std::abs(rc);
    for (const auto& [known, text] : errno_texts)
        if (known == code) return "RADOS " + std::string(text);
    // The binding has no words for the others and shows the context alone; the system's text says more.
    std::string text = std::generic_category().message(code);
    if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return "RADOS " + text;
}

Error rados_error(int rc, std::string_view context, std::string component) {
    const int code = std::abs(rc);
    std::string detail = "[errno " + std::to_string(code) + "] " + rados_error_text(rc);
    if (!context.empty()) detail += " (" + std::string(context) + ")";
    return Error(code == ECANCELED ? ErrorKind::cancelled : ErrorKind::refused, code, std::move(component),
                 std::move(detail));
}

}  // namespace taskd::ceph
