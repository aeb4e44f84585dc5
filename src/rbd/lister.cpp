#include "rbd/lister.hpp"

#include "ceph/caps.hpp"
#include "ceph/error.hpp"
#include "core/thread_name.hpp"
#include "rbd/configuration.hpp"
#include "rbd/lister/lister_impl.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

std::exception_ptr not_found() {
    return std::make_exception_ptr(Error(ErrorKind::not_found, ENOENT, "rbd", "Image not found"));
}

std::exception_ptr unavailable(const std::string& problem) {
    return std::make_exception_ptr(Error(ErrorKind::unavailable, EAGAIN, "taskd", problem));
}

void read_options_after(Reader& reader, const std::shared_ptr<const ceph::Ioctx>& io, const std::string& after,
                        std::map<std::string, std::string>& options, const std::shared_ptr<void>& until) {
    constexpr std::uint64_t most = 64;
    ReadOp op;
    op.exec("metadata_list", wire::list_input(after, most));
    reader.read(io, "rbd_info", std::move(op), [&reader, io, &options, until](ReadOp& answer) {
        const auto metadata = wire::decode_metadata(answer.answer(0));
        if (!metadata) return;
        for (const auto& [key, value] : *metadata) {
            if (!key.starts_with(option_prefix)) return;
            options[key.substr(option_prefix.size())] = value;
        }
        if (metadata->size() >= most) read_options_after(reader, io, metadata->rbegin()->first, options, until);
    });
}

}  // namespace

std::string Lister::Impl::problem_of(const std::string& pool, int rc) const {
    if (rc == -ETIMEDOUT)
        return "pool '" + shown(pool) + "' does not answer: placement groups are not active, see `ceph pg dump_stuck`";
    return refusal(pool, rc).what();
}

Error Lister::Impl::refusal(const std::string& pool, int rc) const {
    return ceph::with_needed_caps(
        ceph::rados_error(rc, "error reading the images of pool '" + shown(pool) + "'", "pool"), user,
        "mon 'profile rbd' and osd '" + ceph::osd_profile(shown(pool)) + "'");
}

std::exception_ptr Lister::Impl::error_of(const std::string& pool, int rc) const {
    if (rc == -ETIMEDOUT || rc == -ECANCELED)
        return std::make_exception_ptr(
            Error(ErrorKind::unavailable, -rc, "pool", "[errno " + std::to_string(-rc) + "] " + problem_of(pool, rc)));
    if (rc == -ENOENT)
        return std::make_exception_ptr(ceph::rados_error(rc, "error opening pool '" + shown(pool) + "'", "pool"));
    return std::make_exception_ptr(refusal(pool, rc));
}

Lister::Impl::Impl(const std::shared_ptr<ceph::Cluster>& where, ceph::CommandSender& command_sender)
    : user(where->options().name),
      work(context.get_executor()),
      idle_timer(context),
      image_options(where),
      sender(command_sender),
      pools(where, command_sender),
      reader(context, ReadLimits{}),
      index(reader) {}

void Lister::Impl::start() {
    thread = std::thread([this] {
        name_this_thread("taskd-lister");
        context.run();
    });
}

void Lister::Impl::stop() {
    boost::asio::post(context, [this] {
        stopping = true;
        reader.stop();
        for (const auto& wait : std::exchange(waits, {})) end_wait(wait, {nullptr, "ceph-taskd is ending"});
        end_when_idle();
    });
    thread.join();
}

/// librados ends each read that was taken back at once, so this is soon.
void Lister::Impl::end_when_idle() {
    constexpr std::chrono::milliseconds tick{5};
    if (reader.is_idle() && questions.load() == 0) {
        work.reset();
        return;
    }
    idle_timer.expires_after(tick);
    idle_timer.async_wait([this](const boost::system::error_code&) { end_when_idle(); });
}

void Lister::Impl::with_pools(std::function<void(Pools, std::exception_ptr)> then) {
    constexpr std::chrono::milliseconds patience{500};
    if (stopping) return then(nullptr, unavailable("ceph-taskd is ending"));
    const auto wait = std::make_shared<PoolWait>(context);
    wait->then = std::move(then);
    waits.push_back(wait);
    pools.ask([weak = weak_from_this(), wait](const PoolSource::Answer& answer) {
        if (const auto lister = weak.lock())
            boost::asio::post(lister->context, [self = lister.get(), wait, answer] {
                self->monitors_are_slow = false;
                self->end_wait(wait, answer);
            });
    });
    // Who has not answered the one before in time is not waited for.
    wait->patience.expires_after(monitors_are_slow && pools.last() ? std::chrono::milliseconds(0) : patience);
    wait->patience.async_wait([this, wait](const boost::system::error_code& error) {
        if (error || !wait->then) return;
        monitors_are_slow = true;
        end_wait(wait, {pools.last(), "the monitors do not answer"});
    });
}

void Lister::Impl::end_wait(const std::shared_ptr<PoolWait>& wait, const PoolSource::Answer& answer) {
    if (!wait->then) return;
    wait->patience.cancel();
    waits.remove(wait);
    std::exchange(wait->then, nullptr)(answer.pools, answer.pools ? nullptr : unavailable(answer.problem));
}

std::shared_ptr<const Pool> Lister::Impl::pool_named(const PoolMap& known, const std::string& name) {
    auto pool = known.find(name);
    if (!pool) throw ceph::rados_error(-ENOENT, "error opening pool '" + shown(name) + "'", "pool");
    return pool;
}

