#include "cluster/rbd/other_client.hpp"

#include "rbd/lister/header_wire.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>

namespace taskd::test {
namespace {

int check(int rc, const std::string& what) {
    if (rc < 0) throw std::runtime_error(what + ": " + std::to_string(rc));
    return rc;
}

int stop_after_some(std::uint64_t, std::uint64_t, void* calls) {
    constexpr int enough = 5;
    return ++*static_cast<int*>(calls) < enough ? 0 : -ECANCELED;
}

}  // namespace

std::string OtherClient::make(const std::string& name, std::uint64_t size) {
    int order = 0;
    check(rbd_create(pool(), name.c_str(), size, &order), "create " + name);
    return id_of(name);
}

std::string OtherClient::make(const std::string& name, std::uint64_t size, std::uint64_t features) {
    int order = 0;
    check(rbd_create2(pool(), name.c_str(), size, features, &order), "create " + name);
    return id_of(name);
}

void OtherClient::snapshot(const std::string& name, const std::string& snapshot, bool protect) {
    const auto image = open(name);
    check(rbd_snap_create(image.get(), snapshot.c_str()), "snapshot " + name);
    if (protect) check(rbd_snap_protect(image.get(), snapshot.c_str()), "protect " + name);
}

void OtherClient::clone(const std::string& parent, const std::string& snapshot, const std::string& child, int format) {
    rbd_image_options_t options = nullptr;
    rbd_image_options_create(&options);
    rbd_image_options_set_uint64(options, RBD_IMAGE_OPTION_CLONE_FORMAT, static_cast<std::uint64_t>(format));
    const int rc = rbd_clone3(pool(), parent.c_str(), snapshot.c_str(), pool(), child.c_str(), options);
    rbd_image_options_destroy(options);
    check(rc, "clone " + child);
}

rbd::OpenImage OtherClient::open(const std::string& name) const {
    int rc = 0;
    auto image = rbd::open_image(pool(), rbd_open, name, rc);
    check(rc, "open " + name);
    return image;
}

rbd::OpenImage OtherClient::open_read_only(const std::string& name) const {
    int rc = 0;
    auto image = try_open_read_only(name, rc);
    check(rc, "open " + name);
    return image;
}

rbd::OpenImage OtherClient::try_open_read_only(const std::string& name, int& rc) const {
    return rbd::open_image(pool(), rbd_open_read_only, name, rc);
}

void OtherClient::remove(const std::string& name) {
    check(rbd_remove(pool(), name.c_str()), "remove " + name);
}

void OtherClient::move_to_trash(const std::string& name) {
    check(rbd_trash_move(pool(), name.c_str(), 0), "move to trash " + name);
}

void OtherClient::remove_from_trash(const std::string& id) {
    check(rbd_trash_remove(pool(), id.c_str(), true), "remove from trash " + id);
}

void OtherClient::give_name_back(const std::string& id, const std::string& name) {
    const auto encoded_id = rbd::wire::text_input(id);
    check(rados_write_full(pool(), ("rbd_id." + name).c_str(), encoded_id.data(), encoded_id.size()), "write rbd_id");
    const auto entry = rbd::wire::text_input(name) + encoded_id;
    check(rados_exec(pool(), "rbd_directory", "rbd", "dir_add_image", entry.data(), entry.size(), nullptr, 0),
          "dir_add_image " + name);
}

void OtherClient::rename(const std::string& from, const std::string& to) {
    check(rbd_rename(pool(), from.c_str(), to.c_str()), "rename " + from);
}

void OtherClient::remove_half(const std::string& name) {
    int calls = 0;
    const int rc = rbd_remove_with_progress(pool(), name.c_str(), stop_after_some, &calls);
    if (rc != -ECANCELED) throw std::runtime_error("not stopped: " + std::to_string(rc));
}

void OtherClient::set_trash_state(const std::string& id, rbd::TrashState state) {
    std::string input(1, static_cast<char>(id.size()));
    input.append(3, '\0').append(id);
    input += static_cast<char>(state);
    input += static_cast<char>(rbd::TrashState::normal);  // the one that it must have
    check(rados_exec(pool(), "rbd_trash", "rbd", "trash_state_set", input.data(), input.size(), nullptr, 0),
          "trash_state_set " + id);
}

bool OtherClient::exists(const std::string& name) const {
    int rc = 0;
    try_open_read_only(name, rc);
    if (rc == -ENOENT) return false;
    check(rc, "open " + name);
    return true;
}

std::string OtherClient::id_of(const std::string& name) const {
    std::array<char, 64> id{};
    check(rbd_get_id(open_read_only(name).get(), id.data(), id.size()), "id of " + name);
    return id.data();
}

std::vector<std::string> OtherClient::snapshots(const std::string& name) const {
    const auto image = open_read_only(name);
    std::array<rbd_snap_info_t, 64> raw{};
    int size = static_cast<int>(raw.size());
    const int count = check(rbd_snap_list(image.get(), raw.data(), &size), "snapshots of " + name);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.emplace_back(raw[static_cast<std::size_t>(i)].name);
    if (count > 0) rbd_snap_list_end(raw.data());
    return names;
}

std::size_t OtherClient::watchers(const std::string& name) const {
    const auto image = open_read_only(name);
    std::array<rbd_image_watcher_t, 16> raw{};
    std::size_t count = raw.size();
    check(rbd_watchers_list(image.get(), raw.data(), &count), "watchers of " + name);
    rbd_watchers_list_cleanup(raw.data(), count);
    return count;
}

std::map<std::string, std::string> OtherClient::metadata(const std::string& name) const {
    const auto image = open_read_only(name);
    std::vector<char> keys(4096);
    std::vector<char> values(4096);
    std::size_t keys_size = keys.size();
    std::size_t values_size = values.size();
    check(rbd_metadata_list(image.get(), "", 0, keys.data(), &keys_size, values.data(), &values_size), "metadata");
    std::map<std::string, std::string> result;
    const char* value = values.data();
    for (const char* key = keys.data(); key < keys.data() + keys_size;) {
        const std::string name_of_key = key;
        result[name_of_key] = value;
        key += name_of_key.size() + 1;
        value += result[name_of_key].size() + 1;
    }
    return result;
}

std::vector<std::string> OtherClient::listed() const {
    std::vector<rbd_image_spec_t> raw(256);
    std::size_t count = raw.size();
    check(rbd_list2(pool(), raw.data(), &count), "list");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.emplace_back(raw[i].name);
    rbd_image_spec_list_cleanup(raw.data(), count);
    return names;
}

std::vector<std::string> OtherClient::objects_with(const std::string& part) const {
    rados_list_ctx_t list = nullptr;
    check(rados_nobjects_list_open(pool(), &list), "list objects");
    std::vector<std::string> names;
    const char* name = nullptr;
    while (rados_nobjects_list_next(list, &name, nullptr, nullptr) == 0)
        if (std::string(name).find(part) != std::string::npos) names.emplace_back(name);
    rados_nobjects_list_close(list);
    return names;
}

}  // namespace taskd::test
