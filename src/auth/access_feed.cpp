#include "auth/access_feed.hpp"

#include "auth/access_store.hpp"
#include "core/mutex.hpp"
#include "core/thread_name.hpp"
#include "core/whole_number.hpp"

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

enum Question : std::size_t {
    users,
    secret,
    block_list,
    cluster_status,
    token_lifetime,
    dashboard_users,  ///< While our own hold: whether that is to change.
    question_count
};

constexpr const char* block_list_key = "jwt_token_block_list";

std::string key_name(AccessSource source, const char* key) {
    return std::string(source == AccessSource::dashboard ? "mgr/dashboard/" : own_key_prefix) + key;
}

json get_key(AccessSource source, const char* key) {
    return {{"prefix", "config-key get"}, {"key", key_name(source, key)}};
}

/// Null when it need not be asked.
json command_of(std::size_t question, AccessSource source, bool is_decided) {
    const bool is_own = source == AccessSource::own;
    switch (question) {
        case users:
            return get_key(source, "accessdb_v2");
        case secret:
            return get_key(source, "jwt_secret");
        case block_list:
            return get_key(source, block_list_key);
        case cluster_status:
            return is_own ? json() : get_key(source, "cluster/status");
        case token_lifetime:
            if (is_own) return get_key(source, "jwt_token_ttl");
            return {{"prefix", "config get"}, {"who", "mgr"}, {"key", "mgr/dashboard/jwt_token_ttl"}};
        default:
            return is_own && !is_decided ? get_key(AccessSource::dashboard, "accessdb_v2") : json();
    }
}

using Texts = std::array<std::string, question_count>;

std::map<std::string, std::int64_t> revoked_of(const std::string& text) {
    std::map<std::string, std::int64_t> revoked;
    const auto document = json::parse(text, nullptr, false);
    if (!document.is_object()) return revoked;
    for (const auto& [id, expires_at] : document.items()) revoked[id] = whole_number(expires_at).value_or(INT64_MAX);
    return revoked;
}

/// @throws Error  the user database cannot be read
std::shared_ptr<AccessState> state_of(AccessSource source, const Texts& texts) {
    auto state = std::make_shared<AccessState>();
    state->source = source;
    if (!texts[users].empty()) state->users = AccessDatabase::parse(texts[users]);
    state->secret = texts[secret];
    state->revoked = revoked_of(texts[block_list]);
    if (!texts[cluster_status].empty()) state->cluster_status = texts[cluster_status];
    const auto& lifetime = texts[token_lifetime];
    std::int64_t seconds = 0;
    if (std::from_chars(lifetime.data(), lifetime.data() + lifetime.size(), seconds).ec == std::errc() && seconds > 0)
        state->token_lifetime = std::chrono::seconds(seconds);
    return state;
}

std::string whose(AccessSource source) {
    return source == AccessSource::dashboard ? "the dashboard's users" : "ceph-taskd's own users";
}

/// What keeps everybody out; empty when nothing does.
std::string obstacle(AccessSource source, const Texts& texts) {
    if (source == AccessSource::dashboard)
        return texts[users].empty() || texts[secret].empty()
                   ? "the cluster's dashboard has no users yet: nobody can log in"
                   : "";
    return !texts[users].empty() && texts[secret].empty()
               ? "the secret of the tokens is gone: nobody can log in until a `ceph-taskd user …` makes a new one"
               : "";
}

constexpr const char* no_own_users =
    "there are no users yet: nobody can log in; the first is made by `ceph-taskd user create NAME administrator -i "
    "FILE`";

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

std::shared_ptr<const User> AccessState::authenticate(const std::string& token, std::int64_t now) const {
    const auto said = verify(token, secret);
    if (!said || (said->expires_at && *said->expires_at <= now) || said->issued_at > now + most_ahead.count())
        return nullptr;
    if (revoked.contains(said->id)) return nullptr;
    auto user = users.find(said->username);
    // A disabled user's older tokens are void by the change itself; one issued since must not work either.
    if (!user || !user->is_enabled || user->last_update > said->issued_at) return nullptr;
    return user;
}

/// Shared with the callbacks of questions under way.
struct AccessFeed::State : std::enable_shared_from_this<AccessFeed::State> {
    State(ceph::CommandSender& command_sender, AccessFeedOptions feed_options)
        : sender(command_sender),
          options(feed_options),
          source(feed_options.source.value_or(AccessSource::dashboard)) {}

