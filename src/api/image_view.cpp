#include "api/image_view.hpp"

#include "api/base64.hpp"
#include "core/utf8.hpp"
#include "rbd/features.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;
using State = rbd::ListedImage::State;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// "2026-11-25T01:31:27Z": the dashboard leaves the fraction away.
std::string utc_text(const rbd::wire::Time& time) {
    const std::time_t seconds = time.seconds;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string full_name(const std::string& pool, const std::string& ns, const std::string& name) {
    return ns.empty() ? pool + '/' + name : pool + '/' + ns + '/' + name;
}

template <class Value>
json or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json();
}

json configuration_view(const std::vector<rbd::ImageOption>& options) {
    json view = json::array();
    for (const auto& option : options)
        view.push_back({{"name", option.name}, {"value", option.value}, {"source", static_cast<int>(option.source)}});
    return view;
}

json snapshot_view(const rbd::SnapshotDetails& snapshot, const rbd::ImageDetails& image) {
    constexpr std::uint32_t in_trash = 2;
    json view{{"id", snapshot.id},
              {"size", snapshot.size_bytes},
              {"name", snapshot.name},
              {"namespace", snapshot.type},
              {"mirror_mode", image.is_mirrored_by_snapshots ? "snapshot" : "journal"},
              {"timestamp", utc_text(snapshot.created)},
              {"is_protected", image.is_mirrored_by_snapshots ? json() : json(snapshot.is_protected)},
              {"used_bytes", nullptr},
              {"children", json::array()}};
    if (snapshot.type == in_trash) view["trash"] = {{"original_name", snapshot.original_name}};
    if (!image.is_mirrored_by_snapshots)
        for (const auto& clone : snapshot.clones)
            view["children"].push_back({{"pool_name", clone.pool}, {"image_name", clone.name}});
    if (image.total_used_bytes && snapshot.used_bytes) view["disk_usage"] = *snapshot.used_bytes;
    return view;
}

json parent_view(const std::optional<rbd::ImageParent>& parent) {
    if (!parent) return nullptr;
    return {{"pool_name", parent->pool},
            {"pool_namespace", parent->ns},
            {"image_name", parent->name},
            {"snap_name", parent->snapshot}};
}

/// All but name, namespace and configuration.
json present_view(const rbd::ListedImage& listed) {
    const auto& image = *listed.details;
    const auto unique_id = full_name(listed.pool, listed.ns, image.format == 1 ? image.object_prefix : listed.id);
    auto features = rbd::feature_names(image.features);
    std::sort(features.begin(), features.end());
    json view{{"size", image.size_bytes},
              {"obj_size", std::uint64_t{1} << image.order},
              {"num_objs", image.objects},
              {"order", image.order},
              {"block_name_prefix", image.object_prefix},
              {"mirror_mode", image.is_mirrored_by_snapshots ? "snapshot" : "journal"},
              {"unique_id", unique_id},
              {"id", image.format == 1 ? unique_id : listed.id},
              {"image_format", image.format},
              {"pool_name", listed.pool},
              {"features", image.features},
              {"features_name", features},
              {"timestamp", utc_text(image.created)},
              {"stripe_count", image.stripe_count},
              {"stripe_unit", image.stripe_unit_bytes},
              {"data_pool", or_null(image.data_pool)},
              {"parent", parent_view(image.parent)},
              {"total_disk_usage", or_null(image.total_used_bytes)},
              {"disk_usage", or_null(image.used_bytes)}};
    auto& snapshots = view["snapshots"] = json::array();
    for (const auto& snapshot : image.snapshots) snapshots.push_back(snapshot_view(snapshot, image));
    return view;
}

/// Of one that is only half there: what the dashboard tells of an image being removed, and why it is not all.
json partial_view(const rbd::ListedImage& listed) {
    json view{
        {"id", listed.id}, {"pool_name", listed.pool}, {"unique_id", full_name(listed.pool, listed.ns, listed.id)}};
    if (listed.state == State::removing) {
        view["source"] = "REMOVING";
        view["deletion_time"] = utc_text(listed.deleted);
        view["deferment_end_time"] = utc_text(listed.deleted);
        return view;
    }
    view["source"] = listed.state == State::incomplete ? "INCOMPLETE"
                     : listed.state == State::silent   ? "UNAVAILABLE"
                                                       : "BROKEN";
    view["exception"] = {{"detail", listed.problem}, {"code", std::to_string(listed.error)}, {"component", "rbd"}};
    return view;
}

