#include "cli/image_tables.hpp"

#include "cli/render.hpp"

#include <array>
#include <cstdio>
#include <initializer_list>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? printable(found->get_ref<const std::string&>()) : "";
}

std::uint64_t number_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// "-" for null: what cannot be told cheaply.
std::string size_or_dash(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? size_text(found->get<std::uint64_t>()) : "-";
}

const json& list_of(const json& object, const char* key) {
    static const json none = json::array();
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : none;
}

std::string joined(const json& texts) {
    std::string result;
    for (const auto& text : texts)
        if (text.is_string()) result.append(result.empty() ? "" : ", ").append(printable(text.get<std::string>()));
    return result;
}

bool is_whole(const json& image) {
    return !image.contains("source");
}

/// `pool/namespace/name@snapshot` of a parent, the namespace only where there is one.
std::string parent_text(const json& image) {
    const auto parent = image.find("parent");
    if (parent == image.end() || !parent->is_object()) return "";
    const auto ns = text_of(*parent, "pool_namespace");
    return text_of(*parent, "pool_name") + "/" + (ns.empty() ? "" : ns + "/") + text_of(*parent, "image_name") + "@" +
           text_of(*parent, "snap_name");
}

std::string protection_text(const json& snapshot) {
    return snapshot.value("is_protected", json()) == true ? "yes" : "";
}

std::string size_with_binary_unit(std::uint64_t bytes) {
    constexpr std::array<const char*, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), value < 10 && unit > 0 ? "%.2g %s" : "%.0f %s", value, units[unit]);
    return text.data();
}

/// A title that begins with '>' is of a column of numbers.
Row heading(std::initializer_list<std::string_view> titles) {
    Row row;
    for (const auto title : titles) {
        const bool right = title.starts_with('>');
        row.push_back({std::string(title.substr(right ? 1 : 0)), Color::none, right});
    }
    return row;
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
    return size_with_binary_unit(bytes);
}

std::string image_names(const std::vector<json>& images) {
    std::string text;
    for (const auto& image : images) text += text_of(image, "name") + "\n";
    return text;
}

std::string image_table(const std::vector<json>& images, std::size_t columns, bool color) {
    std::vector<Row> rows{heading({"NAME", ">SIZE", "PARENT", "FMT", "PROT", "NOTE"})};
    for (const auto& image : images) {
        const auto name = text_of(image, "name");
        if (!is_whole(image)) {
            rows.push_back(
                {{name}, {"-", Color::none, true}, {""}, {""}, {""}, {text_of(image, "source"), Color::yellow}});
            continue;
        }
        const auto format = std::to_string(number_of(image, "image_format"));
        rows.push_back(
            {{name}, {size_or_dash(image, "size"), Color::none, true}, {parent_text(image)}, {format}, {""}, {""}});
        for (const auto& snapshot : list_of(image, "snapshots"))
            rows.push_back({{name + "@" + text_of(snapshot, "name")},
                            {size_or_dash(snapshot, "size"), Color::none, true},
                            {parent_text(image)},
                            {format},
                            {protection_text(snapshot)},
                            {""}});
    }
    return rows.size() > 1 ? table(rows, columns, color) : "";
}

std::string image_info(const json& image) {
    const auto object_size = number_of(image, "obj_size");
    std::string text = "rbd image '" + text_of(image, "name") + "':\n";
    const auto line = [&text](const std::string& words) { text.append("\t").append(words).append("\n"); };
    line("size " + size_text(number_of(image, "size")) + " in " + std::to_string(number_of(image, "num_objs")) +
         " objects");
    line("order " + std::to_string(number_of(image, "order")) + " (" + size_text(object_size) + " objects)");
    line("snapshot_count: " + std::to_string(list_of(image, "snapshots").size()));
    if (number_of(image, "image_format") == 2) line("id: " + text_of(image, "id"));
    if (!text_of(image, "data_pool").empty()) line("data_pool: " + text_of(image, "data_pool"));
    line("block_name_prefix: " + text_of(image, "block_name_prefix"));
    line("format: " + std::to_string(number_of(image, "image_format")));
    line("features: " + joined(list_of(image, "features_name")));
    line("create_timestamp: " + text_of(image, "timestamp"));
    if (!parent_text(image).empty()) line("parent: " + parent_text(image));
    if (number_of(image, "stripe_unit") != object_size || number_of(image, "stripe_count") != 1) {
        line("stripe unit: " + size_text(number_of(image, "stripe_unit")));
        line("stripe count: " + std::to_string(number_of(image, "stripe_count")));
    }
    return text;
}

