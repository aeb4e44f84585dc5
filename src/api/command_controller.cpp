#include "api/endpoint.hpp"
#include "api/error_view.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"
#include "ceph/command.hpp"
#include "ceph/command_words.hpp"
#include "ceph/journalled_executor.hpp"
#include "ceph/secrets.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

constexpr std::chrono::seconds wait_for{5};

std::string text_member(const nlohmann::json& arguments, const char* name, const std::string& otherwise) {
    const auto member = arguments.find(name);
    if (member == arguments.end() || member->is_null()) return otherwise;
    if (!member->is_string()) throw BadRequest(name, "expected a text");
    return member->get<std::string>();
}

/// `{"prefix": …}` as given, or made of the words of a command line by the cluster's own descriptions.
nlohmann::json command_of(const Services& services, const nlohmann::json& arguments) {
    if (arguments.contains("words") == arguments.contains("command"))
        throw BadRequest("command", "expected either `command`, an object with a prefix, or `words`, a list of texts");
    if (arguments.contains("command")) return arguments["command"];
    const auto table = services.command_table();
    if (!table)
        throw Error(ErrorKind::unavailable, EAGAIN, "taskd",
                    "words: the cluster's command descriptions are not known yet; try again, or send `command`");
    std::vector<std::string> words;
    if (!arguments["words"].is_array()) throw BadRequest("words", "expected a list of texts");
    for (const auto& word : arguments["words"]) {
        if (!word.is_string()) throw BadRequest("words", "expected a list of texts");
        words.push_back(word.get<std::string>());
    }
    return ceph::command_from_words(words, *table);
}

/// Commands that change nothing and tell no secret: who may read about monitors may send them, to monitors and the mgr.
constexpr std::array<std::string_view, 29> readable{
    "df",           "features",      "fs ls",          "fs status", "fsid",     "health",       "mds stat", "mgr dump",
    "mgr services", "mgr stat",      "mon dump",       "mon stat",  "node ls",  "osd df",       "osd dump", "osd ls",
    "osd pool get", "osd pool ls",   "osd pool stats", "osd stat",  "osd tree", "osd versions", "pg dump",  "pg ls",
    "pg stat",      "quorum_status", "status",         "version",   "versions"};

bool may_send(const auth::User& caller, const ceph::CommandTarget& target, const nlohmann::json& command) {
    if (caller.must_change_password) return false;
    if (caller.is_administrator()) return true;
    const bool is_readable = std::find(readable.begin(), readable.end(),
                                       command.at("prefix").get_ref<const std::string&>()) != readable.end();
    const bool is_small =
        target.kind == ceph::CommandTarget::Kind::mon || target.kind == ceph::CommandTarget::Kind::mgr;
    return is_readable && is_small && caller.may(auth::Scope::monitor, auth::Permission::read);
}

http::net::awaitable<http::Response> run(std::shared_ptr<const Services> services, http::Request request) {
    const nlohmann::json arguments = read_arguments(request);
    for (const auto& [name, value] : arguments.items())
        if (name != "target" && name != "command" && name != "words" && name != "input")
            throw BadRequest(name, "unknown field");
    const auto target = ceph::CommandTarget::parse(text_member(arguments, "target", "mon"));
    nlohmann::json command = command_of(*services, arguments);
    ceph::check_shape(command);
    if (!may_send(caller_of(request), target, command)) {
        auto forbidden = forbidden_response();
        forbidden.about = target.text() + " command '" + ceph::prefix_of(command) + "'";
        co_return forbidden;
    }

    auto executor =
        std::make_unique<SendCommandExecutor>(services->commands, target.text(), text_member(arguments, "input", ""));
    // Commands are never joined: the tag makes the metadata of each its own, for two equal ones may both be meant.
    nlohmann::json metadata{
        {"target", target.text()}, {"command", ceph::command_without_secrets(command)}, {"tag", executor->tag()}};
    RunOptions options;
    options.exception_handler = task_failure_view;
    options.owner = caller_of(request).name;
    // The one who asked is told all; what others poll, and what is kept, has no secrets.
    options.listed_value = [command](const nlohmann::json& answer) {
        return ceph::answer_without_secrets(answer, command);
    };
    options.executor = std::move(executor);
    if (services->journal) {
        ceph::TaskRecord record;
        record.kind = ceph::TaskRecord::Kind::command;
        options.accepted = false;
        options.executor = std::make_unique<ceph::JournalledExecutor>(std::move(options.executor), services->journal,
                                                                      record, ceph::JournalledExecutor::Record::is_new);
    }
    auto task = services->tasks.run(
        "command", std::move(metadata), [command = std::move(command)] { return command; }, std::move(options));
    co_return co_await answer_with_task(std::move(task), {wait_time(request, wait_for), 200, {}});
}

}  // namespace

void add_command_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/command", endpoint(access, Later(run)));
}

}  // namespace taskd::api
