#pragma once

#include "rbd/arguments.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/operation.hpp"

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>
#include <rados/librados.h>

namespace taskd::rbd {

/// What the operations on one entry of the trash share.

/// Reads `image_id_spec` into the normal form.
/// @throws BadRequest
void decode_trash_entry(const Arguments& fields, nlohmann::json& result);

/// `image_id_spec` of a normal form.
ImageIdSpec image_id_spec_of(const nlohmann::json& arguments);

/// `{"image_id_spec"}`
nlohmann::json metadata_of_trash_entry(const nlohmann::json& arguments);

/// The entry, by its id spec.
Touches touches_of_trash_entry(const nlohmann::json& arguments);

/// When it may be removed, in seconds since the epoch; 0 for an image whose removal has begun.
/// @throws Error  of `doing`, ENOENT when there is none of this id
std::int64_t deferment_end(rados_ioctx_t pool, const std::string& id, std::string_view doing);

}  // namespace taskd::rbd
