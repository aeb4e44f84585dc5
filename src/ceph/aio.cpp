#include "ceph/aio.hpp"

#include "ceph/error.hpp"

#include <memory>

namespace taskd::ceph {
namespace {

using Done = std::function<void(int)>;

void on_complete(rados_completion_t completion, void* argument) noexcept {
    const std::unique_ptr<Done> done(static_cast<Done*>(argument));
    (*done)(rados_aio_get_return_value(completion));
}

}  // namespace

Completion start_aio(std::string_view context, const std::function<int(rados_completion_t)>& start, Done done) {
    auto argument = std::make_unique<Done>(std::move(done));
    rados_completion_t raw = nullptr;
    if (const int rc = rados_aio_create_completion2(argument.get(), &on_complete, &raw); rc < 0)
        throw rados_error(rc, context);
    // Our reference only: librados has one of its own while the operation is under way.
    Completion completion(raw);
    const int rc = start(raw);
    if (rc < 0) throw rados_error(rc, context);
    argument.release();  // on_complete owns it now
    return completion;
}

void wait_for_callbacks(rados_ioctx_t io) noexcept {
    rados_completion_t raw = nullptr;
    if (rados_aio_create_completion2(
            nullptr, [](rados_completion_t, void*) {}, &raw) < 0)
        return;
    const Completion completion(raw);
    if (rados_aio_flush_async(io, raw) == 0) rados_aio_wait_for_complete_and_cb(raw);
}

}  // namespace taskd::ceph
