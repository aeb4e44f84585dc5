#include "ceph/options.hpp"

#include "ceph/connect_failure.hpp"
#include "ceph/error.hpp"

#include <cerrno>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;

TEST(ClusterOptions, SurviveTheWayToAWorker) {
    ClusterOptions options;
    options.conf = "/c";
    options.name = "client.taskd";
    options.keyring = "/k";
    options.cluster = "backup";
    options.overrides = {{"key", "AQ=="}, {"mon_host", "[v2:[::1]:3300]"}};
    options.connect_timeout = std::chrono::seconds(7);
    options.mon_op_timeout = std::chrono::seconds(8);
    options.osd_op_timeout = std::chrono::seconds(9);

    EXPECT_EQ(json::parse(json(options).dump()).get<ClusterOptions>(), options);
    EXPECT_EQ(json(options).get<ClusterOptions>(), options) << "numbers that were not text in between have a sign";
}

TEST(ClusterOptions, KeepTheirDefaultsWhereNothingIsSaid) {
    EXPECT_EQ(json::object().get<ClusterOptions>(), ClusterOptions());
}

TEST(ClusterOptions, NameTheBadKey) {
    const auto field = [](const json& document) {
        try {
            document.get<ClusterOptions>();
        } catch (const BadRequest& bad) {
            return bad.field();
        }
        return std::string("none");
    };

    EXPECT_EQ(field({{"confg", "x"}}), "confg");
    EXPECT_EQ(field({{"conf", 5}}), "conf");
    EXPECT_EQ(field({{"connect_timeout_s", -1}}), "connect_timeout_s");
    EXPECT_EQ(field({{"connect_timeout_s", 1LL << 32}}), "connect_timeout_s") << "not 0 seconds";
    EXPECT_EQ(field({{"overrides", {{"key", 1}}}}), "overrides.key");
    EXPECT_EQ(field(json::array()), "cluster options");
}

TEST(ConfigurationPaths, AreTheOneThatWasGiven) {
    ClusterOptions options;
    options.conf = "/a/ceph.conf";

    EXPECT_EQ(configuration_paths(options), std::vector<std::string>{"/a/ceph.conf"});
}

TEST(RadosError, SpeaksLikeThePythonBinding) {
    EXPECT_STREQ(rados_error(-ENOENT, "error opening pool 'x'", "pool").what(),
                 "[errno 2] RADOS object not found (error opening pool 'x')");
    EXPECT_EQ(rados_error_text(-EPERM), "RADOS permission error");
    EXPECT_EQ(rados_error_text(-EACCES), "RADOS permission denied");
    EXPECT_EQ(rados_error_text(-ESHUTDOWN), "RADOS connection was shutdown");
    EXPECT_EQ(rados_error_text(-EIO), "RADOS I/O error");
}

TEST(RadosError, FindsWordsForTheOthers) {
    EXPECT_EQ(rados_error_text(-EOPNOTSUPP), "RADOS operation not supported");
}

TEST(RadosError, CountsACancelledOperationAsCancelled) {
    EXPECT_EQ(rados_error(-ECANCELED, "").kind(), ErrorKind::cancelled);
    EXPECT_EQ(rados_error(-ENOENT, "").kind(), ErrorKind::refused);
}

}  // namespace
}  // namespace taskd::ceph
