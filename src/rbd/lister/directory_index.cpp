#include "rbd/lister/directory_index.hpp"

#include "rbd/lister/format1.hpp"
#include "rbd/lister/when_released.hpp"

#include <cerrno>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t entries_per_read = 1024;  // what an OSD gives at most: osd_max_omap_entries_per_request
constexpr std::size_t most_kept_entries = 2'000'000;
constexpr std::size_t most_format1_data = 64 * 1024;  // some two thousand images of a format long given up

void add(DirectoryIndex::Names& names, std::string_view key, std::string_view value) {
    constexpr std::string_view prefix = "name_";
    if (auto id = wire::decode_text(value)) names.push_back({std::string(key.substr(prefix.size())), *std::move(id)});
}

void add(DirectoryIndex::Trash& trash, std::string_view key, std::string_view value) {
    constexpr std::string_view prefix = "id_";
    if (auto entry = wire::decode_trash(value))
        trash.push_back({std::string(key.substr(prefix.size())), *std::move(entry)});
}

const std::string& key_of(const NamedImage& image) {
    return image.name;
}

const std::string& key_of(const TrashedImage& image) {
    return image.id;
}

/// Puts the images of format 1 in front of the others.
void add_format1(DirectoryIndex::Names& names, std::string_view data) {
    DirectoryIndex::Names old;
    for (auto& name : decode_format1_names(data)) old.push_back({std::move(name), {}});
    names.insert(names.begin(), old.begin(), old.end());
}

void add_format1(DirectoryIndex::Trash&, std::string_view) {}

/// Keys after which to read parts of about this many entries, as they lay before.
template <class Content>
std::vector<std::string> parts_of(const Content& before, const char* prefix) {
    constexpr std::size_t entries_per_part = 800;  // room for new ones within a read
    std::vector<std::string> parts{""};
    for (std::size_t at = entries_per_part; at < before.size(); at += entries_per_part) {
        auto key = prefix + key_of(before[at]);
        if (key > parts.back()) parts.push_back(std::move(key));  // format 1 is not in order with the others
    }
    return parts;
}

/// More namespaces, page by page.
void read_namespaces(Reader& reader, std::shared_ptr<const ceph::Ioctx> io, std::vector<std::string> found,
                     std::function<void(int, std::vector<std::string>)> then) {
    ReadOp op;
    op.exec("namespace_list", wire::list_input(found.empty() ? "" : found.back(), entries_per_read));
    reader.read(io, "rbd_namespace", std::move(op),
                [&reader, io, found = std::move(found), then = std::move(then)](ReadOp& answer) mutable {
                    const int rc = answer.result(0);
                    // A cluster that knows no namespaces, or a pool that has none.
                    if (rc == -ENOENT || rc == -EOPNOTSUPP) return then(0, std::move(found));
                    if (rc < 0) return then(rc, {});
                    auto page = wire::decode_texts(answer.answer(0));
                    if (!page) return then(-EIO, {});
                    found.insert(found.end(), page->begin(), page->end());
                    if (page->size() < entries_per_read) return then(0, std::move(found));
                    read_namespaces(reader, io, std::move(found), std::move(then));
                });
}

}  // namespace

/// One look at an object.
template <class Content>
struct DirectoryIndex::Look {
    Memory<Content>& memory;
    Key key;
    std::shared_ptr<const ceph::Ioctx> io;
    const char* object = nullptr;
    const char* prefix = nullptr;
    std::function<void(int, std::shared_ptr<const Content>)> then;
    int tries = 0;
    std::uint64_t version = 0;  ///< Of the first page.
    bool changed = false;       ///< While the pages were read.
    Content content{};
};

void DirectoryIndex::names(const Pool& pool, const std::string& ns,
                           std::function<void(int, std::shared_ptr<const Names>)> then) {
    look(names_, pool, ns, "rbd_directory", "name_", std::move(then));
}

void DirectoryIndex::trash(const Pool& pool, const std::string& ns,
                           std::function<void(int, std::shared_ptr<const Trash>)> then) {
    look(trash_, pool, ns, "rbd_trash", "id_", std::move(then));
}

void DirectoryIndex::namespaces(const Pool& pool, std::function<void(int, std::vector<std::string>)> then) {
    auto io = pool.io("");
    if (!io) return then(-ENOENT, {});
    read_namespaces(reader_, std::move(io), {}, std::move(then));
}

template <class Content>
void DirectoryIndex::look(Memory<Content>& memory, const Pool& pool, const std::string& ns, const char* object,
                          const char* prefix, std::function<void(int, std::shared_ptr<const Content>)> then) {
    auto io = pool.io(ns);
    if (!io) return then(-ENOENT, nullptr);
    const auto look = std::make_shared<Look<Content>>(
        Look<Content>{memory, {pool.id(), ns}, std::move(io), object, prefix, std::move(then)});
    const auto kept = memory.find(look->key);
    if (kept != memory.end())
        confirm(look, kept->second);
    else
        read_from_start(look);
}

