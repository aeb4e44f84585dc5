#include "rbd/image_look_up.hpp"

#include "ceph/aio.hpp"
#include "core/mutex.hpp"
#include "rbd/lister/header_wire.hpp"
#include "rbd/lister/read_op.hpp"

#include <array>
#include <cerrno>

#include <rbd/features.h>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// 16 GiB of 4 MiB objects: some seconds of an OSD's time.
constexpr std::uint64_t many_objects = 4096;
/// With an object map only those that are there cost something, and a look at each.
constexpr std::uint64_t many_mapped_objects = 262'144;

/// A look-up under way, with what its operations point to.
struct LookUp {
    LookUp(std::shared_ptr<ceph::Cluster> where, ceph::Ioctx pool, std::function<void(std::optional<ImageFacts>)> then,
           std::string name_input)
        : cluster(std::move(where)), io(std::move(pool)), done(std::move(then)), name(std::move(name_input)) {}

    const std::shared_ptr<ceph::Cluster> cluster;
    const ceph::Ioctx io;
    const std::function<void(std::optional<ImageFacts>)> done;
    const std::string name;
    std::array<char, 1024> id{};  ///< Ids are shorter than 100 bytes.
    ReadOp header;
    std::size_t size = ReadOp::no_part;
    std::size_t features = ReadOp::no_part;
    ImageFacts facts;

    Mutex mutex;
    int started TASKD_GUARDED_BY(mutex) = 0;  ///< Operations, one after the other.
    ceph::Completion under_way TASKD_GUARDED_BY(mutex);
    bool given_up TASKD_GUARDED_BY(mutex) = false;
};
using Pointer = std::shared_ptr<LookUp>;

void give_up(const Pointer& look_up) {
    ceph::Completion completion;
    {
        MutexLock lock(look_up->mutex);
        look_up->given_up = true;
        completion = std::move(look_up->under_way);
    }
    if (completion) rados_aio_cancel(look_up->io.handle(), completion.get());
}

/// To be given up; it may have ended already, and the next have begun.
void hold(const Pointer& look_up, int number, ceph::Completion completion) {
    bool given_up = false;
    {
        MutexLock lock(look_up->mutex);
        if (look_up->started == number) look_up->under_way = std::move(completion);
        given_up = look_up->given_up;
    }
    if (given_up) give_up(look_up);
}

/// @param start  Starts an aio operation with this completion.
template <class Start>
void begin(const Pointer& look_up, void (*then)(const Pointer&, int), Start start) {
    int number = 0;
    {
        MutexLock lock(look_up->mutex);
        number = ++look_up->started;
    }
    try {
        hold(look_up, number,
             ceph::start_aio("look up an image", start, [look_up, then](int rc) { then(look_up, rc); }));
    } catch (const Error&) {
        then(look_up, -EIO);
    }
}

void handle_header(const Pointer& look_up, int rc) {
    auto& header = look_up->header;
    header.end(rc);
    const auto size = wire::decode_size(header.answer(look_up->size));
    const auto features = wire::decode_u64(header.answer(look_up->features));
    // A header that cannot be read: the id is worth having all the same.
    if (size) look_up->facts.objects = size->size_bytes >> size->order;
    if (features) look_up->facts.has_object_map = (*features & RBD_FEATURE_OBJECT_MAP) != 0;
    look_up->done(look_up->facts);
}

void ask_header(const Pointer& look_up, const std::string& id) {
    look_up->facts.id = id;
    look_up->size = look_up->header.exec("get_size", wire::snapshot_input(wire::no_snapshot));
    look_up->features = look_up->header.exec("get_features", wire::features_input(wire::no_snapshot));
    const auto object = "rbd_header." + id;
    begin(look_up, handle_header, [&](rados_completion_t completion) {
        return rados_aio_read_op_operate(look_up->header.handle(), look_up->io.handle(), completion, object.c_str(),
                                         LIBRADOS_OPERATION_NOFLAG);
    });
}

void handle_id(const Pointer& look_up, int size) {
    const auto id = size < 0 ? std::nullopt : wire::decode_text({look_up->id.data(), static_cast<std::size_t>(size)});
    if (!id) {
        look_up->done(std::nullopt);
        return;
    }
    ask_header(look_up, *id);
}

/// nullptr when the pool cannot be opened: `done` was called.
Pointer begin_look_up(const std::shared_ptr<ceph::Cluster>& cluster, const std::string& pool, const std::string& ns,
                      std::function<void(std::optional<ImageFacts>)> done, std::string name_input) {
    // Unlike Cluster::open_ioctx this does not wait for a newer map when the pool is unknown.
    rados_ioctx_t io = nullptr;
    if (rados_ioctx_create(cluster->handle(), pool.c_str(), &io) < 0) {
        done(std::nullopt);
        return nullptr;
    }
    rados_ioctx_set_namespace(io, ns.c_str());
    return std::make_shared<LookUp>(cluster, ceph::Ioctx(io), std::move(done), std::move(name_input));
}

}  // namespace

bool ImageFacts::is_slow_to_remove() const noexcept {
    return objects > (has_object_map ? many_mapped_objects : many_objects);
}

std::function<void()> look_up_image(const std::shared_ptr<ceph::Cluster>& cluster, const ImageSpec& image,
                                    std::function<void(std::optional<ImageFacts> facts)> done) {
    const auto look_up = begin_look_up(cluster, image.pool, image.ns, std::move(done), wire::text_input(image.name));
    if (!look_up) return [] {};
    begin(look_up, handle_id, [&](rados_completion_t completion) {
        return rados_aio_exec(look_up->io.handle(), "rbd_directory", completion, "rbd", "dir_get_id",
                              look_up->name.data(), look_up->name.size(), look_up->id.data(), look_up->id.size());
    });
    return [look_up] { give_up(look_up); };
}

std::function<void()> look_up_image(const std::shared_ptr<ceph::Cluster>& cluster, const ImageIdSpec& image,
                                    std::function<void(std::optional<ImageFacts> facts)> done) {
    const auto look_up = begin_look_up(cluster, image.pool, image.ns, std::move(done), {});
    if (!look_up) return [] {};
    ask_header(look_up, image.id);
    return [look_up] { give_up(look_up); };
}

}  // namespace taskd::rbd
