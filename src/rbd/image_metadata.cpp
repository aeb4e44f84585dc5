#include "rbd/image_metadata.hpp"

#include "rbd/error.hpp"
#include "rbd/image.hpp"

#include <cerrno>
#include <string_view>
#include <vector>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t page = 128;

/// The texts that end with NUL in a buffer, in order.
std::vector<std::string> texts(const std::vector<char>& buffer, std::size_t size) {
    std::vector<std::string> result;
    for (std::size_t at = 0; at < size; at += result.back().size() + 1) result.emplace_back(buffer.data() + at);
    return result;
}

/// The next page after a key; false when there was none.
bool add_page(const Image& image, std::map<std::string, std::string>& all) {
    const std::string start = all.empty() ? std::string{} : all.rbegin()->first;
    std::vector<char> keys(4096);
    std::vector<char> values(16384);
    for (;;) {
        std::size_t keys_size = keys.size();
        std::size_t values_size = values.size();
        const int rc = rbd_metadata_list(image.handle(), start.c_str(), page, keys.data(), &keys_size, values.data(),
                                         &values_size);
        if (rc == -ERANGE) {
            keys.resize(keys_size);
            values.resize(values_size);
            continue;
        }
        if (rc < 0) throw rbd_error(rc, "error listing metadata for image " + python_bytes(image.name()));
        const auto names = texts(keys, keys_size);
        const auto contents = texts(values, values_size);
        for (std::size_t i = 0; i < names.size() && i < contents.size(); ++i) all[names[i]] = contents[i];
        return names.size() == page;
    }
}

}  // namespace

std::map<std::string, std::string> metadata_of(const Image& image) {
    std::map<std::string, std::string> all;
    while (add_page(image, all)) {
    }
    return all;
}

void remove_metadata(const Image& image, const std::string& key) {
    const int rc = rbd_metadata_remove(image.handle(), key.c_str());
    if (rc < 0 && rc != -ENOENT)
        throw rbd_error(rc,
                        "error removing metadata " + python_bytes(key) + " for image " + python_bytes(image.name()));
}

void change_configuration(Image& image, const nlohmann::json& configuration, nlohmann::json& before) {
    if (configuration.empty()) return;
    const auto now = metadata_of(image);
    for (const auto& [option, value] : configuration.items()) {
        const auto key = "conf_" + option;
        const auto found = now.find(key);
        const auto old = found == now.end() ? nlohmann::json() : nlohmann::json(found->second);
        if (old == value) continue;
        if (value.is_null())
            remove_metadata(image, key);
        else
            image.set_metadata(key, value.get<std::string>());
        before[option] = old;
    }
}

}  // namespace taskd::rbd
