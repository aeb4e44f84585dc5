#include "daemon/access_words.hpp"

#include "auth/dashboard_json.hpp"
#include "auth/password.hpp"
#include "core/utf8.hpp"
#include "daemon/options.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

using auth::AccessDocument;
using auth::dashboard_json;

constexpr const char* user_description =
    "Shows and changes the users of ceph-taskd's own: who may log in where the cluster has no dashboard, or with "
    "--auth own. Roles are those of the dashboard, and those that `ceph-taskd role` makes.\n\n"
    "Examples:\n"
    "  ceph-taskd user create alice administrator -i password.txt\n"
    "  ceph-taskd user create bob block-manager -i -     the password from standard input\n"
    "  ceph-taskd user disable bob                       from now on his tokens are void as well\n";
constexpr const char* role_description =
    "Shows and changes the roles of ceph-taskd's own: which permissions (read, create, update, delete) they have in "
    "which scopes (rbd-image, pool, …).\n\n"
    "Examples:\n"
    "  ceph-taskd role create copier \"makes images\"\n"
    "  ceph-taskd role add-scope-perms copier rbd-image read create\n"
    "  ceph-taskd user add-roles bob copier\n";

constexpr std::size_t least_characters = 8;  // the dashboard's password policy as it comes

Error invalid(const std::string& text) {
    return {ErrorKind::bad_request, EINVAL, "auth", text};
}

/// All that the words of one command line may be.
struct AccessWords {
    std::string username;
    std::string rolename;
    std::string name;
    std::string email;
    std::string description;
    std::string scope;
    std::vector<std::string> list;
    std::string input;
    std::int64_t expires_at = 0;
    bool enabled = true;
    bool force_password = false;
    bool update_required = false;
};

std::optional<std::string> given(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

std::size_t characters_of(const std::string& text) {
    const auto begins_one = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_one));
}

/// Without the end of the line that an editor puts there.
std::string secret_text(const AccessWords& words, const InputReader& read) {
    if (words.input.empty())
        throw invalid("Input file not specified: the password is read from the file of \"-i\", or from \"-i -\"");
    auto text = read(words.input);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }))
        throw invalid("Empty input file: it has no password");
    if (!is_valid_utf8(text)) throw invalid("the password is not UTF-8: nobody could send it");
    return text;
}

struct Secret {
    std::string hash;
    bool is_weak = false;  ///< Then there is no hash.
};

Secret password_of(const AccessWords& words, const InputReader& read) {
    const auto password = secret_text(words, read);
    if (!words.force_password && characters_of(password) < least_characters) return {{}, true};
    return {auth::hash_password(password)};
}

Secret hash_of(const AccessWords& words, const InputReader& read) {
    auto hash = secret_text(words, read);
    if (!auth::is_bcrypt_hash(hash)) throw invalid("Invalid password hash");
    return {std::move(hash)};
}

void require_strong(const Secret& secret) {
    if (secret.is_weak) throw invalid("Password is too weak.");
}

void require_name(const std::string& name) {
    if (name.empty()) throw invalid("an empty name is none");
}

/// What is wrong is told in the dashboard's order.
std::string create_user(AccessDocument& document, std::int64_t now, const AccessWords& words, const Secret& secret) {
    require_name(words.username);
    if (!words.rolename.empty()) document.require_role(words.rolename);
    require_strong(secret);
    if (document.has_user(words.username)) return "User '" + words.username + "' already exists";
    return dashboard_json(document.create_user(
        {words.username, secret.hash, given(words.rolename), given(words.name), given(words.email), words.enabled,
         words.update_required, words.expires_at == 0 ? std::nullopt : std::optional(words.expires_at)},
        now));
}

std::string set_hash(AccessDocument& document, std::int64_t now, const AccessWords& words, const Secret& secret) {
    (void)document.user(words.username);
    require_strong(secret);
    return dashboard_json(document.set_password_hash(words.username, secret.hash, now));
}

