#include "ceph/cluster.hpp"
#include "support/cluster.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const auto& cluster = test::TestCluster::for_all_tests();

ClusterOptions good_options() {
    ClusterOptions options;
    options.conf = cluster.conf();
    options.connect_timeout = std::chrono::seconds(5);
    return options;
}

/// A file of its own beside the cluster's.
std::string write_file(const std::string& name, const std::string& text) {
    const auto path = cluster.directory() / name;
    std::ofstream(path) << text;
    return path;
}

std::string keyring_with(const std::string& entity, const std::string& key) {
    return "[" + entity + "]\n\tkey = " + key + "\n";
}

/// Errno and text of the failure to connect with these options.
std::pair<int, std::string> connect_error(const ClusterOptions& options) {
    try {
        Cluster::connect(options);
    } catch (const Error& error) {
        EXPECT_EQ(error.component(), "rados");
        return {error.errno_value(), error.what()};
    }
    return {0, "connected"};
}

TEST(Connect, SaysWhoItIs) {
    const auto connected = Cluster::connect(good_options());

    EXPECT_EQ(connected->fsid() + "\n", cluster.run("ceph fsid"));
    EXPECT_GT(connected->instance_id(), 0U);
    EXPECT_THAT(connected->addresses(), HasSubstr("127.0.0.1:0/"));
    EXPECT_EQ(connected->conf("client_mount_timeout"), "5");
    EXPECT_EQ(connected->conf("admin_socket"), "");
}

TEST(Connect, TakesTheConfigurationFromTheEnvironment) {
    ClusterOptions options = good_options();
    options.conf.clear();

    EXPECT_NO_THROW(Cluster::connect(options));
}

TEST(Connect, NamesTheMissingConfigurationFile) {
    ClusterOptions options = good_options();
    options.conf = cluster.directory() / "no-such.conf";

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, ENOENT);
    EXPECT_EQ(text, "[errno 2] RADOS object not found (no configuration file: tried " + options.conf + ")");
}

TEST(Connect, NamesTheMissingKeyring) {
    ClusterOptions options = good_options();
    options.keyring = cluster.directory() / "no-such-keyring";

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, ENOENT);
    EXPECT_THAT(text, HasSubstr("no keyring for client.admin: tried " + options.keyring));
}

TEST(Connect, NamesTheEntityThatTheKeyringLacks) {
    ClusterOptions options = good_options();
    options.name = "client.nobody";

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, ENOENT);
    EXPECT_THAT(text, HasSubstr("no key for client.nobody in " + cluster.keyring().string()));
}

TEST(Connect, SaysThatTheIdIsUnknownToTheCluster) {
    ClusterOptions options = good_options();
    options.name = "client.nobody";
    options.keyring = write_file("unknown-id", keyring_with(options.name, "AQCVtqNk4vjoKhAAqb7o7Xb3EQZ1cIM+ZCQ6sg=="));

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, EACCES);
    EXPECT_THAT(text, HasSubstr("the cluster does not know client.nobody or its key, read from " + options.keyring));
}

TEST(Connect, SaysThatTheKeyIsBad) {
    ClusterOptions options = good_options();
    options.keyring = write_file("bad-key", keyring_with(options.name, "bm90IGEga2V5"));

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, EIO);
    EXPECT_THAT(text, HasSubstr("the key for client.admin in " + options.keyring + " is malformed"));
}

TEST(Connect, SaysThatAKeyOfTheNewKindNeedsANewerLibrados) {
    ClusterOptions options = good_options();
    options.keyring = write_file(
        "new-key", keyring_with(options.name, "AgB8JhtpAAAAACAA5bLDkpyPvYQcuhA3K4TSCyFcXZ2rSH/8mFJrUe3+4wM="));

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, EIO);
    EXPECT_THAT(text, HasSubstr("this cluster's key needs librados >= 20.2.4: '" + options.keyring + "'"));
}

TEST(Connect, NamesTheMonitorAddressThatItCannotRead) {
    ClusterOptions options = good_options();
    options.overrides["mon_host"] = "not/an/address";

    const auto [code, text] = connect_error(options);

    EXPECT_THAT(text, HasSubstr("mon_host = not/an/address"));
    EXPECT_EQ(code, EINVAL);
}

