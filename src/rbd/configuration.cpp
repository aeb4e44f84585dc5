#include "rbd/configuration.hpp"

#include "rbd/error.hpp"
#include "rbd/image.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

nlohmann::json value_text(const nlohmann::json& value, const std::string& field) {
    constexpr double exact_integers_end = 0x1p53;
    if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos)
        throw BadRequest(field, "must not contain a NUL byte");
    if (value.is_null() || value.is_string()) return value;
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        const bool whole = std::trunc(number) == number && std::abs(number) < exact_integers_end;
        return whole ? std::to_string(static_cast<std::int64_t>(number)) : value.dump();
    }
    if (value.is_number()) return value.dump();
    throw BadRequest(field, "expected text, a number, true, false or null");
}

/// The options that librbd lets a pool or an image override.
std::set<std::string, std::less<>> known_options(rados_ioctx_t pool) {
    std::vector<rbd_config_option_t> raw(128);
    int count = static_cast<int>(raw.size());
    for (;;) {
        const int rc = rbd_config_pool_list(pool, raw.data(), &count);
        if (rc >= 0) break;
        if (rc != -ERANGE) throw rbd_error(rc, "error listing config options");
        raw.resize(static_cast<std::size_t>(count));
    }
    std::set<std::string, std::less<>> names;
    for (int i = 0; i < count; ++i) names.insert(raw[static_cast<std::size_t>(i)].name);
    rbd_config_pool_list_cleanup(raw.data(), count);
    return names;
}

/// Whether Ceph parses the value: tried on a client that is never connected, so that nothing is changed.
class ValueCheck {
  public:
    ValueCheck() {
        rados_t raw = nullptr;
        if (const int rc = rados_create(&raw, nullptr); rc < 0) throw rbd_error(rc, "error checking config options");
        client_.reset(raw);
    }

    bool accepts(const std::string& option, const std::string& value) {
        return rados_conf_set(client_.get(), option.c_str(), value.c_str()) >= 0;
    }

  private:
    struct Shutdown {
        void operator()(rados_t client) const noexcept { rados_shutdown(client); }
    };
    std::unique_ptr<void, Shutdown> client_;
};

}  // namespace

nlohmann::json decode_configuration(const nlohmann::json& given, std::string_view field) {
    if (!given.is_object()) throw BadRequest(field, "expected an object {option: value}");
    auto result = nlohmann::json::object();
    for (const auto& [option, value] : given.items()) {
        const auto path = std::string(field) + '.' + option;
        if (option.empty() || option.find('\0') != std::string::npos) throw BadRequest(field, "an option needs a name");
        result[option] = value_text(value, path);
    }
    return result;
}

void check_configuration(rados_ioctx_t pool, const nlohmann::json& configuration, const std::string& image) {
    const bool sets_none = std::all_of(configuration.begin(), configuration.end(), [](auto& v) { return v.is_null(); });
    if (sets_none) return;
    const auto known = known_options(pool);
    ValueCheck check;
    for (const auto& [option, value] : configuration.items()) {
        if (value.is_null()) continue;
        const auto refuse = [&, &name = option](const std::string& why) {
            const auto key = std::string(option_prefix) + name;
            throw rbd_error(-EINVAL,
                            "error setting metadata " + python_bytes(key) + " for image " + python_bytes(image), why);
        };
        if (!known.contains(option)) refuse("librbd has no such option for an image");
        if (!check.accepts(option, value.get<std::string>()))
            refuse("the value is not valid: " + value.get<std::string>());
    }
}

void apply_configuration(Image& image, const nlohmann::json& configuration) {
    for (const auto& [option, value] : configuration.items())
        if (!value.is_null()) image.set_metadata(std::string(option_prefix) + option, value.get<std::string>());
}

}  // namespace taskd::rbd
