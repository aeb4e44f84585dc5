#include "api/endpoint.hpp"
#include "api/image_view.hpp"
#include "api/lister_wait.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"
#include "rbd/features.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace taskd::api {
namespace {

using Response = http::net::awaitable<http::Response>;
using ServicesPointer = std::shared_ptr<const Services>;

constexpr Version list_version{2, 0};

rbd::Lister& lister_of(const Services& services) {
    if (services.lister == nullptr)
        throw Error(ErrorKind::unavailable, EAGAIN, "taskd", "[errno 11] images are not listed here");
    return *services.lister;
}

OptionsOf options_of(const rbd::Lister& lister) {
    return [&lister](const auto& pool, const auto& image) { return lister.options().effective(pool, image); };
}

http::Response text_response(std::string text, Version version = {}) {
    http::Response response;
    response.content_type = version.media_type();
    response.body = std::move(text);
    return response;
}

/// A whole number in a query, as Python reads it: a sign and blanks around it are allowed.
std::int64_t query_number(const http::Request& request, std::string_view name, std::int64_t usual) {
    const auto given = query_value(request, name);
    if (!given) return usual;
    std::string_view text = *given;
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        throw BadRequest(name, "expected a whole number");
    return value;
}

/// The dashboard takes anything that it does not know for false.
bool omits_usage(const http::Request& request) {
    try {
        return query_flag(request, "omit_usage");
    } catch (const BadRequest&) {
        query_value(request, "omit_usage");  // given twice is refused
        return false;
    }
}

rbd::ListRequest list_request(const http::Request& request) {
    require_known_query(request, {"pool_name", "offset", "limit", "search", "sort", "omit_usage"});
    rbd::ListRequest wanted;
    wanted.pool = query_value(request, "pool_name").value_or("");
    wanted.page.offset = query_number(request, "offset", 0);
    wanted.page.limit = query_number(request, "limit", 5);
    wanted.page.search = query_value(request, "search").value_or("");
    wanted.page.set_sort(query_value(request, "sort").value_or(""));
    wanted.wants_usage = !omits_usage(request);
    return wanted;
}

/// The dashboard's refusal of a limit, whose code is an HTTP status.
http::Response wrong_limit(std::int64_t limit) {
    http::Response response;
    response.status = 400;
    response.body = nlohmann::json{
        {"detail", "Wrong limit value " + std::to_string(limit)},
        {"code", "400"},
        {"component",
         nullptr}}.dump();
    return response;
}

bool has_schedule(const rbd::ListedImage& image) {
    return image.details && image.details->is_mirrored_by_snapshots;
}

/// What the mgr tells within two seconds: one that is slow or gone holds up no list for longer.
http::net::awaitable<rbd::NextSnapshots> schedules_if(bool wanted, rbd::Lister& lister) {
    if (!wanted) co_return rbd::NextSnapshots();
    try {
        co_return co_await answer_of_lister<rbd::NextSnapshots>(
            [&](rbd::Answered<rbd::NextSnapshots> done) { lister.next_snapshots(std::move(done)); },
            std::chrono::seconds(2));
    } catch (const Error& error) {
        spdlog::debug("schedules of mirror snapshots: {}", error.what());
    }
    co_return rbd::NextSnapshots();
}

Response list_images(ServicesPointer services, http::Request request) {
    auto wanted = list_request(request);
    if (wanted.page.limit < -1) co_return wrong_limit(wanted.page.limit);
    auto& lister = lister_of(*services);
    const auto images = co_await answer_of_lister<rbd::ImageList>(
        [&](rbd::Answered<rbd::ImageList> done) { lister.list(std::move(wanted), std::move(done)); });
    const bool has_schedules = std::any_of(images.images.begin(), images.images.end(), has_schedule);
    const auto schedules = co_await schedules_if(has_schedules, lister);
    auto response = text_response(image_list_text(images, options_of(lister), schedules), list_version);
    response.headers.emplace_back("X-Total-Count", std::to_string(images.total));
    co_return response;
}

Response get(ServicesPointer services, http::Request request) {
    require_known_query(request, {"omit_usage", "image_id"});
    const bool wants_usage = !omits_usage(request);
    auto spec = rbd::ImageSpec::parse(request.param("image_spec"));
    auto id = query_value(request, "image_id").value_or("");
    auto& lister = lister_of(*services);
    std::optional<rbd::ImageAnswer> found;
    try {
        found = co_await answer_of_lister<rbd::ImageAnswer>([&](rbd::Answered<rbd::ImageAnswer> done) {
            lister.get(std::move(spec), std::move(id), wants_usage, std::move(done));
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;
    }
    if (!found) co_return http::error_response(404, "Image not found");
    const auto schedules = co_await schedules_if(has_schedule(found->image), lister);
    co_return text_response(image_text(*found, options_of(lister), schedules));
}

Response trash(ServicesPointer services, http::Request request) {
    require_known_query(request, {"pool_name"});
    auto pool = query_value(request, "pool_name").value_or("");
    auto& lister = lister_of(*services);
    const auto found = co_await answer_of_lister<std::vector<rbd::TrashAnswer>>(
        [&](rbd::Answered<std::vector<rbd::TrashAnswer>> done) { lister.trash(std::move(pool), std::move(done)); });
    co_return json_response(trash_view(found));
}

/// The dashboard tells errors of this one without a component.
http::Response without_component(const Error& error) {
    http::Response response;
    response.status = 400;
    response.body =
        nlohmann::json{{"detail", error.what()}, {"code", std::to_string(error.errno_value())}, {"component", nullptr}}
            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return response;
}

Response namespaces(ServicesPointer services, http::Request request) {
    require_known_query(request, {});
    auto& lister = lister_of(*services);
    std::optional<http::Response> refusal;
    std::vector<rbd::NamespaceAnswer> found;
    try {
        found = co_await answer_of_lister<std::vector<rbd::NamespaceAnswer>>(
            [&](rbd::Answered<std::vector<rbd::NamespaceAnswer>> done) {
                lister.namespaces(request.param("pool_name"), std::move(done));
            });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::refused) throw;
        refusal = without_component(error);
    }
    if (refusal) co_return *std::move(refusal);
    nlohmann::json view = nlohmann::json::array();
    for (const auto& ns : found) view.push_back({{"namespace", ns.name}, {"num_images", ns.images}});
    co_return json_response(view);
}

Response status(ServicesPointer services, http::Request request) {
    require_known_query(request, {});
    auto& lister = lister_of(*services);
    const auto pools = co_await answer_of_lister<std::vector<std::string>>(
        [&](rbd::Answered<std::vector<std::string>> done) { lister.image_pools(std::move(done)); });
    nlohmann::json view{{"available", !pools.empty()}, {"message", nullptr}};
    if (pools.empty())
        view["message"] = "No RBD pools in the cluster. Please create a pool with the \"rbd\" application label.";
    co_return json_response(view);
}

/// Of the option's value: names with commas between them, or a mask.
std::vector<std::string> feature_list(const std::string& value) {
    std::uint64_t mask = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mask);
    if (error != std::errc() || end != value.data() + value.size()) {
        mask = 0;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            mask |= rbd::feature_bit(rest.substr(0, comma)).value_or(0);
            rest.remove_prefix(std::min(rest.size(), comma + 1));
        }
    }
    auto names = rbd::feature_names(mask);
    std::sort(names.begin(), names.end());
    return names;
}