std::string mirroring_info(const json& mirroring) {
    std::string text = "Mode: " + text_of(mirroring, "mirror_mode") + "\n";
    text += "Site Name: " + text_of(mirroring, "site_name") + "\n\n";
    const auto& peers = list_of(mirroring, "peers");
    if (peers.empty()) return text + "Peer Sites: none\n";
    text += "Peer Sites:\n";
    for (const auto& peer : peers) {
        text += "\nUUID: " + text_of(peer, "uuid") + "\nName: " + text_of(peer, "site_name");
        text += "\nDirection: " + text_of(peer, "direction") + "\nClient: client." + text_of(peer, "client_id") + "\n";
        if (const auto host = text_of(peer, "mon_host"); !host.empty()) text += "Mon Host: " + host + "\n";
    }
    return text;
}

std::string snapshot_table(const json& image, std::size_t columns, bool color) {
    std::vector<Row> rows{heading({">SNAPID", "NAME", ">SIZE", "PROTECTED", "TIMESTAMP"})};
    constexpr std::uint64_t users = 0;  // what `rbd snap ls` shows without --all
    for (const auto& snapshot : list_of(image, "snapshots"))
        if (number_of(snapshot, "namespace") == users)
            rows.push_back({{std::to_string(number_of(snapshot, "id")), Color::none, true},
                            {text_of(snapshot, "name")},
                            {size_or_dash(snapshot, "size"), Color::none, true},
                            {protection_text(snapshot)},
                            {text_of(snapshot, "timestamp")}});
    return rows.size() > 1 ? table(rows, columns, color) : "";
}

std::string usage_table(const std::vector<json>& images, std::size_t columns, bool color) {
    std::vector<Row> rows{heading({"NAME", ">PROVISIONED", ">USED"})};
    const auto add = [&rows](const std::string& name, const std::string& provisioned, const std::string& used) {
        rows.push_back({{name}, {provisioned, Color::none, true}, {used, Color::none, true}});
    };
    std::uint64_t provisioned = 0;
    std::uint64_t used = 0;
    for (const auto& image : images) {
        const auto name = text_of(image, "name");
        for (const auto& snapshot : list_of(image, "snapshots"))
            add(name + "@" + text_of(snapshot, "name"), size_or_dash(snapshot, "size"),
                size_or_dash(snapshot, "disk_usage"));
        add(name, size_or_dash(image, "size"), size_or_dash(image, "disk_usage"));
        provisioned += number_of(image, "size");
        used += number_of(image, "total_disk_usage");
    }
    if (images.size() > 1 || rows.size() > 2) add("<TOTAL>", size_text(provisioned), size_text(used));
    return table(rows, columns, color);
}

std::string trash_table(const std::vector<json>& entries, bool with_details, std::size_t columns, bool color) {
    if (!with_details) {
        std::string text;
        for (const auto& entry : entries) text += text_of(entry, "id") + " " + text_of(entry, "name") + "\n";
        return text;
    }
    std::vector<Row> rows{heading({"ID", "NAME", "SOURCE", "DELETED_AT", "KEPT_UNTIL"})};
    for (const auto& entry : entries)
        rows.push_back({{text_of(entry, "id")},
                        {text_of(entry, "name")},
                        {text_of(entry, "source")},
                        {text_of(entry, "deletion_time")},
                        {text_of(entry, "deferment_end_time")}});
    return rows.size() > 1 ? table(rows, columns, color) : "";
}

std::string namespace_table(const json& namespaces, std::size_t columns, bool color) {
    std::vector<Row> rows{heading({"NAME", ">IMAGES"})};
    for (const auto& ns : namespaces)
        rows.push_back({{text_of(ns, "namespace")}, {std::to_string(number_of(ns, "num_images")), Color::none, true}});
    return rows.size() > 1 ? table(rows, columns, color) : "";
}

}  // namespace taskd::cli
