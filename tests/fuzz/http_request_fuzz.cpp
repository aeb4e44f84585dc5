#include "api/error_view.hpp"
#include "api/routes.hpp"
#include "auth/login_desk.hpp"
#include "ceph/command_table.hpp"
#include "fuzz/fuzzer.hpp"
#include "http/connection_budget.hpp"
#include "http/server_thread.hpp"
#include "support/fake_command_caller.hpp"
#include "support/fake_command_port.hpp"
#include "support/fake_worker.hpp"
#include "unit/ceph/recorded_descriptions.hpp"
#include "worker/operation_service.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>

#include <sys/socket.h>

/// Bytes as a client may send them, through a socket to all routes before fake workers and a fake cluster: once where
/// everybody may do everything, and once where nobody has a token.
namespace taskd::fuzz {
namespace {

using nlohmann::json;

/// Answers every command at once.
class ObedientPort final : public CommandPort {
  public:
    explicit ObedientPort(NotificationQueue& notifications) : answers_(notifications) {}
    void send(Request request) override {
        ++sent_;
        answers_.post(test::good_answer(request.tag));
    }
    bool cancel(const std::string&) override { return false; }
    CommandAnswers& answers() noexcept override { return answers_; }
    std::size_t sent() const noexcept { return sent_; }

  private:
    CommandAnswers answers_;
    std::atomic<std::size_t> sent_ = 0;
};

ceph::CommandResult well(const ceph::CommandTarget&, const json&) {
    return {0, "", "{}"};
}

worker::DispatcherOptions dispatcher_options() {
    worker::DispatcherOptions options;
    options.workers = 1;
    return options;
}

/// A front without a cluster.
class Scene {
  public:
    enum class Who { everybody, nobody };

    explicit Scene(Who who) {
        crew_.on_order = [this](const auto& given) { crew_.succeed(given); };
        if (who == Who::nobody) services_.authority = &authority_;
        history_.add("01M88ESSBF7H1MF47B1J4HBXB0", {{"name", "rbd/delete"},
                                                    {"metadata", {{"image_spec", "rbd/vm-1"}}},
                                                    {"begin_time", "2026-11-25T04:29:45.836676Z"},
                                                    {"end_time", "2026-11-25T04:29:46.836676Z"},
                                                    {"duration", 1.0},
                                                    {"progress", 100},
                                                    {"success", true},
                                                    {"ret_value", nullptr},
                                                    {"exception", nullptr}});
    }

    /// All that comes back until the server closes the connection.
    std::string answers_to(std::string_view bytes) {
        std::array<int, 2> ends{};
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0, "a socketpair");
        const http::FileDescriptor ours(ends[0]);
        thread_.adopt({http::FileDescriptor(ends[1]),
                       {http::Peer::Kind::tcp, "192.0.2.1:1", false, {}},
                       budget_.take({}),
                       nullptr});
        std::string answers;
        for (std::array<char, 16384> buffer{};;) {
            if (!bytes.empty()) {
                const auto sent = ::send(ours.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
                if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
                if (sent < 0 && errno != EAGAIN) bytes = {};  // it reads no more
            }
            if (bytes.empty()) ::shutdown(ours.get(), SHUT_WR);
            if (thread_.context().poll() == 0) thread_.context().run_one_for(std::chrono::milliseconds(1));
            const auto got = ::recv(ours.get(), buffer.data(), buffer.size(), 0);
            if (got > 0) answers.append(buffer.data(), static_cast<std::size_t>(got));
            if (got == 0 || (got < 0 && errno != EAGAIN)) return answers;
        }
    }

    const http::Counters& counters() { return thread_.counters(); }
    std::size_t orders() const { return crew_.orders().size() + commands_.sent(); }