template <class Content>
void DirectoryIndex::confirm(const std::shared_ptr<Look<Content>>& look, const Kept<Content>& kept) {
    ReadOp op;
    op.require_version(kept.version);
    reader_.read(look->io, look->object, std::move(op), [this, look, content = kept.content](ReadOp& answer) {
        if (answer.rc() == -ETIMEDOUT || answer.rc() == -ECANCELED) return look->then(answer.rc(), nullptr);
        if (answer.rc() == 0) return look->then(0, content);
        read_in_parts(look, *content);
    });
}

template <class Content>
void DirectoryIndex::read_from_start(const std::shared_ptr<Look<Content>>& look) {
    ++look->tries;
    look->version = 0;
    look->changed = false;
    look->content.clear();
    read_page(look, "");
}

template <class Content>
void DirectoryIndex::read_page(const std::shared_ptr<Look<Content>>& look, const std::string& after) {
    ReadOp op;
    op.entries(after, look->prefix, entries_per_read);
    if constexpr (std::is_same_v<Content, Names>) op.data(most_format1_data);
    reader_.read(look->io, look->object, std::move(op), [this, look](ReadOp& answer) { handle_page(look, answer); });
}

template <class Content>
void DirectoryIndex::handle_page(const std::shared_ptr<Look<Content>>& look, ReadOp& answer) {
    constexpr int most_tries = 3;
    const int rc = answer.result(0);
    if (rc == -ENOENT) {
        keep<Content>(*look, nullptr);
        return look->then(0, std::make_shared<const Content>());
    }
    if (rc < 0) return look->then(rc, nullptr);
    if (look->version == 0) look->version = answer.version;
    if (look->version != answer.version) {
        // Page by page an entry may be missed or met twice while the directory changes: once more, a few times.
        if (look->tries < most_tries) return read_from_start(look);
        look->changed = true;
    }
    std::string last;
    for (const auto& [key, value] : answer.take_entries(0)) {
        add(look->content, key, value);
        last = key;
    }
    if (answer.has_more(0) && !last.empty()) return read_page(look, last);
    if constexpr (std::is_same_v<Content, Names>) add_format1(look->content, answer.answer(1));
    finish(look);
}

template <class Content>
void DirectoryIndex::finish(const std::shared_ptr<Look<Content>>& look) {
    auto content = std::make_shared<const Content>(std::move(look->content));
    if (!look->changed) keep(*look, content);
    look->then(0, std::move(content));
}

/// All parts at once. Where they do not fit together, because something changes meanwhile or much is new in one place,
/// everything is read in order.
template <class Content>
void DirectoryIndex::read_in_parts(const std::shared_ptr<Look<Content>>& look, const Content& before) {
    const auto after = std::make_shared<const std::vector<std::string>>(parts_of(before, look->prefix));
    if (after->size() == 1) return read_from_start(look);
    const auto parts = std::make_shared<std::vector<Content>>(after->size());
    look->version = 0;
    look->changed = false;
    const auto until = when_released([this, look, parts] { join(look, *parts); });
    for (std::size_t at = 0; at < after->size(); ++at) {
        ReadOp op;
        op.entries((*after)[at], look->prefix, entries_per_read);
        if (at == 0 && std::is_same_v<Content, Names>) op.data(most_format1_data);
        reader_.read(look->io, look->object, std::move(op), [look, parts, after, at, until](ReadOp& answer) {
            if (look->version == 0) look->version = answer.version;
            if (answer.result(0) < 0 || answer.version != look->version) look->changed = true;
            const bool is_last = at + 1 == after->size();
            bool is_whole = false;
            for (const auto& [key, value] : answer.take_entries(0)) {
                is_whole = !is_last && key >= (*after)[at + 1];
                if (is_whole && key > (*after)[at + 1]) break;
                add((*parts)[at], key, value);
            }
            if (answer.has_more(0) && !is_whole) look->changed = true;
            if (at == 0 && std::is_same_v<Content, Names>) add_format1((*parts)[at], answer.answer(1));
        });
    }
}

template <class Content>
void DirectoryIndex::join(const std::shared_ptr<Look<Content>>& look, std::vector<Content>& parts) {
    if (look->changed) return read_from_start(look);
    look->content.clear();
    for (auto& part : parts)
        look->content.insert(look->content.end(), std::make_move_iterator(part.begin()),
                             std::make_move_iterator(part.end()));
    finish(look);
}

/// Or forgets, when there is nothing to keep.
template <class Content>
void DirectoryIndex::keep(const Look<Content>& look, std::shared_ptr<const Content> content) {
    if (const auto before = look.memory.find(look.key); before != look.memory.end()) {
        kept_entries_ -= before->second.content->size();
        look.memory.erase(before);
    }
    if (!content) return;
    if (kept_entries_ + content->size() > most_kept_entries) {
        names_.clear();
        trash_.clear();
        kept_entries_ = 0;
    }
    kept_entries_ += content->size();
    look.memory.emplace(look.key, Kept<Content>{look.version, std::move(content)});
}

}  // namespace taskd::rbd