/// The text of an object, with one more member whose value is text already.
std::string with_configuration(json object, const std::string& configuration) {
    auto text = dump(object);
    text.pop_back();
    return text.append(",\"configuration\":").append(configuration).append("}");
}

/// Texts of the options, pool by pool: most images have none of their own.
class Configurations {
  public:
    Configurations(const OptionsOf& options, const rbd::PoolOptions& pools) : options_(options), pools_(pools) {}

    std::string of(const std::string& pool, const rbd::ImageDetails& image) {
        const auto overrides = pools_.find(pool);
        static const rbd::ImageOptions::Overrides none;
        const auto& of_pool = overrides != pools_.end() ? overrides->second : none;
        if (!image.options.empty()) return dump(configuration_view(options_(of_pool, image.options)));
        auto& text = texts_[pool];
        if (text.empty()) text = dump(configuration_view(options_(of_pool, none)));
        return text;
    }

  private:
    const OptionsOf& options_;
    const rbd::PoolOptions& pools_;
    std::map<std::string, std::string> texts_;
};

std::string one_text(const rbd::ListedImage& listed, json ns, Configurations& configurations,
                     const rbd::NextSnapshots& schedules) {
    const bool is_present = listed.state == State::present;
    json view = is_present ? present_view(listed) : partial_view(listed);
    put_name(view, listed.name);
    view["namespace"] = std::move(ns);
    if (is_present && listed.details->is_mirrored_by_snapshots)
        if (const auto found = schedules.find(full_name(listed.pool, listed.ns, listed.name)); found != schedules.end())
            view["schedule_info"] = found->second;
    return with_configuration(std::move(view),
                              is_present ? configurations.of(listed.pool, *listed.details) : std::string("[]"));
}

}  // namespace

std::string trash_source_name(std::uint8_t source) {
    constexpr std::array<const char*, 5> names{"USER", "MIRRORING", "MIGRATION", "REMOVING", "USER_PARENT"};
    return source < names.size() ? names[source] : "UNKNOWN";
}

void put_name(json& object, const std::string& name) {
    object["name"] = name;
    if (!is_valid_utf8(name)) object["name_b64"] = base64(name);
}

std::string image_list_text(const rbd::ImageList& list, const OptionsOf& options, const rbd::NextSnapshots& schedules) {
    constexpr int value_exception = 3;  // the dashboard's ViewCache.VALUE_EXCEPTION
    Configurations configurations(options, list.options);
    std::vector<std::string> pools;  // in the order of their first image
    std::map<std::string, std::string> values;
    for (const auto& image : list.images) {
        auto& value = values[image.pool];
        if (value.empty())
            pools.push_back(image.pool);
        else
            value += ',';
        value += one_text(image, image.ns, configurations, schedules);
    }
    std::map<std::string, const rbd::SilentPool*> silent;
    for (const auto& pool : list.silent) {
        silent[pool.name] = &pool;
        if (!values.contains(pool.name)) pools.push_back(pool.name);
    }
    std::string text = "[";
    for (const auto& pool : pools) {
        if (text.size() > 1) text += ',';
        json rest{{"pool_name", pool}};
        if (const auto found = silent.find(pool); found != silent.end()) {
            rest["status"] = value_exception;
            rest["exception"] = found->second->problem;
        }
        text.append("{\"value\":[").append(values[pool]).append("],").append(dump(rest).substr(1));
    }
    return text.append("]");
}

std::string image_text(const rbd::ImageAnswer& answer, const OptionsOf& options, const rbd::NextSnapshots& schedules) {
    Configurations configurations(options, answer.options);
    const auto& image = answer.image;
    return one_text(image, image.ns.empty() ? json() : json(image.ns), configurations, schedules);
}

json trash_view(const std::vector<rbd::TrashAnswer>& trash) {
    constexpr int value_ok = 0;
    constexpr int value_none = 2;
    json view = json::array();
    for (const auto& pool : trash) {
        json value = json::array();
        for (const auto& entry : pool.entries) {
            value.push_back({{"id", entry.id},
                             {"source", trash_source_name(entry.source)},
                             {"deletion_time", utc_text(entry.deleted)},
                             {"deferment_end_time", utc_text(entry.deferred_until)},
                             {"pool_name", pool.pool},
                             {"namespace", entry.ns}});
            put_name(value.back(), entry.name);
        }
        view.push_back({{"status", pool.error == 0 ? value_ok : value_none},
                        {"value", std::move(value)},
                        {"pool_name", pool.pool}});
        if (pool.error != 0) view.back()["exception"] = pool.problem;
    }
    return view;
}

}  // namespace taskd::api
