#pragma once

#include "http/awaitable.hpp"
#include "http/message.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::http {

/// Answers a request, waiting as it likes. Runs on the connection's thread and must not block it.
/// What it waits for must end by a timer of its own or through CallbackWait: a server that is stopped destroys a
/// handler that still waits.
using Handler = std::function<net::awaitable<Response>(Request)>;

/// Answers from memory, at once: costs neither a coroutine nor a copy of the request.
using SyncHandler = std::function<Response(Request&)>;

/// Both kinds are called from every thread of a server at the same time.
struct Route {
    SyncHandler now;  ///< Either this one is set,
    Handler later;    ///< or this one.
    std::vector<std::string> param_names;
    std::size_t number = 0;  ///< Among `Router::names`.
};

/// What a route is called where requests are counted: as it was added, never what a client sent.
struct RouteName {
    std::string method;
    std::string pattern;
};

struct Match {
    const Route* route = nullptr;   ///< Null: not found.
    std::vector<NameValue> params;  ///< In the order of the pattern; decoded by decode_path_parameter.
};

/// Finds the handler of a method and a path.
///
/// A pattern is a path whose segments are literals or parameters: "/api/block/image/{image_spec}/snap/{snap}". The path
/// is split first and decoded afterwards, so `rbd%2Fimg` is one segment. A literal wins over a parameter, segment by
/// segment, among the routes that have the method.
///
/// @thread  `add` and `set_fallback` before the server has it; `match` from any thread.
/// @source  dashboard-contract.md 0.1, 0.2 (an unknown method is answered as an unknown path is: 404)
class Router {
  public:
    /// What becomes of each route when it is added: who watches over all of them wraps their handlers.
    using Decorator = std::function<Route(std::string_view method, std::string_view pattern, Route route)>;

    Router();
    explicit Router(Decorator decorate);
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// @throws std::invalid_argument on a malformed pattern or a second handler for the same method and pattern.
    void add(std::string_view method, std::string_view pattern, Handler handler);
    void add(std::string_view method, std::string_view pattern, SyncHandler handler);

    /// Answers what no route matches; not_found_response unless told otherwise.
    void set_fallback(Handler handler);
    void set_fallback(SyncHandler handler);
    const Route& fallback() const noexcept;

    /// Of all routes; the first one is that of the fallback, "other" and "other".
    const std::vector<RouteName>& names() const noexcept { return names_; }

    /// @param path  Normalised and well-formed (normalise_path, is_well_formed_path).
    Match match(std::string_view method, std::string_view path) const;

  private:
    struct Node;

    void insert(std::string_view method, std::string_view pattern, Route route);

    Decorator decorate_;
    std::unique_ptr<Node> root_;
    std::unique_ptr<Route> fallback_;
    std::vector<RouteName> names_{{"other", "other"}};
};

}  // namespace taskd::http
