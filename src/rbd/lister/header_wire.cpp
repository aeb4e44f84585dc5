#include "rbd/lister/header_wire.hpp"

#include <utility>

namespace taskd::rbd::wire {
namespace {

template <class Value>
std::optional<Value> checked(const Decoder& decoder, Value value) {
    if (!decoder.ok()) return std::nullopt;
    return value;
}

/// What an answer begins with.
template <class Take>
auto first_of(std::string_view answer, Take take) {
    Decoder decoder(answer);
    auto value = (decoder.*take)();
    return checked(decoder, std::move(value));
}

constexpr std::size_t smallest_text = 4;

}  // namespace

std::string snapshot_input(std::uint64_t snapshot) {
    return Encoder().u64(snapshot).bytes();
}

std::string features_input(std::uint64_t snapshot) {
    return Encoder().u64(snapshot).u8(1).bytes();
}

std::string text_input(std::string_view text) {
    return Encoder().text(text).bytes();
}

std::string list_input(std::string_view after, std::uint64_t most) {
    return Encoder().text(after).u64(most).bytes();
}

std::optional<SizeAndOrder> decode_size(std::string_view answer) {
    Decoder decoder(answer);
    const auto order = decoder.u8();
    const SizeAndOrder value{order, decoder.u64()};
    if (order >= 64) return std::nullopt;
    return checked(decoder, value);
}

std::optional<std::uint64_t> decode_u64(std::string_view answer) {
    return first_of(answer, &Decoder::u64);
}

std::optional<std::int64_t> decode_i64(std::string_view answer) {
    return first_of(answer, &Decoder::i64);
}

std::optional<std::uint8_t> decode_u8(std::string_view answer) {
    return first_of(answer, &Decoder::u8);
}

std::optional<std::string> decode_text(std::string_view answer) {
    return first_of(answer, &Decoder::text);
}

std::optional<Time> decode_time(std::string_view answer) {
    return first_of(answer, &Decoder::time);
}

std::optional<std::vector<std::uint64_t>> decode_snapshot_ids(std::string_view answer) {
    Decoder decoder(answer);
    decoder.u64();  // the highest id ever given
    std::vector<std::uint64_t> ids(decoder.count(8));
    for (auto& id : ids) id = decoder.u64();
    return checked(decoder, std::move(ids));
}

std::optional<Striping> decode_striping(std::string_view answer) {
    Decoder decoder(answer);
    const auto unit = decoder.u64();
    const Striping value{unit, decoder.u64()};
    if (value.unit_bytes == 0 || value.count == 0) return std::nullopt;
    return checked(decoder, value);
}

std::optional<ParentSpec> decode_parent(std::string_view answer) {
    Decoder decoder(answer);
    auto [version, content] = decoder.enclosed(1);
    ParentSpec value;
    value.pool = content.i64();
    value.ns = content.text();
    value.image_id = content.text();
    value.snapshot = content.u64();
    return checked(content, std::move(value));
}

std::optional<std::uint64_t> decode_overlap(std::string_view answer) {
    Decoder decoder(answer);
    const bool has_value = decoder.u8() != 0;
    const std::uint64_t value = has_value ? decoder.u64() : 0;
    return checked(decoder, value);
}

std::optional<std::map<std::string, std::string>> decode_metadata(std::string_view answer) {
    Decoder decoder(answer);
    std::map<std::string, std::string> values;
    for (auto left = decoder.count(2 * smallest_text); left > 0 && decoder.ok(); --left) {
        auto key = decoder.text();
        values.emplace_hint(values.end(), std::move(key), decoder.text());
    }
    return checked(decoder, std::move(values));
}

std::optional<std::vector<std::string>> decode_texts(std::string_view answer) {
    Decoder decoder(answer);
    std::vector<std::string> texts(decoder.count(smallest_text));
    for (auto& text : texts) text = decoder.text();
    return checked(decoder, std::move(texts));
}

std::optional<SnapshotHeader> decode_snapshot(std::string_view answer) {
    Decoder decoder(answer);
    auto [version, content] = decoder.enclosed(1);
    SnapshotHeader value;
    value.id = content.u64();
    auto kind = content.enclosed(1).content;
    value.type = static_cast<SnapshotType>(kind.u32());
    if (value.type == SnapshotType::group) {
        value.group_pool = kind.i64();
        value.group_id = kind.text();
        value.group_snapshot_id = kind.text();
    } else if (value.type == SnapshotType::trash) {
        value.original_name = kind.text();
        kind.u32();  // the type that it had before
    }
    value.name = content.text();
    value.size_bytes = content.u64();
    value.created = content.time();
    value.clones = content.u32();
    if (!kind.ok()) return std::nullopt;
    return checked(content, std::move(value));
}

std::optional<std::vector<ChildSpec>> decode_children(std::string_view answer) {
    constexpr std::size_t smallest_child = 6 + 8 + smallest_text;
    Decoder decoder(answer);
    std::vector<ChildSpec> children(decoder.count(smallest_child));
    for (auto& child : children) {
        auto [version, content] = decoder.enclosed(2);
        child.pool = content.i64();
        child.image_id = content.text();
        if (version >= 2) child.ns = content.text();
        if (!content.ok()) return std::nullopt;
    }
    return checked(decoder, std::move(children));
}

std::string children_input(const ParentSpec& parent) {
    return Encoder().i64(parent.pool).text(parent.image_id).u64(parent.snapshot).bytes();
}

std::optional<TrashEntry> decode_trash(std::string_view value) {
    Decoder decoder(value);
    auto [version, content] = decoder.enclosed(2);
    TrashEntry entry;
    entry.source = content.u8();
    entry.name = content.text();
    entry.deleted = content.time();
    entry.deferred_until = content.time();
    if (version >= 2) entry.state = content.u8();
    return checked(content, std::move(entry));
}

std::optional<bool> decode_is_snapshot_mirrored(std::string_view value) {
    constexpr std::uint8_t enabled = 1;
    constexpr std::uint8_t by_snapshots = 1;
    Decoder decoder(value);
    auto [version, content] = decoder.enclosed(2);
    content.text();  // the id that the image has on every cluster
    const auto state = content.u8();
    const auto mode = version >= 2 ? content.u8() : std::uint8_t{0};
    return checked(content, state == enabled && mode == by_snapshots);
}

std::optional<std::int64_t> decode_group_pool(std::string_view answer) {
    Decoder decoder(answer);
    auto [version, content] = decoder.enclosed(1);
    const auto pool = content.i64();
    return checked(content, pool);
}

std::string lock_info_input(std::string_view name) {
    const auto content = Encoder().text(name).bytes();
    return Encoder().u8(1).u8(1).text(content).bytes();
}

std::optional<std::uint32_t> decode_lock_holders(std::string_view answer) {
    constexpr std::size_t smallest_holder = 25;  // two structs and a client's name
    Decoder decoder(answer);
    auto [version, content] = decoder.enclosed(1);
    const auto holders = content.count(smallest_holder);
    return checked(content, holders);
}

std::optional<std::uint64_t> decode_notified(std::string_view reply) {
    constexpr std::size_t smallest_answer = 20;  // client, cookie, the length of what it said
    constexpr std::size_t client_and_cookie = 16;
    Decoder decoder(reply);
    std::uint64_t watchers = decoder.count(smallest_answer);
    for (auto left = watchers; left > 0 && decoder.ok(); --left) {
        decoder.bytes(client_and_cookie);
        decoder.text();
    }
    watchers += decoder.count(client_and_cookie);
    return checked(decoder, watchers);
}

}  // namespace taskd::rbd::wire
