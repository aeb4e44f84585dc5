#include "auth/access_feed.hpp"

#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using nlohmann::json;

enum Question : std::size_t { users, secret, block_list, cluster_status, token_lifetime, question_count };

json key_of(const char* key) {
    return {{"prefix", "config-key get"}, {"key", key}};
}

constexpr auto block_list_key = "mgr/dashboard/jwt_token_block_list";

json command_of(std::size_t question) {
    switch (question) {
        case users:
            return key_of("mgr/dashboard/accessdb_v2");
        case secret:
            return key_of("mgr/dashboard/jwt_secret");
        case block_list:
            return key_of(block_list_key);
        case cluster_status:
            return key_of("mgr/dashboard/cluster/status");
        default:
            return {{"prefix", "config get"}, {"who", "mgr"}, {"key", "mgr/dashboard/jwt_token_ttl"}};
    }
}

using Texts = std::array<std::string, question_count>;

std::map<std::string, std::int64_t> revoked_of(const std::string& text) {
    std::map<std::string, std::int64_t> revoked;
    const auto document = json::parse(text, nullptr, false);
    if (!document.is_object()) return revoked;
    for (const auto& [id, expires_at] : document.items())
        revoked[id] = expires_at.is_number() ? expires_at.get<std::int64_t>() : INT64_MAX;
    return revoked;
}

