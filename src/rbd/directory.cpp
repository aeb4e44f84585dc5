#include "rbd/directory.hpp"

#include "rbd/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string_view>

namespace taskd::rbd {
namespace {

constexpr const char* trash_object = "rbd_trash";
constexpr std::string_view trash_prefix = "id_";

/// Takes what Ceph's encoding put there; answers nullopt at the first thing that does not fit.
class Decoder {
  public:
    explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

    std::optional<std::uint32_t> integer(std::size_t size) {
        if (bytes_.size() < size) return std::nullopt;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i) value |= std::uint32_t{static_cast<std::uint8_t>(bytes_[i])} << 8 * i;
        bytes_.remove_prefix(size);
        return value;
    }

    std::optional<std::string> text() {
        const auto size = integer(4);
        if (!size || bytes_.size() < *size) return std::nullopt;
        std::string value(bytes_.substr(0, *size));
        bytes_.remove_prefix(*size);
        return value;
    }

  private:
    std::string_view bytes_;
};

/// Asks rbd_directory, nullopt for ENOENT.
std::optional<std::string> ask_directory(rados_ioctx_t pool, const char* method, const std::string& key) {
    const auto input = encode_text(key);
    std::array<char, 8192> output{};  // names are at most 2 KiB: longer ones have no object name
    const int rc =
        rados_exec(pool, "rbd_directory", "rbd", method, input.data(), input.size(), output.data(), output.size());
    if (rc == -ENOENT) return std::nullopt;
    if (rc < 0) throw rbd_error(rc, std::string("error reading the image directory (") + method + ")");
    auto answer = decode_text({output.data(), static_cast<std::size_t>(rc)});
    if (!answer) throw rbd_error(-EIO, "error reading the image directory");
    return answer;
}

std::optional<TrashRecord> decode_trash(std::string_view key, std::string_view value) {
    constexpr std::size_t version_compat_and_length = 6;
    if (!key.starts_with(trash_prefix) || value.size() < version_compat_and_length) return std::nullopt;
    Decoder decoder(value.substr(version_compat_and_length));
    const auto source = decoder.integer(1);
    auto name = decoder.text();
    if (!source || !name) return std::nullopt;
    return TrashRecord{std::string(key.substr(trash_prefix.size())), *std::move(name),
                       static_cast<TrashSource>(*source)};
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
        if (auto record = decode_trash(last, {value, value_size})) records.push_back(*std::move(record));
    }
}

}  // namespace

std::string encode_text(std::string_view text) {
    std::string result;
    for (std::size_t shift = 0; shift < 32; shift += 8) result += static_cast<char>(text.size() >> shift & 0xFF);
    return result.append(text);
}

std::optional<std::string> decode_text(std::string_view bytes) {
    return Decoder(bytes).text();
}

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
    const auto records = trash_records(pool);
    const auto found = std::find_if(records.begin(), records.end(), [&id](const auto& r) { return r.id == id; });
    return found == records.end() ? std::nullopt : std::optional(*found);
}

std::optional<TrashRecord> half_removed_image(rados_ioctx_t pool, const std::string& name) {
    const auto records = trash_records(pool);
    const auto found = std::find_if(records.begin(), records.end(), [&name](const TrashRecord& record) {
        return record.source == TrashSource::removing && record.name == name;
    });
    return found == records.end() ? std::nullopt : std::optional(*found);
}

}  // namespace taskd::rbd
