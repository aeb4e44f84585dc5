#include "daemon/access_words.hpp"

#include "auth/password.hpp"
#include "daemon/options.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t now = 1000;

/// Exit code and what is printed, of commands one after the other.
class AccessWords : public ::testing::Test {
  protected:
    using Outcome = std::pair<int, std::string>;

    Outcome run(AccessFamily family, std::vector<const char*> words) {
        words.insert(words.begin(), family == AccessFamily::user ? "user" : "role");
        try {
            const auto action = parse_access_action(family, static_cast<int>(words.size()), words.data(),
                                                    [this](const std::string& path) { return read(path); });
            changes = action.changes;
            cluster = action.cluster.options();
            return {0, action.run(document, now)};
        } catch (const Finished& finished) {
            return {finished.exit_code, finished.text};
        } catch (const Error& error) {
            return {error.errno_value(), error.what()};
        }
    }
    Outcome user(std::vector<const char*> words) { return run(AccessFamily::user, std::move(words)); }
    Outcome role(std::vector<const char*> words) { return run(AccessFamily::role, std::move(words)); }
    std::string read(const std::string& path) {
        files_read.push_back(path);
        return input;
    }
    void has_user(const char* name) {
        auth::NewUser wanted;
        wanted.username = name;
        document.create_user(wanted, now);
    }

    auth::AccessDocument document;
    std::string input = "a good password\n";
    std::vector<std::string> files_read;
    bool changes = true;
    ceph::ClusterOptions cluster;
};

TEST_F(AccessWords, AUserIsMadeWithAPasswordFromAFile) {
    const auto [code, text] = user({"create", "bob", "read-only", "Bob B", "b@x", "4000000000", "-i", "file",
                                    "--pwd-update-required", "--enabled=false"});

    EXPECT_EQ(code, 0) << text;
    EXPECT_EQ(files_read, std::vector<std::string>{"file"});
    EXPECT_TRUE(changes);
    const auto& bob = document.user("bob");
    EXPECT_TRUE(auth::is_password("a good password", bob.at("password").get<std::string>()));
    EXPECT_THAT(text, HasSubstr(R"("roles": ["read-only"], "name": "Bob B", "email": "b@x", "lastUpdate": 1002, )"
                                R"("enabled": false, "pwdExpirationDate": 4000000000, "pwdUpdateRequired": true})"));
    EXPECT_THAT(text, Not(HasSubstr("good password")));
}

TEST_F(AccessWords, NamesOfArgumentsMayBeGiven) {
    EXPECT_EQ(user({"create", "--username", "bob", "--rolename=read-only", "--email", "b@x", "-i", "-"}).first, 0);
    EXPECT_EQ(files_read, std::vector<std::string>{"-"});
    EXPECT_EQ(document.user("bob").at("email"), "b@x");
}

TEST_F(AccessWords, ThereIsNoPasswordOnACommandLine) {
    EXPECT_EQ(user({"create", "bob"}).first, EINVAL);
    EXPECT_EQ(user({"create", "bob", "--password", "secret-secret"}).first, EINVAL);
    EXPECT_EQ(user({"set-password", "bob", "secret-secret"}).first, EINVAL);
    EXPECT_FALSE(document.has_user("bob"));
}

TEST_F(AccessWords, AWeakEmptyOrUnspeakablePasswordIsRefused) {
    for (const auto* bad : {"1234567\n", "ü234567", "\n", " \t\r\n", "\xff\xff\xff\xff\xff\xff\xff\xff"}) {
        input = bad;
        EXPECT_EQ(user({"create", "bob", "-i", "file"}).first, EINVAL) << bad;
    }
    input = std::string(80, 'x');
    EXPECT_EQ(user({"create", "bob", "-i", "file"}).first, EINVAL) << "too long for bcrypt";
    EXPECT_FALSE(document.has_user("bob"));
}

TEST_F(AccessWords, AWeakPasswordIsTakenByForce) {
    input = "weak";
    EXPECT_EQ(user({"create", "bob", "-i", "file", "--force-password"}).first, 0);
    EXPECT_EQ(user({"set-password", "bob", "-i", "file", "--force-password"}).first, 0);
    EXPECT_EQ(user({"set-password", "bob", "-i", "file"}), Outcome(EINVAL, "Password is too weak."));
}

TEST_F(AccessWords, OfSeveralMistakesTheDashboardsFirstIsTold) {
    input = "weak";
    EXPECT_EQ(user({"create", "bob", "none", "-i", "file"}).first, ENOENT);
    EXPECT_EQ(user({"set-password", "none", "-i", "file"}).first, ENOENT);
    has_user("bob");
    EXPECT_EQ(user({"create", "bob", "-i", "file"}).first, EINVAL);
    input = "no hash";
    EXPECT_EQ(user({"set-password-hash", "none", "-i", "file"}).first, EINVAL);
}

