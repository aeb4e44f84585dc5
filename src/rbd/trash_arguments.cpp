#include "rbd/trash_arguments.hpp"

#include "rbd/error.hpp"
#include "rbd/removal_by_trash.hpp"

#include <cerrno>

#include <rbd/librbd.h>

namespace taskd::rbd {

void decode_trash_entry(const Arguments& fields, nlohmann::json& result) {
    result["image_id_spec"] = fields.text("image_id_spec");
    ImageIdSpec::parse(result["image_id_spec"].get_ref<const std::string&>(), "image_id_spec");
}

ImageIdSpec image_id_spec_of(const nlohmann::json& arguments) {
    return ImageIdSpec::parse(arguments.at("image_id_spec").get_ref<const std::string&>());
}

nlohmann::json metadata_of_trash_entry(const nlohmann::json& arguments) {
    return {{"image_id_spec", arguments.at("image_id_spec")}};
}

Touches touches_of_trash_entry(const nlohmann::json& arguments) {
    const auto spec = image_id_spec_of(arguments);
    return {spec.pool, {spec.format()}};
}

std::int64_t deferment_end(rados_ioctx_t pool, const std::string& id, std::string_view doing) {
    rbd_trash_image_info_t info{};
    if (const int rc = rbd_trash_get(pool, id.c_str(), &info); rc < 0) throw rbd_error(rc, doing);
    const auto source = info.source;
    const std::int64_t deleted = info.deletion_time;
    const std::int64_t end = info.deferment_end_time;
    rbd_trash_get_cleanup(&info);
    return is_being_removed(source, deleted, end) ? 0 : end;
}

}  // namespace taskd::rbd