/// @throws Error  the user database cannot be read
std::shared_ptr<const AccessState> state_of(const Texts& texts) {
    auto state = std::make_shared<AccessState>();
    state->users = AccessDatabase::parse(texts[users]);
    state->secret = texts[secret];
    state->revoked = revoked_of(texts[block_list]);
    if (!texts[cluster_status].empty()) state->cluster_status = texts[cluster_status];
    const auto& lifetime = texts[token_lifetime];
    std::int64_t seconds = 0;
    if (std::from_chars(lifetime.data(), lifetime.data() + lifetime.size(), seconds).ec == std::errc() && seconds > 0)
        state->token_lifetime = std::chrono::seconds(seconds);
    return state;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

std::shared_ptr<const User> AccessState::authenticate(const std::string& token, std::int64_t now) const {
    const auto said = verify(token, secret);
    if (!said || (said->expires_at && *said->expires_at <= now) || said->issued_at > now + 1) return nullptr;
    if (revoked.contains(said->id)) return nullptr;
    auto user = users.find(said->username);
    // A disabled user's older tokens are void by the change itself; one issued since must not work either.
    if (!user || !user->is_enabled || user->last_update > said->issued_at) return nullptr;
    return user;
}

/// Shared with the callbacks of questions under way.
struct AccessFeed::State : std::enable_shared_from_this<AccessFeed::State> {
    State(ceph::CommandSender& command_sender, AccessFeedOptions feed_options)
        : sender(command_sender), options(feed_options) {}

    void run();
    void ask_all();
    void answered(std::size_t question, const ceph::CommandAnswer& answer);
    void learn(Texts texts);
    void complain(const std::string& problem) TASKD_REQUIRES(mutex);

    ceph::CommandSender& sender;
    const AccessFeedOptions options;

    mutable Mutex mutex;
    std::condition_variable_any wake;
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    std::shared_ptr<const AccessState> newest TASKD_GUARDED_BY(mutex);
    /// Revoked here; the cluster's list may not have them yet.
    std::map<std::string, std::int64_t> revoked_here TASKD_GUARDED_BY(mutex);
    Texts known TASKD_GUARDED_BY(mutex);  ///< What `newest` was made of.
    Texts asked TASKD_GUARDED_BY(mutex);
    std::size_t open_questions TASKD_GUARDED_BY(mutex) = 0;
    std::string problem_told TASKD_GUARDED_BY(mutex);
    bool has_failed TASKD_GUARDED_BY(mutex) = false;
    std::thread thread;
};

void AccessFeed::State::run() {
    name_this_thread("taskd-access");
    for (;;) {
        ask_all();
        MutexLock lock(mutex);
        const auto next = std::chrono::steady_clock::now() + options.interval;
        while (!stopping && wake.wait_until(mutex, next) != std::cv_status::timeout) {
        }
        if (stopping) return;
    }
}

void AccessFeed::State::ask_all() {
    {
        MutexLock lock(mutex);
        if (open_questions != 0) return;  // the cluster is slow to answer, or the sender has not given up yet
        open_questions = question_count;
        has_failed = false;
    }
    for (std::size_t question = 0; question < question_count; ++question) {
        try {
            sender.send({ceph::CommandTarget::Kind::mon, {}}, command_of(question), {},
                        [state = shared_from_this(), question](const ceph::CommandAnswer& answer) {
                            state->answered(question, answer);
                        });
        } catch (...) {
            ceph::CommandAnswer unsent;
            unsent.error = std::current_exception();
            answered(question, unsent);
        }
    }
}

void AccessFeed::State::complain(const std::string& problem) {
    if (std::exchange(problem_told, problem) != problem && !problem.empty()) spdlog::warn("auth: {}", problem);
}

void AccessFeed::State::answered(std::size_t question, const ceph::CommandAnswer& answer) {
    Texts texts;
    {
        MutexLock lock(mutex);
        const int rc = answer.error ? -EIO : answer.result.return_code;
        // Without a key there is nothing revoked, no special status, and the usual lifetime.
        const bool may_be_missing = question != users && question != secret;
        if (answer.error || (rc < 0 && rc != -ENOENT && !may_be_missing)) {
            has_failed = true;
            complain("cannot read the dashboard's users: " +
                     (answer.error ? error_text(answer.error) : answer.result.status));
        }
        asked[question] = rc < 0 ? std::string() : trimmed(answer.result.output);
        if (--open_questions != 0 || has_failed || stopping) return;
        if (asked[users].empty() || asked[secret].empty()) {
            complain("the cluster's dashboard has no users yet: nobody can log in");
            newest = nullptr;
            known = {};
            return;
        }
        if (asked == known) return;
        texts = asked;
    }
    learn(std::move(texts));
}

void AccessFeed::State::learn(Texts texts) {
    try {
        auto state = std::make_shared<AccessState>(*state_of(texts));
        MutexLock lock(mutex);
        const auto now = numeric_date_now();
        std::erase_if(revoked_here, [now](const auto& entry) { return entry.second < now; });
        state->revoked.insert(revoked_here.begin(), revoked_here.end());
        newest = std::move(state);
        known = std::move(texts);
        complain({});
    } catch (const Error& error) {
        MutexLock lock(mutex);
        complain(error.what());
    }
}

AccessFeed::AccessFeed(ceph::CommandSender& sender, AccessFeedOptions options)
    : state_(std::make_shared<State>(sender, options)) {
    state_->thread = std::thread([state = state_] { state->run(); });
}

AccessFeed::~AccessFeed() {
    {
        MutexLock lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
}

std::shared_ptr<const AccessState> AccessFeed::current() const {
    MutexLock lock(state_->mutex);
    return state_->newest;
}

void AccessFeed::revoke(const Token& token, std::function<void(bool written)> done) {
    json list = json::object();
    {
        MutexLock lock(state_->mutex);
        if (!state_->newest) throw Error(ErrorKind::unavailable, EAGAIN, "auth", "the users are not known yet");
        const auto now = numeric_date_now();
        const auto expires_at = token.expires_at.value_or(INT64_MAX);
        state_->revoked_here[token.id] = expires_at;
        auto next = std::make_shared<AccessState>(*state_->newest);
        next->revoked[token.id] = expires_at;
        state_->newest = next;
        for (const auto& [id, until] : next->revoked)
            if (until > now) list[id] = until;
    }
    // The dashboard writes the whole list as well, and nobody can compare and swap: what another logout writes in the
    // same half second may win in the cluster. Here the token stays void all the same.
    state_->sender.send({ceph::CommandTarget::Kind::mon, {}},
                        {{"prefix", "config-key set"}, {"key", block_list_key}, {"val", list.dump()}}, {},
                        [done = std::move(done)](const ceph::CommandAnswer& answer) {
                            done(!answer.error && answer.result.return_code == 0);
                        });
}

}  // namespace taskd::auth
