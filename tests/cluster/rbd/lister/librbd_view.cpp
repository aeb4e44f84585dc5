#include "librbd_view.hpp"

#include "rbd/open_image.hpp"

#include <array>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <vector>

#include <rbd/librbd.h>

namespace taskd::test {
namespace {

using nlohmann::json;

int checked(int rc, const char* what) {
    if (rc < 0) throw std::runtime_error(std::string(what) + ": " + std::to_string(rc));
    return rc;
}

rbd::OpenImage open(rados_ioctx_t pool, const std::string& name) {
    int rc = 0;
    auto image = rbd::open_image(pool, rbd_open_read_only, name, rc);
    checked(rc, "open");
    return image;
}

template <class Ask>
std::uint64_t number(Ask&& ask, const char* what) {
    std::uint64_t value = 0;
    checked(ask(&value), what);
    return value;
}

json time_of(const timespec& time) {
    return {time.tv_sec, time.tv_nsec};
}

std::string pool_name(rados_ioctx_t pool, std::int64_t id) {
    std::array<char, 256> name{};
    rados_pool_reverse_lookup(rados_ioctx_get_cluster(pool), id, name.data(), name.size());
    return name.data();
}

json parent_of(rbd_image_t image) {
    rbd_linked_image_spec_t parent{};
    rbd_snap_spec_t snapshot{};
    const int rc = rbd_get_parent(image, &parent, &snapshot);
    if (rc == -ENOENT) return nullptr;
    checked(rc, "get parent");
    json view{{"pool", parent.pool_name}, {"ns", parent.pool_namespace}, {"name", parent.image_name},
              {"id", parent.image_id},    {"snapshot", snapshot.name},   {"in_trash", parent.trash}};
    rbd_linked_image_spec_cleanup(&parent);
    rbd_snap_spec_cleanup(&snapshot);
    return view;
}

/// As the dashboard counts them: not those in the trash, each name once.
json clones_of(rbd_image_t image) {
    std::vector<rbd_linked_image_spec_t> children(64);
    std::size_t count = children.size();
    checked(rbd_list_children3(image, children.data(), &count), "list children");
    std::set<std::pair<std::string, std::string>> names;
    for (std::size_t i = 0; i < count; ++i)
        if (!children[i].trash) names.emplace(children[i].pool_name, children[i].image_name);
    rbd_linked_image_spec_list_cleanup(children.data(), count);
    return names;
}

std::uint64_t used(rbd_image_t image, const char* before, std::uint64_t size) {
    std::uint64_t sum = 0;
    const auto add = [](std::uint64_t, std::size_t length, int exists, void* to) {
        if (exists != 0) *static_cast<std::uint64_t*>(to) += length;
        return 0;
    };
    checked(rbd_diff_iterate2(image, before, 0, size, 1, 1, add, &sum), "diff");
    return sum;
}

json options_of(rbd_image_t image) {
    std::vector<rbd_config_option_t> options(256);
    int count = static_cast<int>(options.size());
    checked(rbd_config_image_list(image, options.data(), &count), "list config");
    json view = json::object();
    for (int i = 0; i < count; ++i) {
        const auto& option = options[static_cast<std::size_t>(i)];
        if (option.source == RBD_CONFIG_SOURCE_IMAGE) view[option.name] = option.value;
    }
    rbd_config_image_list_cleanup(options.data(), count);
    return view;
}

json snapshots_of(rbd_image_t image, bool with_usage, std::uint64_t& total, std::string& last) {
    std::vector<rbd_snap_info_t> snapshots(64);
    int count = static_cast<int>(snapshots.size());
    count = checked(rbd_snap_list(image, snapshots.data(), &count), "list snapshots");
    json view = json::array();
    for (int i = 0; i < count; ++i) {
        const auto& snapshot = snapshots[static_cast<std::size_t>(i)];
        rbd_snap_namespace_type_t type{};
        checked(rbd_snap_get_namespace_type(image, snapshot.id, &type), "snapshot type");
        timespec created{};
        checked(rbd_snap_get_timestamp(image, snapshot.id, &created), "snapshot time");
        int is_protected = 0;
        std::array<char, 256> original{};
        if (type == RBD_SNAP_NAMESPACE_TYPE_USER)
            checked(rbd_snap_is_protected(image, snapshot.name, &is_protected), "protection");
        if (type == RBD_SNAP_NAMESPACE_TYPE_TRASH)
            checked(rbd_snap_get_trash_namespace(image, snapshot.id, original.data(), original.size()), "trash");
        checked(rbd_snap_set_by_id(image, snapshot.id), "set snapshot");
        json entry{{"id", snapshot.id},
                   {"name", snapshot.name},
                   {"size", snapshot.size},
                   {"type", type},
                   {"created", time_of(created)},
                   {"protected", is_protected != 0},
                   {"clones", clones_of(image)},
                   {"original", original.data()},
                   {"used", nullptr}};
        if (with_usage) {
            const auto bytes = used(image, last.empty() ? nullptr : last.c_str(), snapshot.size);
            entry["used"] = bytes;
            total += bytes;
            last = snapshot.name;
        }
        view.push_back(std::move(entry));
    }
    rbd_snap_list_end(snapshots.data());
    checked(rbd_snap_set(image, nullptr), "leave snapshot");
    return view;
}

}  // namespace

json librbd_view(rados_ioctx_t pool, const std::string& name, bool with_usage) {
    const auto opened = open(pool, name);
    rbd_image_t image = opened.get();
    rbd_image_info_t info{};
    checked(rbd_stat(image, &info, sizeof info), "stat");
    std::uint8_t old = 0;
    checked(rbd_get_old_format(image, &old), "format");
    std::array<char, 256> id{};
    if (old == 0) checked(rbd_get_id(image, id.data(), id.size()), "id");
    timespec created{};
    timespec modified{};
    checked(rbd_get_create_timestamp(image, &created), "created");
    checked(rbd_get_modify_timestamp(image, &modified), "modified");
    const auto data_pool = rbd_get_data_pool_id(image);
    json view{
        {"id", id.data()},
        {"format", old != 0 ? 1 : 2},
        {"size", info.size},
        {"order", info.order},
        {"objects", info.num_objs},
        {"prefix", std::string(info.block_name_prefix).substr(0, RBD_MAX_BLOCK_NAME_SIZE - 1)},
        {"features", number([&](auto* value) { return rbd_get_features(image, value); }, "features")},
        {"flags", number([&](auto* value) { return rbd_get_flags(image, value); }, "flags")},
        {"operation_features", number([&](auto* value) { return rbd_get_op_features(image, value); }, "operations")},
        {"stripe_unit", number([&](auto* value) { return rbd_get_stripe_unit(image, value); }, "stripe unit")},
        {"stripe_count", number([&](auto* value) { return rbd_get_stripe_count(image, value); }, "stripe count")},
        {"created", time_of(created)},
        {"modified", time_of(modified)},
        {"data_pool", data_pool == rados_ioctx_get_id(pool) ? json() : json(pool_name(pool, data_pool))},
        {"overlap", number([&](auto* value) { return rbd_get_overlap(image, value); }, "overlap")},
        {"parent", parent_of(image)},
        {"options", options_of(image)},
        {"used", nullptr},
        {"total", nullptr},
    };
    std::uint64_t total = 0;
    std::string last;
    view["snapshots"] = snapshots_of(image, with_usage, total, last);
    if (with_usage) {
        const auto bytes = used(image, last.empty() ? nullptr : last.c_str(), info.size);
        view["used"] = bytes;
        view["total"] = total + bytes;
    }
    return view;
}

json view_of(const rbd::ListedImage& listed) {
    const auto& image = listed.details.value();
    const auto time = [](const rbd::wire::Time& value) { return json{value.seconds, value.nanoseconds}; };
    const auto maybe = [](const auto& value) { return value ? json(*value) : json(); };
    json view{{"id", listed.id},
              {"format", image.format},
              {"size", image.size_bytes},
              {"order", image.order},
              {"objects", image.objects},
              {"prefix", image.object_prefix.substr(0, RBD_MAX_BLOCK_NAME_SIZE - 1)},
              {"features", image.features},
              {"flags", image.flags},
              {"operation_features", image.operation_features},
              {"stripe_unit", image.stripe_unit_bytes},
              {"stripe_count", image.stripe_count},
              {"created", time(image.created)},
              {"modified", time(image.modified)},
              {"data_pool", maybe(image.data_pool)},
              {"overlap", image.overlap_bytes},
              {"parent", nullptr},
              {"options", image.options},
              {"used", maybe(image.used_bytes)},
              {"total", maybe(image.total_used_bytes)},
              {"snapshots", json::array()}};
    if (image.parent)
        view["parent"] = {{"pool", image.parent->pool},         {"ns", image.parent->ns},
                          {"name", image.parent->name},         {"id", image.parent->id},
                          {"snapshot", image.parent->snapshot}, {"in_trash", image.parent->is_in_trash}};
    for (const auto& snapshot : image.snapshots) {
        json clones = json::array();
        for (const auto& clone : snapshot.clones) clones.push_back({clone.pool, clone.name});
        view["snapshots"].push_back({{"id", snapshot.id},
                                     {"name", snapshot.name},
                                     {"size", snapshot.size_bytes},
                                     {"type", snapshot.type},
                                     {"created", time(snapshot.created)},
                                     {"protected", snapshot.is_protected},
                                     {"clones", clones},
                                     {"original", snapshot.original_name},
                                     {"used", maybe(snapshot.used_bytes)}});
    }
    if (view["options"].is_null()) view["options"] = json::object();
    return view;
}

}  // namespace taskd::test
