#include "rbd/lister/page.hpp"

#include "rbd/removal_by_trash.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include <rbd/librbd.h>

namespace taskd::rbd {
namespace {

const std::string& key_of(const ImageRef& image, PageRequest::Key key) {
    switch (key) {
        case PageRequest::Key::pool:
            return image.pool->name();
        case PageRequest::Key::ns:
            return *image.ns;
        case PageRequest::Key::name:
            break;
    }
    return *image.name;
}

/// Backwards, but those with the same key in the order that they had.
template <class Same>
void turn_round(std::vector<ImageRef>& images, Same&& same) {
    std::reverse(images.begin(), images.end());
    for (auto from = images.begin(); from != images.end();) {
        const auto to = std::find_if_not(from, images.end(), [&](const ImageRef& other) { return same(*from, other); });
        std::reverse(from, to);
        from = to;
    }
}

}  // namespace

void PageRequest::set_sort(std::string_view sort) {
    if (sort.size() < 2) sort = "+name";
    descending = sort.front() == '-';
    const auto word = sort.substr(1);
    key = word == "pool_name" ? Key::pool : word == "namespace" ? Key::ns : Key::name;
}

std::vector<ImageRef> matching_images(const std::vector<NamespaceContent>& contents, std::string_view search) {
    std::vector<ImageRef> found;
    for (const auto& content : contents) {
        const bool all =
            content.pool->name().find(search) != std::string::npos || content.ns.find(search) != std::string::npos;
        std::set<std::string_view> removing;
        std::vector<ImageRef> half_removed;
        if (content.trash)
            for (const auto& trashed : *content.trash) {
                if (!is_being_removed(trashed.entry)) continue;
                removing.insert(trashed.id);
                if (all || trashed.entry.name.find(search) != std::string::npos)
                    half_removed.push_back(
                        {content.pool.get(), &content.ns, &trashed.entry.name, &trashed.id, &trashed.entry});
            }
        if (content.names)
            for (const auto& image : *content.names)
                if ((all || image.name.find(search) != std::string::npos) && !removing.contains(image.id))
                    found.push_back({content.pool.get(), &content.ns, &image.name, &image.id, nullptr});
        found.insert(found.end(), half_removed.begin(), half_removed.end());
    }
    return found;
}

std::vector<ImageRef> cut_page(std::vector<ImageRef> images, const PageRequest& request) {
    const auto less = [&](const ImageRef& left, const ImageRef& right) {
        return key_of(left, request.key) < key_of(right, request.key);
    };
    // One directory is sorted already.
    if (!std::is_sorted(images.begin(), images.end(), less)) std::stable_sort(images.begin(), images.end(), less);
    if (request.descending)
        turn_round(images, [&](const ImageRef& left, const ImageRef& right) {
            return key_of(left, request.key) == key_of(right, request.key);
        });

    const auto size = static_cast<std::int64_t>(images.size());
    const auto at = [size](std::int64_t position) {
        return std::clamp<std::int64_t>(position < 0 ? position + size : position, 0, size);
    };
    // No sum of what clients send may overflow.
    constexpr std::int64_t far = std::int64_t{1} << 53;
    const auto offset = std::clamp(request.offset, -far, far);
    const auto from = at(offset);
    const auto to = request.limit == -1 ? size : at(offset + std::clamp(request.limit, std::int64_t{0}, far));
    if (from >= to) return {};
    return {images.begin() + from, images.begin() + to};
}

}  // namespace taskd::rbd
