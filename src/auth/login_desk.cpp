#include "auth/login_desk.hpp"

#include "auth/password.hpp"
#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::auth {

struct LoginDesk::State {
    struct Attempt {
        std::shared_ptr<const User> user;
        std::string password;
        Done done;
    };
    /// Of a user that exists: there are no more of these than users.
    struct Failures {
        unsigned count = 0;
        std::int64_t last_update = 0;  ///< Of the record they were made with.
        std::chrono::steady_clock::time_point since;
    };

    explicit State(LoginLimits desk_limits) : limits(desk_limits) {}

    void run();
    bool is_right(const Attempt& attempt);
    bool is_locked_out(const User& user);
    void note(const User& user, bool right);

    const LoginLimits limits;
    Mutex mutex;
    std::condition_variable_any wake;
    std::deque<Attempt> waiting TASKD_GUARDED_BY(mutex);
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    std::map<std::string, Failures> failures;  // the desk's thread only
    std::thread thread;
};

void LoginDesk::State::run() {
    name_this_thread("taskd-login");
    for (;;) {
        Attempt attempt;
        {
            MutexLock lock(mutex);
            while (!stopping && waiting.empty()) wake.wait(mutex);
            if (stopping) return;
            attempt = std::move(waiting.front());
            waiting.pop_front();
        }
        attempt.done(is_right(attempt));
    }
}

bool LoginDesk::State::is_right(const Attempt& attempt) {
    const bool fits = is_password(attempt.password, attempt.user ? attempt.user->password_hash : hash_of_nobody());
    if (!attempt.user) return false;
    const auto& user = *attempt.user;
    if (is_locked_out(user)) return false;
    note(user, fits);
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    return fits && user.is_enabled && (!user.password_expires_at || *user.password_expires_at > now.count());
}

bool LoginDesk::State::is_locked_out(const User& user) {
    const auto found = failures.find(user.name);
    if (found == failures.end()) return false;
    const auto& failed = found->second;
    if (failed.last_update != user.last_update || std::chrono::steady_clock::now() - failed.since > limits.locked) {
        failures.erase(found);
        return false;
    }
    return failed.count >= limits.attempts;
}

void LoginDesk::State::note(const User& user, bool right) {
    if (right) {
        failures.erase(user.name);
        return;
    }
    auto& failed = failures[user.name];
    failed.last_update = user.last_update;
    failed.since = std::chrono::steady_clock::now();
    if (++failed.count == limits.attempts)
        spdlog::warn("auth: user '{}' is locked out after {} wrong passwords", user.name, failed.count);
}

LoginDesk::LoginDesk(LoginLimits limits) : state_(std::make_unique<State>(limits)) {
    state_->thread = std::thread([this] { state_->run(); });
}

LoginDesk::~LoginDesk() {
    {
        MutexLock lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
    MutexLock lock(state_->mutex);
    for (auto& attempt : state_->waiting) attempt.done(false);
}

void LoginDesk::check(std::shared_ptr<const User> user, std::string password, Done done) {
    {
        MutexLock lock(state_->mutex);
        if (state_->waiting.size() >= state_->limits.capacity) throw QueueFull("logins", state_->limits.capacity);
        state_->waiting.push_back({std::move(user), std::move(password), std::move(done)});
    }
    state_->wake.notify_one();
}

}  // namespace taskd::auth