/// The sub-commands of a family. What they are given goes into `words`, what they do into `action`.
class Definition {
  public:
    Definition(CLI::App& app, AccessWords& words, AccessAction& action, const InputReader& read)
        : app_(app), words_(words), action_(action), read_(read) {}

    void define_users();
    void define_roles();

  private:
    using Run = std::string (*)(AccessDocument& document, std::int64_t now, const AccessWords& words);
    using ReadSecret = Secret (*)(const AccessWords& words, const InputReader& read);
    using RunWithSecret = std::string (*)(AccessDocument& document, std::int64_t now, const AccessWords& words,
                                          const Secret& secret);

    CLI::App& add(const char* word, const char* help, Run run, bool changes = true) {
        auto* command = app_.add_subcommand(word, help)->fallthrough();
        command->callback([this, changes, run] {
            action_.changes = changes;
            action_.run = [words = words_, run](AccessDocument& document, std::int64_t now) {
                return run(document, now, words);
            };
        });
        return *command;
    }
    CLI::App& add_with_secret(const char* word, const char* help, ReadSecret read_secret, RunWithSecret run) {
        auto* command = app_.add_subcommand(word, help)->fallthrough();
        command->add_option("-i,--in-file", words_.input, "File with the secret; `-` for standard input");
        command->callback([this, read_secret, run] {
            action_.run = [words = words_, run, secret = read_secret(words_, read_)](
                              AccessDocument& document, std::int64_t now) { return run(document, now, words, secret); };
        });
        return *command;
    }

    CLI::App& with_user(CLI::App& command) {
        command.add_option("username,--username", words_.username, "Name to log in with")->required();
        return command;
    }
    CLI::App& with_role(CLI::App& command) {
        command.add_option("rolename,--rolename", words_.rolename, "Name of the role")->required();
        return command;
    }
    void with_roles(CLI::App& command) {
        with_user(command).add_option("roles", words_.list, "Names of roles")->required();
    }
    void with_force(CLI::App& command) {
        command.add_flag("--force-password,--force_password", words_.force_password,
                         "Also a password of less than 8 characters");
    }
    void define_create_user();

    CLI::App& app_;
    AccessWords& words_;
    AccessAction& action_;
    const InputReader& read_;
};

void Definition::define_create_user() {
    auto& create = with_user(add_with_secret("create", "Makes a user", password_of, create_user));
    create.add_option("rolename,--rolename", words_.rolename, "Role to begin with");
    create.add_option("person", words_.name, "Name of the person");
    create.add_option("email,--email", words_.email, "Address of the person");
    create.add_option("pwd_expiration_date,--pwd-expiration-date,--pwd_expiration_date", words_.expires_at,
                      "Seconds since the epoch, after which the password is void");
    create.add_flag("--enabled", words_.enabled, "`--enabled=false`: may not log in yet");
    create.add_flag("--pwd-update-required,--pwd_update_required", words_.update_required,
                    "May do nothing until the password is another");
    with_force(create);
}

