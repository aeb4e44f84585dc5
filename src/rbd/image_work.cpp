#include "rbd/image_work.hpp"

#include "rbd/error.hpp"
#include "rbd/pool.hpp"

#include <cerrno>
#include <chrono>

namespace taskd::rbd {
namespace {

/// osd_client_watch_timeout is 30 s.
constexpr auto watch_of_the_dead = std::chrono::seconds(40);
constexpr auto watch_poll = std::chrono::milliseconds(500);

}  // namespace

ImageWork::ImageWork(OperationContext& context, const nlohmann::json& arguments)
    : context_(context),
      spec_(image_spec_of(arguments)),
      id_(arguments.value("image_id", std::string{})),
      io_(context.cluster().open_ioctx(spec_.pool, spec_.ns)) {}

std::string ImageWork::opening() const {
    return "error opening image " + python_bytes(spec_.name) + " at snapshot None";
}

void ImageWork::find(std::string_view context) {
    context_.step("look up the image");
    target_ = find_image(io_.handle(), spec_, id_);
    if (target_.state == ImageTarget::State::gone && reopen_if_replaced(context_.cluster(), spec_, io_))
        target_ = find_image(io_.handle(), spec_, id_);
    if (target_.state == ImageTarget::State::named) return;
    const bool is_going = target_.state == ImageTarget::State::half_removed;
    throw rbd_error(-ENOENT, context, is_going ? "it is half removed: delete it again to finish" : target_.why);
}

void ImageWork::find() {
    find(opening());
}

Image ImageWork::open(Image::Mode mode) const {
    auto image = open_target(io_.handle(), target_, mode);
    if (!image) throw rbd_error(-ENOENT, opening(), "its header is missing: it is half made or half removed");
    return *std::move(image);
}

void ImageWork::stop_if_requested(std::string_view context, std::string_view what_is_left) const {
    if (context_.stop_requested()) throw rbd_error(-ECANCELED, context, what_is_left);
}

std::vector<Watcher> watchers_alive(OperationContext& context, const Image& image) {
    auto watchers = image.watchers();
    const auto give_up = std::chrono::steady_clock::now() + watch_of_the_dead;
    while (context.is_repeated() && !watchers.empty() && std::chrono::steady_clock::now() < give_up) {
        context.step("wait for the client that has the image open");
        if (!context.pause(watch_poll)) break;
        watchers = image.watchers();
    }
    return watchers;
}

}  // namespace taskd::rbd