void Lister::Impl::read_options(const std::shared_ptr<const Pool>& pool, PoolOptions& options,
                                const std::shared_ptr<void>& until) {
    if (const auto io = pool->io(""))
        read_options_after(reader, io, std::string(option_prefix), options[pool->name()], until);
}

void Lister::Impl::read_mirror_mode(const std::shared_ptr<const Pool>& pool, const std::string& ns,
                                    std::function<void(int, std::uint32_t)> then) {
    const auto io = pool->io(ns);
    if (!io) return then(0, 0);
    ReadOp op;
    op.exec("mirror_mode_get");
    reader.read(io, "rbd_mirroring", std::move(op), [then = std::move(then)](ReadOp& answer) {
        wire::Decoder decoder(answer.answer(0));
        // Without the object there is no mirroring.
        then(answer.result(0) == -ENOENT ? 0 : answer.result(0), decoder.u32());
    });
}

Lister::Lister(std::shared_ptr<ceph::Cluster> cluster, ceph::CommandSender& sender)
    : impl_(std::make_shared<Impl>(std::move(cluster), sender)) {
    impl_->start();
    mirroring_health();  // so that the first summary has it
}

Lister::~Lister() {
    impl_->stop();
}

const ImageOptions& Lister::options() const noexcept {
    return impl_->image_options;
}

void Lister::list(ListRequest request, Answered<ImageList> done) {
    impl_->take<ImageList>(std::move(done), [impl = impl_.get(), request = std::move(request)](auto answered) {
        answer_list(*impl, request, std::move(answered));
    });
}

namespace {

/// A look for one image by its name or its id.
struct Get {
    Lister::Impl& lister;
    ImageSpec spec;
    std::string id;
    bool wants_usage;
    Answered<ImageAnswer> done;
    std::shared_ptr<ReadingContext> context = std::make_shared<ReadingContext>();
    std::shared_ptr<const Pool> pool{};
    ImageAnswer answer{};
};
using GetPointer = std::shared_ptr<Get>;

void finish(Get& get) {
    const auto& image = get.answer.image;
    switch (image.state) {
        case ListedImage::State::present:
            return get.done({std::move(get.answer)});
        case ListedImage::State::silent:
            return get.done({{}, get.lister.error_of(get.spec.pool, -image.error)});
        case ListedImage::State::broken:
            return get.done({{},
                             std::make_exception_ptr(ceph::rados_error(
                                 image.error, "error reading the header of image " + image.id, "rbd"))});
        case ListedImage::State::gone:
        case ListedImage::State::incomplete:
        case ListedImage::State::removing:
            return get.done({{}, not_found()});
    }
}

/// @param id  Empty: of format 1.
void read_found(const GetPointer& get, const std::string& id) {
    ListedImage image;
    image.pool = get->spec.pool;
    image.ns = get->spec.ns;
    image.name = get->spec.name;
    image.id = id;
    const auto until = when_released([get] { finish(*get); });
    get->lister.read_options(get->pool, get->answer.options, until);
    read_image(get->lister.reader, get->context, get->pool, std::move(image),
               [get, until](ListedImage read) { get->answer.image = std::move(read); });
}

void look_for_id(const GetPointer& get, const std::shared_ptr<const ceph::Ioctx>& io) {
    ReadOp op;
    op.exec("dir_get_name", wire::text_input(get->id));
    get->lister.reader.read(io, "rbd_directory", std::move(op), [get](ReadOp& answer) {
        const int rc = answer.result(0);
        if (rc < 0 && rc != -ENOENT) return get->done({{}, get->lister.error_of(get->spec.pool, rc)});
        auto name = wire::decode_text(answer.answer(0));
        if (!name || !is_meant(get->spec.name, *name, get->id)) return get->done({{}, not_found()});
        get->spec.name = *std::move(name);
        read_found(get, get->id);
    });
}

void look_for(const GetPointer& get) {
    const auto io = get->pool->io(get->spec.ns);
    if (!io) return get->done({{}, get->lister.error_of(get->spec.pool, -ENOENT)});
    if (!get->id.empty()) return look_for_id(get, io);
    ReadOp op;
    op.exec("get_id");
    get->lister.reader.read(io, "rbd_id." + get->spec.name, std::move(op), [get](ReadOp& answer) {
        const int rc = answer.result(0);
        if (rc < 0 && rc != -ENOENT) return get->done({{}, get->lister.error_of(get->spec.pool, rc)});
        read_found(get, wire::decode_text(answer.answer(0)).value_or(""));
    });
}

}  // namespace

void Lister::get(ImageSpec image, std::string id, bool wants_usage, Answered<ImageAnswer> done) {
    impl_->take<ImageAnswer>(std::move(done), [impl = impl_.get(), image = std::move(image), id = std::move(id),
                                               wants_usage](const Answered<ImageAnswer>& answered) {
        const auto get = std::make_shared<Get>(Get{*impl, image, id, wants_usage, answered});
        impl->with_pools([get](const Impl::Pools& pools, const std::exception_ptr& error) {
            if (error) return get->done({{}, error});
            get->pool = pools->find(get->spec.pool);
            if (!get->pool) return get->done({{}, get->lister.error_of(get->spec.pool, -ENOENT)});
            get->context->pools = pools;
            get->context->wants_usage = get->wants_usage;
            get->context->wants_all = true;
            get->context->mirrored.insert({get->pool->id(), get->spec.ns});
            look_for(get);
        });
    });
}

}  // namespace taskd::rbd
