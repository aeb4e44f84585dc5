#pragma once

#include <string>
#include <string_view>

namespace taskd::rbd {

/// An image by name: `pool/name` or `pool/namespace/name`.
///
/// The text is split at the last slash for the name, then at the last slash for the namespace, so a pool whose name has
/// a slash needs a namespace to be addressed, which may be empty: `odd/pool//image`.
/// @source dashboard `services/rbd.py`: `parse_image_spec`.
struct ImageSpec {
    std::string pool;
    std::string ns;  ///< Empty for the pool's default namespace.
    std::string name;

    /// @param field  What `BadRequest` names when the text has no slash, or no pool or no name around it.
    /// @throws BadRequest
    static ImageSpec parse(std::string_view text, std::string_view field = "image_spec");

    std::string format() const;

    bool operator==(const ImageSpec&) const = default;
};

/// An image by id, as trash entries are addressed: `pool/id` or `pool/namespace/id`.
struct ImageIdSpec {
    std::string pool;
    std::string ns;
    std::string id;

    /// @throws BadRequest
    static ImageIdSpec parse(std::string_view text, std::string_view field = "image_id_spec");

    std::string format() const;

    bool operator==(const ImageIdSpec&) const = default;
};

/// The one rule for the names of what we make: anything that a spec can address again. Refused are the empty name, `/`
/// and `@` (they separate the parts of a spec), control bytes, and what is not UTF-8. Spaces, emoji and a leading dash
/// are fine. What exists already may have any name.
/// @throws BadRequest naming `field`
void check_new_name(std::string_view name, std::string_view field);

bool is_utf8(std::string_view text) noexcept;

/// Whether a spec that ends in `given` may mean the image called `name` when the image's id is given beside it: by its
/// name, by what is shown of one that is not UTF-8, or by the id once more, for a name that no spec can hold (`a/b`).
bool is_meant(std::string_view given, std::string_view name, std::string_view id);

/// `text` as it can be shown and put in JSON: each byte that is no UTF-8 becomes U+FFFD.
std::string shown(std::string_view text);

}  // namespace taskd::rbd
