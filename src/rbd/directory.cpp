#include "rbd/directory.hpp"

#include "rbd/error.hpp"
#include "rbd/lister/header_wire.hpp"
#include "rbd/removal_by_trash.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

namespace taskd::rbd {
namespace {

constexpr const char* trash_object = "rbd_trash";
constexpr std::string_view trash_prefix = "id_";

/// Asks an object about a name or an id, nullopt for ENOENT.
/// @param what  The object in words.
std::optional<std::string> ask(rados_ioctx_t pool, const char* object, const char* what, const char* method,
                               const std::string& key) {
    const auto input = wire::text_input(key);
    std::array<char, 8192> output{};  // names are at most 2 KiB: longer ones have no object name
    const int rc = rados_exec(pool, object, "rbd", method, input.data(), input.size(), output.data(), output.size());
    if (rc == -ENOENT) return std::nullopt;
    if (rc < 0) throw rbd_error(rc, std::string("error reading ") + what + " (" + method + ")");
    return std::string(output.data(), static_cast<std::size_t>(rc));
}

std::optional<std::string> ask_directory(rados_ioctx_t pool, const char* method, const std::string& key) {
    const auto bytes = ask(pool, "rbd_directory", "the image directory", method, key);
    if (!bytes) return std::nullopt;
    auto answer = wire::decode_text(*bytes);
    if (!answer) throw rbd_error(-EIO, "error reading the image directory");
    return answer;
}

std::optional<TrashRecord> decode_trash(std::string_view id, std::string_view value) {
    const auto entry = wire::decode_trash(value);
    if (!entry) return std::nullopt;
    const auto deleted =
        std::chrono::seconds(entry->deleted.seconds) + std::chrono::nanoseconds(entry->deleted.nanoseconds);
    return TrashRecord{std::string(id),
                       entry->name,
                       static_cast<TrashSource>(entry->source),
                       static_cast<TrashState>(entry->state),
                       std::chrono::system_clock::time_point(deleted),
                       is_being_removed(*entry)};
}

/// Adds one page of records that come after `last` and moves `last`; false when it was the last page.
bool add_page(rados_ioctx_t pool, std::string& last, std::vector<TrashRecord>& records) {
    constexpr std::uint64_t page = 1024;
    const std::unique_ptr<void, decltype(&rados_release_read_op)> op(rados_create_read_op(), rados_release_read_op);
    rados_omap_iter_t iterator = nullptr;
    unsigned char more = 0;
    int part = 0;
    rados_read_op_omap_get_vals2(op.get(), last.c_str(), trash_prefix.data(), page, &iterator, &more, &part);
    int rc = rados_read_op_operate(op.get(), pool, trash_object, LIBRADOS_OPERATION_NOFLAG);
    const std::unique_ptr<void, decltype(&rados_omap_get_end)> entries(iterator, rados_omap_get_end);
    if (rc == -ENOENT) return false;
    if (rc == 0) rc = part;
    if (rc < 0) throw rbd_error(rc, "error reading the trash");
    for (;;) {
        char* key = nullptr;
        char* value = nullptr;
        std::size_t key_size = 0;
        std::size_t value_size = 0;
        rados_omap_get_next2(iterator, &key, &value, &key_size, &value_size);
        if (key == nullptr) return more != 0;
        last.assign(key, key_size);
        const auto id = std::string_view(last).substr(trash_prefix.size());
        if (auto record = decode_trash(id, {value, value_size})) records.push_back(*std::move(record));
    }
}

}  // namespace

std::optional<std::string> id_of_image(rados_ioctx_t pool, const std::string& name) {
    return ask_directory(pool, "dir_get_id", name);
}

std::optional<std::string> name_of_image(rados_ioctx_t pool, const std::string& id) {
    return ask_directory(pool, "dir_get_name", id);
}

std::vector<TrashRecord> trash_records(rados_ioctx_t pool) {
    std::vector<TrashRecord> records;
    std::string last;
    while (add_page(pool, last, records)) continue;
    return records;
}

std::optional<TrashRecord> trash_record(rados_ioctx_t pool, const std::string& id) {
    const auto bytes = ask(pool, trash_object, "the trash", "trash_get", id);
    if (!bytes) return std::nullopt;
    auto record = decode_trash(id, *bytes);
    if (!record) throw rbd_error(-EIO, "error reading the trash");
    return record;
}

int set_trash_state(rados_ioctx_t pool, const std::string& id, TrashState state, TrashState expected) noexcept {
    auto input = wire::text_input(id);
    input += static_cast<char>(state);
    input += static_cast<char>(expected);
    return rados_exec(pool, trash_object, "rbd", "trash_state_set", input.data(), input.size(), nullptr, 0);
}

std::optional<TrashRecord> half_removed_image(rados_ioctx_t pool, const std::string& name) {
    const auto records = trash_records(pool);
    const auto found = std::find_if(records.begin(), records.end(), [&name](const TrashRecord& record) {
        return record.is_being_removed && record.name == name;
    });
    return found == records.end() ? std::nullopt : std::optional(*found);
}

}  // namespace taskd::rbd