TEST(Connect, GivesUpOnAnUnreachableMonitorInTime) {
    ClusterOptions options = good_options();
    options.overrides["mon_host"] = "[v2:127.0.0.1:9]";
    options.connect_timeout = std::chrono::seconds(1);
    const auto begin = std::chrono::steady_clock::now();

    const auto [code, text] = connect_error(options);

    EXPECT_EQ(code, ETIMEDOUT);
    EXPECT_THAT(text,
                AllOf(HasSubstr("no monitor answered in 1 s: mon_host = [v2:127.0.0.1:9]"), Not(HasSubstr("\n"))));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Connect, NamesTheOptionThatDoesNotExist) {
    ClusterOptions options = good_options();
    options.overrides["no_such_option"] = "1";

    EXPECT_THAT(connect_error(options).second, HasSubstr("'no_such_option'"));
}

TEST(Connect, GathersNoDebugEventsThatNobodyCanRead) {
    const auto connected = Cluster::connect(good_options());

    EXPECT_EQ(connected->conf("debug_rbd"), "0/0");
    EXPECT_EQ(connected->conf("debug_asok"), "1/1");
}

TEST(Connect, LeavesDebugLevelsThatWereAskedFor) {
    auto options = good_options();
    options.overrides["debug_rbd"] = "20";
    EXPECT_EQ(Cluster::connect(options)->conf("debug_rbd"), "20/20");

    cluster.run("ceph config set client debug_rbd 10 2>&1");
    EXPECT_EQ(Cluster::connect(good_options())->conf("debug_rbd"), "10/10");
    cluster.run("ceph config rm client debug_rbd 2>&1");
}

TEST(Connect, LeavesDebugLevelsOfAClientWithALogFile) {
    auto options = good_options();
    options.overrides["log_file"] = "/dev/null";

    EXPECT_EQ(Cluster::connect(options)->conf("debug_rbd"), "0/5");
}

TEST(Connect, TakesTwoThreadsForCallbacksAtLeast) {
    std::ostringstream conf;
    conf << std::ifstream(cluster.conf()).rdbuf() << "\n[client]\nlibrados thread count = 1\n";
    auto options = good_options();
    options.conf = write_file("one-thread.conf", conf.str());

    EXPECT_EQ(Cluster::connect(options)->conf("librados_thread_count"), "2");

    // Of a client of its own, for others (16.2.15) abort with it.
    options = good_options();
    options.name = "client.threads";
    options.keyring = cluster.directory() / "threads.keyring";
    cluster.run("ceph auth get-or-create client.threads mon 'allow *' osd 'allow *' -o " + options.keyring + " 2>&1");
    cluster.run("ceph config set client.threads librados_thread_count 1 2>&1");
    EXPECT_EQ(Cluster::connect(options)->conf("librados_thread_count"), "2");
}

TEST(OpenIoctx, SaysThatThePoolIsMissingInTheDashboardsWords) {
    const auto connected = Cluster::connect(good_options());

    try {
        connected->open_ioctx("nonesuch");
        FAIL() << "opened";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "[errno 2] RADOS object not found (error opening pool 'nonesuch')");
        EXPECT_EQ(error.component(), "pool");
    }
}

TEST(OpenIoctx, FindsAPoolThatWasMadeAgainUnderItsName) {
    const auto connected = Cluster::connect(good_options());
    const auto make = [](const std::string& pool) { cluster.run("ceph osd pool create " + pool + " 1 2>&1"); };
    make("again");
    const auto first = connected->open_ioctx("again").pool_id();

    cluster.run("ceph osd pool delete again again --yes-i-really-really-mean-it 2>&1");
    make("again");
    const auto second = connected->open_ioctx("again", "space");

    // The map at hand may still have the first pool; by id it cannot be mistaken.
    EXPECT_TRUE(second.pool_id() >= first);
    EXPECT_EQ(second.pool_name(), "again");
}

}  // namespace
}  // namespace taskd::ceph