http::Response default_features(const Services& services, const http::Request& request) {
    require_known_query(request, {});
    return json_response(feature_list(lister_of(services).options().conf("rbd_default_features")));
}

/// The newest format that every client can read, unless the configuration says which.
/// @source  dashboard controllers/rbd.py `clone_format_version`
Response clone_format_version(ServicesPointer services, http::Request request) {
    require_known_query(request, {});
    auto& lister = lister_of(*services);
    const auto configured = lister.options().conf("rbd_default_clone_format");
    if (configured == "1" || configured == "2") co_return json_response(configured == "1" ? 1 : 2);
    const auto release = co_await answer_of_lister<std::string>(
        [&](rbd::Answered<std::string> done) { lister.oldest_client(std::move(done)); });
    co_return json_response(release < "mimic" ? 1 : 2);
}

}  // namespace

void add_image_list_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/block/image", endpoint(access, Later(list_images), list_version));
    router.add("GET", "/api/block/image/clone_format_version", endpoint(access, Later(clone_format_version)));
    router.add("GET", "/api/block/image/default_features", endpoint(access, Now(default_features)));
    router.add("GET", "/api/block/image/trash", endpoint(access, Later(trash)));
    router.add("GET", "/api/block/image/{image_spec}", endpoint(access, Later(get)));
    router.add("GET", "/api/block/pool/{pool_name}/namespace", endpoint(access, Later(namespaces)));
    router.add("GET", "/ui-api/block/rbd/status", endpoint(access, Later(status)));
}

}  // namespace taskd::api