TEST_F(AccessWords, AUserWhoIsThereIsNoFailureAndStaysAsItIs) {
    has_user("bob");
    const auto before = document.text();
    EXPECT_EQ(user({"create", "bob", "-i", "file"}), Outcome(0, "User 'bob' already exists"));
    EXPECT_EQ(document.text(), before);
}

TEST_F(AccessWords, AHashIsTakenAsItIs) {
    has_user("bob");
    input = "$2b$04$VCRqgjeQAMs7nL34rgjnau5gpZjyXmayVFgMfLXRC4mOFGEeLRPXC\n";
    EXPECT_EQ(user({"set-password-hash", "bob", "-i", "file"}).first, 0);
    EXPECT_EQ(document.user("bob").at("password"), input.substr(0, 60));
}

TEST_F(AccessWords, UsersAreShownDisabledEnabledGivenRolesAndDeleted) {
    has_user("bob");
    EXPECT_EQ(user({"show"}), Outcome(0, R"(["bob"])"));
    EXPECT_FALSE(changes);
    EXPECT_THAT(user({"show", "bob"}).second, HasSubstr(R"({"username": "bob", )"));
    EXPECT_THAT(user({"disable", "bob"}).second, HasSubstr(R"("enabled": false)"));
    EXPECT_TRUE(changes);
    EXPECT_THAT(user({"enable", "bob"}).second, HasSubstr(R"("enabled": true)"));
    EXPECT_THAT(user({"set-roles", "bob", "read-only", "administrator"}).second,
                HasSubstr(R"("roles": ["administrator", "read-only"])"));
    EXPECT_THAT(user({"add-roles", "bob", "pool-manager"}).second,
                HasSubstr(R"("roles": ["administrator", "pool-manager", "read-only"])"));
    EXPECT_THAT(user({"del-roles", "bob", "read-only", "administrator"}).second,
                HasSubstr(R"("roles": ["pool-manager"])"));
    EXPECT_THAT(user({"set-info", "bob", "Bob", "b@x"}).second, HasSubstr(R"("name": "Bob", "email": "b@x")"));
    EXPECT_EQ(user({"delete", "bob"}), Outcome(0, "User 'bob' deleted"));
    EXPECT_EQ(user({"delete", "bob"}), Outcome(ENOENT, "User 'bob' does not exist"));
}

TEST_F(AccessWords, RolesAreMadeGivenPermissionsShownAndDeleted) {
    EXPECT_EQ(role({"create", "mine", "my role"}),
              Outcome(0, R"({"name": "mine", "description": "my role", "scopes_permissions": {}})"));
    EXPECT_THAT(role({"add-scope-perms", "mine", "rbd-image", "read", "create"}).second,
                HasSubstr(R"({"rbd-image": ["create", "read"]})"));
    EXPECT_THAT(role({"show", "mine"}).second, HasSubstr(R"({"rbd-image": ["create", "read"]})"));
    EXPECT_THAT(role({"show"}).second, HasSubstr(R"(["mine", "administrator", )"));
    EXPECT_FALSE(changes);
    EXPECT_THAT(role({"del-scope-perms", "mine", "rbd-image"}).second, HasSubstr(R"("scopes_permissions": {})"));
    EXPECT_EQ(role({"delete", "mine"}), Outcome(0, "Role 'mine' deleted"));
    EXPECT_EQ(role({"delete", "administrator"}).first, EPERM);
    EXPECT_EQ(role({"create", "administrator"}).first, EEXIST);
}

TEST_F(AccessWords, AMistakeIsExitCode22AndChangesNothing) {
    has_user("bob");
    const auto before = document.text();
    for (const auto& words : std::vector<std::vector<const char*>>{{},
                                                                   {"nonsense"},
                                                                   {"delete"},
                                                                   {"delete", "bob", "surplus"},
                                                                   {"set-roles", "bob"},
                                                                   {"set-info", "bob", "Bob"},
                                                                   {"create", ""},
                                                                   {"create", "x\xff", "-i", "file"},
                                                                   {"create", "", "-i", "file"}})
        EXPECT_EQ(user(words).first, EINVAL) << (words.empty() ? "nothing" : words[0]);
    EXPECT_EQ(role({"add-scope-perms", "mine", "pool"}).first, EINVAL);
    EXPECT_EQ(role({"create", ""}).first, EINVAL);
    EXPECT_EQ(document.text(), before);
}

TEST_F(AccessWords, HelpIsNoMistake) {
    EXPECT_EQ(user({"--help"}).first, 0);
    EXPECT_THAT(user({"--help"}).second, HasSubstr("set-password"));
    EXPECT_EQ(user({"create", "--help"}).first, 0);
    EXPECT_THAT(role({"--help"}).second, HasSubstr("add-scope-perms"));
}

TEST_F(AccessWords, TheClusterMayBeNamedBeforeOrAfter) {
    EXPECT_EQ(user({"-c", "x.conf", "show", "--id", "boss"}).first, 0);
    EXPECT_EQ(cluster.conf, "x.conf");
    EXPECT_EQ(cluster.name, "client.boss");
}

}  // namespace
}  // namespace taskd::daemon
