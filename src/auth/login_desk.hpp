#pragma once

#include "auth/access_database.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace taskd::auth {

struct LoginLimits {
    std::size_t capacity = 32;        ///< Passwords that may wait to be checked.
    unsigned attempts = 10;           ///< After so many wrong passwords in a row a user is locked out,
    std::chrono::minutes locked{15};  ///< for so long, or until the user's record changes.
};

/// Checks passwords one after the other on a thread of its own ("taskd-login"): each takes a quarter of a second of a
/// core, which nobody else waits for.
/// @thread  Any.
class LoginDesk {
  public:
    /// @param is_right  Whether the password is right and the user may log in.
    using Done = std::function<void(bool is_right)>;

    explicit LoginDesk(LoginLimits limits = {});
    /// Answers those that wait with no.
    ~LoginDesk();
    LoginDesk(const LoginDesk&) = delete;
    LoginDesk& operator=(const LoginDesk&) = delete;

    /// @param user  Null, for a name that nobody has: takes as long and is refused.
    /// @param done  Called once, from the desk's thread or the destructor; must not block.
    /// @throws QueueFull  too many wait; `done` will not be called
    void check(std::shared_ptr<const User> user, std::string password, Done done);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace taskd::auth
