#include "rbd/namespaces.hpp"

#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/operation.hpp"
#include "rbd/pool.hpp"

#include <cerrno>
#include <string_view>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/namespace/create` and `rbd/namespace/delete`. The dashboard does them within the request; here they are tasks
/// for whose end the request waits, since the front never waits for the cluster.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_pool_and_namespace(const Arguments& fields) {
    json result = {{"pool_name", fields.text("pool_name")}, {"namespace", fields.text("namespace")}};
    for (const auto* field : {"pool_name", "namespace"})
        check_existing_name(result[field].get_ref<const std::string&>(), field);
    return result;
}

json decode_namespace_create(const json& given, const Limits&) {
    json result = decode_pool_and_namespace(Arguments(given, {"pool_name", "namespace"}));
    check_new_name(result["namespace"].get_ref<const std::string&>(), "namespace");
    return result;
}

json decode_namespace_delete(const json& given, const Limits&) {
    json result = decode_pool_and_namespace(Arguments(given, {"pool_name", "namespace"}));
    if (result["namespace"].get_ref<const std::string&>().empty()) throw BadRequest("namespace", "must not be empty");
    return result;
}

json metadata_of_namespace(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")}, {"namespace", arguments.at("namespace")}};
}

Touches touches_of_namespace(const json& arguments) {
    return {arguments.at("pool_name"), {}};
}

/// As the dashboard's own error: a code in words.
Error named_error(const char* code, const std::string& text) {
    return Error(ErrorKind::refused, 0, "rbd", text, {{"code", code}});
}

/// The dashboard names no component for a pool that is missing here.
ceph::Ioctx open_pool_of(OperationContext& context, const json& arguments) {
    return open_pool(context.cluster(), arguments.at("pool_name").get_ref<const std::string&>(), "");
}

json run_namespace_create(OperationContext& context, const json& arguments) {
    const auto io = open_pool_of(context, arguments);
    context.step("create namespace");
    const int rc = rbd_namespace_create(io.handle(), arguments.at("namespace").get_ref<const std::string&>().c_str());
    if (rc == -EEXIST && !context.is_repeated())
        throw named_error("namespace_already_exists", "Namespace already exists");
    if (rc < 0 && rc != -EEXIST) throw rbd_error(rc, "error creating namespace");
    return nullptr;
}

json run_namespace_delete(OperationContext& context, const json& arguments) {
    const auto& ns = arguments.at("namespace").get_ref<const std::string&>();
    const auto io = open_pool_of(context, arguments);
    context.step("remove namespace");
    const int rc = rbd_namespace_remove(io.handle(), ns.c_str());
    if (rc == -ENOENT && context.is_repeated()) return nullptr;
    if (rc == -EBUSY) {
        const auto there = context.cluster().open_ioctx(arguments.at("pool_name").get_ref<const std::string&>(), ns);
        std::size_t images = 0;
        const bool has_images = rbd_list2(there.handle(), nullptr, &images) == -ERANGE;
        throw named_error("namespace_contains_images",
                          has_images || trash_records(there.handle()).empty()
                              ? "Namespace contains images which must be deleted first"
                              : "Namespace contains images in the trash which must be removed first");
    }
    if (rc == -ENOENT)
        throw rbd_error(rc, "error removing namespace",
                        "namespace '" + shown(ns) + "' does not exist in pool '" +
                            shown(arguments.at("pool_name").get_ref<const std::string&>()) + "'");
    if (rc < 0) throw rbd_error(rc, "error removing namespace");
    return nullptr;
}

}  // namespace

std::vector<std::string> list_namespaces(rados_ioctx_t pool) {
    std::vector<char> names(4096);
    std::size_t size = names.size();
    int rc = 0;
    while ((rc = rbd_namespace_list(pool, names.data(), &size)) == -ERANGE) names.resize(size);
    if (rc < 0) throw rbd_error(rc, "error listing namespaces");
    std::vector<std::string> result;
    for (std::string_view rest(names.data(), size); !rest.empty();) {
        const auto name = rest.substr(0, rest.find('\0'));
        if (!name.empty()) result.emplace_back(name);
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    }
    return result;
}

const Operation namespace_create_operation{
    .name = "rbd/namespace/create",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-image", Access::create},
    .decode = decode_namespace_create,
    .metadata = metadata_of_namespace,
    .touches = touches_of_namespace,
    .run = run_namespace_create,
    .interrupted = "a namespace of that name counts as made",
};

const Operation namespace_delete_operation{
    .name = "rbd/namespace/delete",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-image", Access::remove},
    .decode = decode_namespace_delete,
    .metadata = metadata_of_namespace,
    .touches = touches_of_namespace,
    .run = run_namespace_delete,
    .interrupted = "a namespace that is gone counts as removed",
};

}  // namespace taskd::rbd
