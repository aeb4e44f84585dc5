#include "rbd/missing_caps.hpp"

#include "ceph/caps.hpp"
#include "rbd/error.hpp"

#include <cerrno>
#include <set>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// `profile rbd pool=a, profile rbd pool=b namespace=n`: of all that is touched.
std::string osd_profiles(const Operation& operation, const nlohmann::json& arguments) {
    const auto touched = operation.touches(arguments);
    std::set<std::pair<std::string, std::string>> places;
    for (const auto& image : touched.images) {
        try {
            const auto spec = ImageSpec::parse(image);
            places.emplace(spec.pool, spec.ns);
        } catch (const BadRequest&) {
            continue;  // addressed in another way: its pool alone is known
        }
    }
    if (places.empty() && !touched.pool.empty()) places.emplace(touched.pool, std::string());
    if (const auto data = arguments.find("data_pool"); data != arguments.end() && data->is_string())
        if (auto name = data->get<std::string>(); !name.empty()) places.emplace(std::move(name), std::string());
    std::string text;
    for (const auto& [pool, ns] : places) text.append(text.empty() ? "" : ", ").append(ceph::osd_profile(pool, ns));
    return text.empty() ? ceph::osd_profile({}) : text;
}

/// The usual hint gives way to the exact one.
std::string replaced(std::string text, const std::string& hint) {
    const auto usual = text.find(usual_caps_hint);
    return usual == std::string::npos ? text + ": " + hint : text.replace(usual, usual_caps_hint.size(), hint);
}

}  // namespace

std::exception_ptr with_missing_caps(std::exception_ptr failure, const std::string& user, const Operation& operation,
                                     const nlohmann::json& arguments) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        const bool is_librados = error.component() == "rados" || error.component() == "pool";
        const bool is_refused = error.errno_value() == EPERM || error.errno_value() == EACCES;
        const bool is_marked = error.extra().is_object() && error.extra().contains("missing_caps");
        if (!is_refused || !(is_marked || is_librados)) return failure;
        const auto osd = osd_profiles(operation, arguments);
        auto extra = error.extra();
        extra["missing_caps"] = {{"user", user}, {"mon", "profile rbd"}, {"osd", osd}};
        const auto hint = ceph::needed_caps_hint(user, "mon 'profile rbd' and osd '" + osd + "'");
        return std::make_exception_ptr(Error(error.kind(), error.errno_value(), error.component(),
                                             replaced(error.what(), hint), std::move(extra)));
    } catch (...) {
        return failure;
    }
}

}  // namespace taskd::rbd
