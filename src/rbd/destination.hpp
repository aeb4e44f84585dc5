#pragma once

#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/create_image.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/operation.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::rbd {

/// The fields by which a request names the image that is to be made of another one: `dest_pool_name`,
/// `dest_namespace` (may be null, but must be there), `dest_image_name`. Add them to the known ones of `Arguments`.
/// @throws BadRequest
void decode_destination(const Arguments& fields, const nlohmann::json& given, nlohmann::json& result);
ImageSpec destination_of(const nlohmann::json& arguments);

/// `{"src_image_spec", "dest_pool_name", "dest_namespace", "dest_image_name"}`, as the dashboard has it for a copy.
nlohmann::json metadata_of_copy(const nlohmann::json& arguments);
/// Both images, in the pool of the destination.
Touches touches_of_copy(const nlohmann::json& arguments);

/// An image that is made over some time. It has a name of its own, which tells the task, until it is whole; then it
/// gets the name that was asked for. So nobody takes half an image for a whole one, also when the process that makes it
/// dies, and the next attempt knows what is its own.
class Destination {
  public:
    /// @param doing  "error copying image b'a' to b'b'"
    /// @throws Error  of component "pool": there is no such pool
    Destination(OperationContext& context, ImageSpec spec, std::string doing);

    /// Looks at all that is known to forbid an image of this layout and configuration under the name.
    /// @returns  true when there is nothing to do: an attempt before this one has made it.
    /// @throws Error
    bool check(const ImageLayout& layout, const nlohmann::json& configuration);

    /// Removes what an earlier attempt left.
    /// @throws Error
    void clear();
    /// Gives it its name.
    /// @throws Error
    void publish();
    /// Removes it because of this and throws that, with what is left if it could not be removed.
    [[noreturn]] void discard(const Error& reason);

    /// What it is called until it is whole: "taskd-copy-01ARZ3NDEKTSV4RRFFQ69G5FAV".
    const std::string& working_name() const noexcept { return working_name_; }
    const ImageSpec& spec() const noexcept { return spec_; }
    const std::string& doing() const noexcept { return doing_; }
    rados_ioctx_t pool() const noexcept { return io_.handle(); }

  private:
    int remove_working();

    OperationContext& context_;
    const ImageSpec spec_;
    const std::string doing_;
    const std::string working_name_;
    ceph::Ioctx io_;
};

/// For `Operation::left_behind` of what makes a `Destination`.
inline constexpr std::string_view half_made =
    "what was made so far stays as image taskd-copy-TASKID in the destination's pool: remove that";

}  // namespace taskd::rbd
