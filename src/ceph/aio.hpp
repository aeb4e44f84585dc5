#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <rados/librados.h>

namespace taskd::ceph {

struct ReleaseCompletion {
    using pointer = rados_completion_t;
    void operator()(rados_completion_t completion) const noexcept { rados_aio_release(completion); }
};
/// A hold on an operation that was started; only for `rados_aio_cancel`, for it goes on without.
using Completion = std::unique_ptr<void, ReleaseCompletion>;

struct ReleaseWriteOp {
    using pointer = rados_write_op_t;
    void operator()(rados_write_op_t op) const noexcept { rados_release_write_op(op); }
};
/// Of `rados_create_write_op`.
using WriteOperation = std::unique_ptr<void, ReleaseWriteOp>;

/// Starts one librados operation and hears of its end.
///
/// @param context  What is done to which object, for the error when it cannot be started.
/// @param start    Calls exactly one `rados_aio_*` with the completion and gives its return code.
/// @param done     Called exactly once with the operation's result, on a thread of librados, maybe before this returns.
///                 It copies what it needs, posts and returns: librados serves all of the handle's operations on that
///                 thread, so a blocking call in it waits for itself. It must not throw (the program ends).
///                 Not called when this throws.
/// @throws Error (what `start` gave, when negative); what `start` throws.
/// @thread Any. Buffers given to librados must live until `done`; capture them there.
/// @source librados.h, `rados_aio_create_completion2`.
Completion start_aio(std::string_view context, const std::function<int(rados_completion_t)>& start,
                     std::function<void(int rc)> done);

/// Returns when every callback of an aio operation of this client that librados has called, or has ready to be called,
/// has returned: it calls them one after the other, and this waits for one of its own behind them. No word to the
/// cluster, but for writes under way on `io`, whose ends it waits for as well.
/// @thread Any but librados' own.
/// @source librados.h, `rados_aio_flush_async`.
void wait_for_callbacks(rados_ioctx_t io) noexcept;

}  // namespace taskd::ceph
