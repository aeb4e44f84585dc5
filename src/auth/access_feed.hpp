#pragma once

#include "auth/access_database.hpp"
#include "auth/token.hpp"
#include "ceph/command_sender.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace taskd::auth {

/// Whose users hold.
enum class AccessSource : std::uint8_t {
    dashboard,  ///< Those of the cluster's dashboard.
    own,        ///< Those of `ceph-taskd user`.
};

/// Who may log in and with what, at one moment. Immutable.
struct AccessState {
    AccessSource source = AccessSource::dashboard;
    AccessDatabase users;
    std::string secret;                           ///< Of the tokens.
    std::map<std::string, std::int64_t> revoked;  ///< Token ids, and when those tokens expire.
    std::chrono::seconds token_lifetime{8 * 3600};
    std::string cluster_status = "POST_INSTALLED";  ///< What the login page is told.

    /// Whose token this is. Null when it is void: forged, expired, revoked, or older than the last change of its user.
    /// @param now  Seconds since the epoch.
    std::shared_ptr<const User> authenticate(const std::string& token, std::int64_t now) const;
};

struct AccessFeedOptions {
    std::chrono::milliseconds interval{500};  ///< A change of users is seen within a second.
    /// None: the dashboard's where the cluster has any, else our own; looked at anew each time.
    std::optional<AccessSource> source;
};

/// Reads users, roles, token secret and revoked tokens from the cluster, again and again, so that whoever checks a
/// token never waits for the cluster. What was read last counts while the cluster does not answer. Writes nothing but
/// the list of revoked tokens. Logs whose users hold, and when that changes.
/// @thread  Any; readers never wait for the cluster.
/// @source  dashboard-contract.md 1.4
class AccessFeed {
  public:
    /// @param sender  Must outlive this; its callbacks after this is gone do nothing.
    explicit AccessFeed(ceph::CommandSender& sender, AccessFeedOptions options = {});
    ~AccessFeed();
    AccessFeed(const AccessFeed&) = delete;
    AccessFeed& operator=(const AccessFeed&) = delete;

    /// Null until the first answers are there, and while the dashboard's users are to hold and it has none. Where there
    /// are none of our own, a state of nobody.
    std::shared_ptr<const AccessState> current() const;

    /// Makes a token void, here at once, and for the dashboard and every other ceph-taskd by its entry in the cluster.
    /// @param done  Called once with whether the cluster has it; from any thread; must not block.
    /// @throws QueueFull, Error  not asked, and `done` will not be called
    void revoke(const Token& token, std::function<void(bool written)> done);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace taskd::auth