    void run();
    void ask_all();
    void answered(std::size_t question, const ceph::CommandAnswer& answer);
    void all_answered() TASKD_REQUIRES(mutex);
    bool has_changed_source() TASKD_REQUIRES(mutex);
    void learn() TASKD_REQUIRES(mutex);
    void forget() TASKD_REQUIRES(mutex);
    void complain(const std::string& problem) TASKD_REQUIRES(mutex);

    ceph::CommandSender& sender;
    const AccessFeedOptions options;

    mutable Mutex mutex;
    std::condition_variable_any wake;
    bool stopping TASKD_GUARDED_BY(mutex) = false;
    bool ask_at_once TASKD_GUARDED_BY(mutex) = false;
    AccessSource source TASKD_GUARDED_BY(mutex);
    std::optional<AccessSource> source_told TASKD_GUARDED_BY(mutex);
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
        while (!stopping && !ask_at_once && wake.wait_until(mutex, next) != std::cv_status::timeout) {
        }
        ask_at_once = false;
        if (stopping) return;
    }
}

void AccessFeed::State::ask_all() {
    std::array<json, question_count> commands;
    {
        MutexLock lock(mutex);
        if (open_questions != 0) return;  // the cluster is slow to answer, or the sender has not given up yet
        asked = {};
        for (std::size_t question = 0; question < question_count; ++question) {
            commands[question] = command_of(question, source, options.source.has_value());
            if (!commands[question].is_null()) ++open_questions;
        }
        has_failed = false;
    }
    for (std::size_t question = 0; question < question_count; ++question) {
        if (commands[question].is_null()) continue;
        try {
            sender.send({ceph::CommandTarget::Kind::mon, {}}, std::move(commands[question]), {},
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
    MutexLock lock(mutex);
    const int rc = answer.error ? -EIO : answer.result.return_code;
    // Without a key there is nothing revoked, no special status, and the usual lifetime.
    const bool may_be_missing = question != users && question != secret && question != dashboard_users;
    if (answer.error || (rc < 0 && rc != -ENOENT && !may_be_missing)) {
        has_failed = true;
        complain("cannot read " + whose(question == dashboard_users ? AccessSource::dashboard : source) + ": " +
                 (answer.error ? error_text(answer.error) : answer.result.status));
    }
    asked[question] = rc < 0 ? std::string() : trimmed(answer.result.output);
    if (--open_questions == 0 && !has_failed && !stopping) all_answered();
}

void AccessFeed::State::all_answered() {
    if (has_changed_source()) return;
    if (std::exchange(source_told, source) != source)
        spdlog::info("auth: {} hold", source == AccessSource::dashboard
                                          ? "the users and roles of the cluster's dashboard"
                                          : "users and roles of ceph-taskd's own (`ceph-taskd user`)");
    if (const auto problem = obstacle(source, asked); !problem.empty()) {
        complain(problem);
        forget();
    } else if (!newest || asked != known) {
        learn();
    }
}

/// Where nobody has decided it, the dashboard's users hold as soon as there are any.
bool AccessFeed::State::has_changed_source() {
    if (options.source) return false;
    const bool has_dashboard = !asked[source == AccessSource::dashboard ? users : dashboard_users].empty();
    const auto right = has_dashboard ? AccessSource::dashboard : AccessSource::own;
    if (right == source) return false;
    source = right;
    forget();  // a user of the same name is another one
    ask_at_once = true;
    wake.notify_all();
    return true;
}

void AccessFeed::State::forget() {
    newest = nullptr;
    known = {};
}

void AccessFeed::State::learn() {
    try {
        auto state = state_of(source, asked);
        const auto now = numeric_date_now();
        std::erase_if(revoked_here, [now](const auto& entry) { return entry.second < now; });
        state->revoked.insert(revoked_here.begin(), revoked_here.end());
        complain(source == AccessSource::own && state->users.is_empty() ? no_own_users : "");
        newest = std::move(state);
        known = asked;
    } catch (const Error& error) {
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
    std::string key;
    {
        MutexLock lock(state_->mutex);
        if (!state_->newest) throw Error(ErrorKind::unavailable, EAGAIN, "auth", "the users are not known yet");
        key = key_name(state_->newest->source, block_list_key);
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
                        {{"prefix", "config-key set"}, {"key", key}, {"val", list.dump()}}, {},
                        [done = std::move(done)](const ceph::CommandAnswer& answer) {
                            done(!answer.error && answer.result.return_code == 0);
                        });
}

}  // namespace taskd::auth