  private:
    test::FakeCrew crew_;
    TaskManager tasks_;
    worker::Dispatcher dispatcher_{dispatcher_options(), crew_.factory()};
    worker::OperationService operations_{
        tasks_, rbd::OperationRegistry::builtin(), dispatcher_, {}, api::task_failure_view};
    ObedientPort commands_{tasks_.notifications()};
    std::shared_ptr<const ceph::CommandTable> command_table_ =
        std::make_shared<const ceph::CommandTable>(ceph::CommandTable::parse(test::mon_descriptions));
    ceph::CommandSender sender_{std::make_shared<test::FakeCommandCaller>(&well)};
    ceph::ClusterStatus cluster_{sender_};
    ceph::TaskHistory history_{10};
    auth::LoginDesk logins_;
    static std::shared_ptr<const auth::AccessState> nobody() {
        auth::AccessState state;
        state.secret = "nobody knows it";
        return std::make_shared<const auth::AccessState>(std::move(state));
    }
    const std::shared_ptr<const auth::AccessState> users_ = nobody();
    api::Authority authority_{[this] { return users_; }, logins_, [](const auth::Token&, auto done) { done(true); }};
    api::Services services_{tasks_, operations_, commands_, [this] { return command_table_; }, cluster_, &history_};
    http::ServerOptions options_;
    http::Router router_ = api::make_router(api::Access{[this] {
        return api::Access::Standing{
            std::shared_ptr<const api::Services>(std::shared_ptr<void>(), &services_), {}, "active"};
    }});
    http::ConnectionBudget budget_{16, 0};
    http::ByteBudget bodies_{std::size_t{64} << 20};
    http::ServerThread thread_{options_, router_, bodies_};
};

struct Answer {
    int status = 0;
    std::string_view head;
    std::string_view body;
};

std::string_view value_of(std::string_view head, std::string_view name) {
    const auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string_view::npos) return {};
    const auto value = head.substr(at + 2 + name.size() + 2);
    return value.substr(0, value.find("\r\n"));
}

template <class Number>
Number number_of(std::string_view text) {
    Number number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Takes the first answer off `bytes`.
Answer next_answer(std::string_view& bytes, bool may_lack_body) {
    constexpr std::string_view version = "HTTP/1.1 ";
    require(bytes.starts_with(version), "what comes back are answers", bytes.substr(0, 80));
    const auto end = bytes.find("\r\n\r\n");
    require(end != std::string_view::npos, "an answer has a whole head", bytes.substr(0, 80));
    Answer answer;
    answer.head = bytes.substr(0, end + 2);
    answer.status = number_of<int>(bytes.substr(version.size(), 3));
    bytes.remove_prefix(end + 4);
    const auto length = number_of<std::size_t>(value_of(answer.head, "Content-Length"));
    if (may_lack_body && (bytes.empty() || bytes.starts_with(version))) return answer;
    require(length <= bytes.size(), "an answer has a whole body", answer.head);
    answer.body = bytes.substr(0, length);
    bytes.remove_prefix(length);
    return answer;
}

void require_sane(const Answer& answer) {
    const bool is_known = answer.status == 100 || (answer.status >= 200 && answer.status < 500) ||
                          answer.status == 501 || answer.status == 503 || answer.status == 505;
    require(is_known, "no request makes the server fail", std::string(answer.head) + std::string(answer.body));
    if (answer.body.empty() || !value_of(answer.head, "Content-Encoding").empty()) return;
    if (value_of(answer.head, "Content-Type").find("json") == std::string_view::npos) return;
    require(json::accept(answer.body), "what is called JSON is JSON", answer.body);
}

/// Made anew now and then: what it remembers of all requests must not grow for ever.
Scene& scene(Scene::Who who) {
    constexpr unsigned requests_each = 2000;
    static std::array<std::unique_ptr<Scene>, 2> scenes;
    static std::array<unsigned, 2> requests{};
    const auto which = static_cast<std::size_t>(who);
    if (requests[which]++ % requests_each == 0) scenes[which] = std::make_unique<Scene>(who);
    return *scenes[which];
}

void try_request(Scene& scene, std::string_view input) {
    const auto answers = scene.answers_to(input);
    const bool may_lack_body = input.find("HEAD") != std::string_view::npos;
    for (std::string_view rest = answers; !rest.empty();) require_sane(next_answer(rest, may_lack_body));
    require(scene.counters().handler_failures.value() == 0, "no handler fails");
    require(scene.counters().session_failures.value() == 0, "no session fails");
}

}  // namespace

void try_input(std::string_view input) {
    try_request(scene(Scene::Who::everybody), input);
    auto& closed = scene(Scene::Who::nobody);
    try_request(closed, input);
    require(closed.orders() == 0, "who has no token starts nothing");
}

}  // namespace taskd::fuzz
