#pragma once

#include "rbd/lister/header_wire.hpp"
#include "rbd/lister/pool_map.hpp"
#include "rbd/lister/reader.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace taskd::rbd {

struct NamedImage {
    std::string name;
    std::string id;  ///< Empty: of format 1.
};

struct TrashedImage {
    std::string id;
    wire::TrashEntry entry;
};

/// Which images a namespace of a pool has: names and ids, and what is in the trash.
///
/// What was read once is kept with the version of the object that it was read from, and true as long as the object has
/// that version: each look asks the OSD, which answers in one round trip without data. So an answer is never older than
/// the question, and 10,000 names are read once. What has changed is read anew, all parts of it at the same time.
/// @thread  The reader's.
class DirectoryIndex {
  public:
    using Names = std::vector<NamedImage>;    ///< Those of format 1, then the others; each by name.
    using Trash = std::vector<TrashedImage>;  ///< By id; half-removed images among them.

    explicit DirectoryIndex(Reader& reader) : reader_(reader) {}

    /// @param then  With 0 and the content, or a negative errno.
    void names(const Pool& pool, const std::string& ns, std::function<void(int, std::shared_ptr<const Names>)> then);
    void trash(const Pool& pool, const std::string& ns, std::function<void(int, std::shared_ptr<const Trash>)> then);
    /// The namespaces of a pool, sorted, without the one that has no name. Not kept.
    void namespaces(const Pool& pool, std::function<void(int, std::vector<std::string>)> then);

  private:
    struct Key {
        std::int64_t pool;
        std::string ns;
        auto operator<=>(const Key&) const = default;
    };
    template <class Content>
    struct Kept {
        std::uint64_t version = 0;
        std::shared_ptr<const Content> content;
    };
    template <class Content>
    using Memory = std::map<Key, Kept<Content>>;
    template <class Content>
    struct Look;

    template <class Content>
    void look(Memory<Content>& memory, const Pool& pool, const std::string& ns, const char* object, const char* prefix,
              std::function<void(int, std::shared_ptr<const Content>)> then);
    template <class Content>
    void confirm(const std::shared_ptr<Look<Content>>& look, const Kept<Content>& kept);
    template <class Content>
    void read_in_parts(const std::shared_ptr<Look<Content>>& look, const Content& before);
    template <class Content>
    void join(const std::shared_ptr<Look<Content>>& look, std::vector<Content>& parts);
    template <class Content>
    void finish(const std::shared_ptr<Look<Content>>& look);
    template <class Content>
    void read_from_start(const std::shared_ptr<Look<Content>>& look);
    template <class Content>
    void read_page(const std::shared_ptr<Look<Content>>& look, const std::string& after);
    template <class Content>
    void handle_page(const std::shared_ptr<Look<Content>>& look, ReadOp& answer);
    template <class Content>
    void keep(const Look<Content>& look, std::shared_ptr<const Content> content);

    Reader& reader_;
    Memory<Names> names_;
    Memory<Trash> trash_;
    std::size_t kept_entries_ = 0;
};

}  // namespace taskd::rbd
