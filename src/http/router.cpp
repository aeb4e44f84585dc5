#include "http/router.hpp"

#include <map>
#include <stdexcept>

namespace taskd::http {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Route, std::less<>> routes;  // by method

    const Route* find(std::string_view method, std::string_view rest, std::vector<std::string_view>& values) const;
};

namespace {

/// Cuts the first segment off "/a/b" and leaves "/b".
std::string_view take_segment(std::string_view& rest) {
    const auto segment = rest.substr(1, rest.find('/', 1) - 1);
    rest.remove_prefix(1 + segment.size());
    return segment;
}

}  // namespace

// Depth-first with a way back: /a/x must reach /a/{p} for a method that the literal /a/x does not have. The depth is
// bounded by the patterns' depth, whatever the client sends.
const Route* Router::Node::find(std::string_view method, std::string_view rest,
                                std::vector<std::string_view>& values) const {
    if (rest.empty() || rest == "/") {
        const auto found = routes.find(method);
        return found == routes.end() ? nullptr : &found->second;
    }
    const auto segment = take_segment(rest);
    const bool is_encoded = segment.find('%') != std::string_view::npos;
    const auto literal = is_encoded ? literals.find(percent_decode_leniently(segment)) : literals.find(segment);
    if (literal != literals.end())
        if (const auto* route = literal->second->find(method, rest, values)) return route;
    if (!parameter) return nullptr;
    values.push_back(segment);
    if (const auto* route = parameter->find(method, rest, values)) return route;
    values.pop_back();
    return nullptr;
}

Router::Router() : Router(Decorator()) {}

Router::Router(Decorator decorate)
    : decorate_(std::move(decorate)), root_(std::make_unique<Node>()), fallback_(std::make_unique<Route>()) {
    fallback_->now = not_found_response;
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
    Route route;
    route.later = std::move(handler);
    insert(method, pattern, std::move(route));
}

void Router::add(std::string_view method, std::string_view pattern, SyncHandler handler) {
    Route route;
    route.now = std::move(handler);
    insert(method, pattern, std::move(route));
}

void Router::set_fallback(Handler handler) {
    *fallback_ = Route{};
    fallback_->later = std::move(handler);
}

void Router::set_fallback(SyncHandler handler) {
    *fallback_ = Route{};
    fallback_->now = std::move(handler);
}

const Route& Router::fallback() const noexcept {
    return *fallback_;
}

void Router::insert(std::string_view method, std::string_view pattern, Route route) {
    const auto refuse = [&](const char* problem) {
        throw std::invalid_argument("route " + std::string(method) + " " + std::string(pattern) + ": " + problem);
    };
    if (!route.now && !route.later) refuse("has no handler");
    if (!pattern.starts_with('/')) refuse("a pattern starts with '/'");
    if (decorate_) route = decorate_(method, pattern, std::move(route));
    route.number = names_.size();
    auto* node = root_.get();
    for (auto rest = pattern; !rest.empty() && rest != "/";) {
        const auto segment = take_segment(rest);
        if (segment.empty()) refuse("has an empty segment");
        auto* child = &node->parameter;
        if (segment.starts_with('{')) {
            if (segment.size() < 3 || !segment.ends_with('}')) refuse("a parameter is written {name}");
            route.param_names.emplace_back(segment.substr(1, segment.size() - 2));
        } else {
            child = &node->literals[std::string(segment)];
        }
        if (!*child) *child = std::make_unique<Node>();
        node = child->get();
    }
    if (!node->routes.emplace(method, std::move(route)).second) refuse("has a handler already");
    names_.push_back({std::string(method), std::string(pattern)});
}

Match Router::match(std::string_view method, std::string_view path) const {
    Match match;
    if (!path.starts_with('/')) return match;
    std::vector<std::string_view> values;
    match.route = root_->find(method, path, values);
    if (!match.route) return match;
    match.params.reserve(values.size());
    for (std::size_t index = 0; index < values.size(); ++index)
        match.params.emplace_back(match.route->param_names[index], decode_path_parameter(values[index]));
    return match;
}

}  // namespace taskd::http