void Definition::define_users() {
    add(
        "show", "Shows a user, or lists the names of all",
        [](AccessDocument& document, std::int64_t /*now*/, const AccessWords& words) {
            return dashboard_json(words.username.empty() ? document.user_names() : document.user(words.username));
        },
        false)
        .add_option("username,--username", words_.username, "Name to log in with");
    define_create_user();
    with_user(
        add("delete", "Deletes a user", [](AccessDocument& document, std::int64_t /*now*/, const AccessWords& words) {
            document.delete_user(words.username);
            return "User '" + words.username + "' deleted";
        }));
    with_user(add("disable", "Keeps a user from logging in",
                  [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                      return dashboard_json(document.enable_user(words.username, false, now));
                  }));
    with_user(add("enable", "Lets a user log in again, also one who was locked out",
                  [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                      return dashboard_json(document.enable_user(words.username, true, now));
                  }));
    with_force(with_user(add_with_secret("set-password", "Gives a user another password", password_of, set_hash)));
    with_user(add_with_secret("set-password-hash", "The same by its bcrypt hash", hash_of, set_hash));
    with_roles(add("set-roles", "Gives a user these roles and no others",
                   [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                       return dashboard_json(document.set_roles(words.username, words.list, now));
                   }));
    with_roles(add("add-roles", "Gives a user more roles",
                   [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                       return dashboard_json(document.add_roles(words.username, words.list, now));
                   }));
    with_roles(add("del-roles", "Takes roles from a user",
                   [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                       return dashboard_json(document.delete_roles(words.username, words.list, now));
                   }));
    auto& info = with_user(add("set-info", "Says who a user is",
                               [](AccessDocument& document, std::int64_t /*now*/, const AccessWords& words) {
                                   return dashboard_json(document.set_info(words.username, words.name, words.email));
                               }));
    info.add_option("person", words_.name, "Name of the person; empty: as it is")->required();
    info.add_option("email,--email", words_.email, "Address of the person; empty: as it is")->required();
}

void Definition::define_roles() {
    add(
        "show", "Shows a role, or lists the names of all",
        [](AccessDocument& document, std::int64_t /*now*/, const AccessWords& words) {
            return dashboard_json(words.rolename.empty() ? document.role_names() : document.role(words.rolename));
        },
        false)
        .add_option("rolename,--rolename", words_.rolename, "Name of the role");
    with_role(add("create", "Makes a role that allows nothing yet",
                  [](AccessDocument& document, std::int64_t /*now*/, const AccessWords& words) {
                      require_name(words.rolename);
                      return dashboard_json(document.create_role(words.rolename, given(words.description)));
                  }))
        .add_option("description,--description", words_.description, "What it is for");
    with_role(add("delete", "Deletes a role that no user has",
                  [](AccessDocument& document, std::int64_t /*now*/, const AccessWords& words) {
                      document.delete_role(words.rolename);
                      return "Role '" + words.rolename + "' deleted";
                  }));
    auto& allow = with_role(add("add-scope-perms", "Says what a role allows in a scope",
                                [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                                    return dashboard_json(
                                        document.set_scope_permissions(words.rolename, words.scope, words.list, now));
                                }));
    allow.add_option("scopename,--scopename", words_.scope, "What they are about")->required();
    allow.add_option("permissions", words_.list, "read, create, update, delete")->required();
    with_role(add("del-scope-perms", "Takes all that a role allows in a scope",
                  [](AccessDocument& document, std::int64_t now, const AccessWords& words) {
                      return dashboard_json(document.delete_scope_permissions(words.rolename, words.scope, now));
                  }))
        .add_option("scopename,--scopename", words_.scope, "What it was about")
        ->required();
}

void require_texts(const AccessWords& words) {
    for (const auto* text : {&words.username, &words.rolename, &words.name, &words.email, &words.description})
        if (!is_valid_utf8(*text)) throw invalid("a name is not UTF-8");
}

}  // namespace

AccessAction parse_access_action(AccessFamily family, int argc, const char* const* argv, const InputReader& read) {
    const bool is_user = family == AccessFamily::user;
    CLI::App app(is_user ? user_description : role_description, is_user ? "ceph-taskd user" : "ceph-taskd role");
    AccessAction action;
    AccessWords words;
    action.cluster.define(app, "--id");
    app.set_config("--config", "", "File of the daemon's options; those of no use here are passed over");
    app.allow_config_extras(CLI::config_extras_mode::ignore_all);
    app.require_subcommand(1);
    Definition definition(app, words, action, read);
    if (is_user)
        definition.define_users();
    else
        definition.define_roles();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        std::ostringstream out;
        std::ostringstream err;
        if (app.exit(end, out, err) == 0) throw Finished{0, out.str()};
        throw Finished{EINVAL, "Error EINVAL: " + std::string(end.what())};
    }
    require_texts(words);
    return action;
}

}  // namespace taskd::daemon
