#pragma once

#include "rbd/operation.hpp"

#include <string>
#include <string_view>

#include <rbd/librbd.h>

namespace taskd::rbd {

/// Images whose removal has begun and not ended: their names are not free, and they can only be removed to the end.

/// Refuses the name of such an image.
/// @throws Error  conflict EEXIST
void refuse_half_removed(rados_ioctx_t pool, const std::string& name, std::string_view doing);

/// The same for an operation that is to make an image of that name; but one that is repeated goes on with the removal,
/// for the attempt before may have begun it when it cleared what it had half made.
/// @throws Error  conflict EEXIST; what librbd says
void free_half_removed(OperationContext& context, rados_ioctx_t pool, const std::string& name, std::string_view doing);

/// Removes an image from the trash whose restoring was cut off: before that has ended, the trash does not remove it,
/// and only restoring goes on from there, under the name that it may have got already.
/// @returns librbd's code; -EBUSY when its restoring was not begun
/// @throws Error  conflict EBUSY: another image has the name now
int remove_half_restored(rados_ioctx_t pool, const std::string& id, std::string_view doing, librbd_progress_fn_t report,
                         void* argument);

/// Goes on with a removal where it ended, whoever began it.
/// @param name  That it had.
/// @returns librbd's code
/// @throws Error  conflict EUCLEAN: another image has the name now, and librbd goes by the name from where this ended
int remove_rest(rados_ioctx_t pool, const std::string& id, const std::string& name,
                librbd_progress_fn_t report = nullptr, void* argument = nullptr);

}  // namespace taskd::rbd
