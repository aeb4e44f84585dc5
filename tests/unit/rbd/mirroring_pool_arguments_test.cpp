#include "unit/rbd/bad_request.hpp"

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using test::refused_field;

TEST(MirroringPoolEdit, TakesTheModesThereAreAndNone) {
    const auto decode = mirroring_pool_edit_operation.decode;
    for (const auto* mode : {"disabled", "image", "pool"})
        EXPECT_EQ(decode({{"pool_name", "rbd"}, {"mirror_mode", mode}}, {})["mirror_mode"], mode);
    EXPECT_EQ(decode({{"pool_name", "rbd"}, {"mirror_mode", nullptr}}, {}), (json{{"pool_name", "rbd"}}));
    EXPECT_EQ(decode({{"pool_name", "rbd"}, {"mirror_mode", ""}}, {}), (json{{"pool_name", "rbd"}}));
    EXPECT_EQ(refused_field(mirroring_pool_edit_operation, {{"pool_name", "rbd"}, {"mirror_mode", "both"}}),
              "mirror_mode");
}

TEST(MirroringPeerAdd, NeedsAClusterAndAClient) {
    const auto refused = [](const json& given) { return refused_field(mirroring_peer_add_operation, given); };
    EXPECT_EQ(refused({{"pool_name", "rbd"}, {"cluster_name", "far"}, {"client_id", "admin"}}), "");
    EXPECT_EQ(refused({{"pool_name", "rbd"}, {"cluster_name", "far"}}), "client_id");
    EXPECT_EQ(refused({{"pool_name", "rbd"}, {"cluster_name", ""}, {"client_id", "admin"}}), "cluster_name");
}

TEST(MirroringPeers, TakeNoSecretAsAnArgument) {
    const json peer = {{"pool_name", "rbd"}, {"peer_uuid", "1"}, {"key", "secret"}};
    EXPECT_EQ(refused_field(mirroring_peer_edit_operation, peer), "key");
    EXPECT_EQ(refused_field(mirroring_bootstrap_import_operation,
                            {{"pool_name", "rbd"}, {"direction", "rx"}, {"token", "secret"}}),
              "token");
}

TEST(MirroringPeerEdit, LeavesOutWhatIsEmpty) {
    EXPECT_EQ(mirroring_peer_edit_operation.decode(
                  {{"pool_name", "rbd"}, {"peer_uuid", "1"}, {"cluster_name", ""}, {"client_id", "admin"}}, {}),
              (json{{"pool_name", "rbd"}, {"peer_uuid", "1"}, {"client_id", "admin"}}));
}

TEST(MirroringBootstrapImport, KnowsTwoDirections) {
    const auto refused = [](const char* direction) {
        return refused_field(mirroring_bootstrap_import_operation,
                             {{"pool_name", "rbd"}, {"direction", direction}, {"token_at", "there"}});
    };
    EXPECT_EQ(refused("rx"), "");
    EXPECT_EQ(refused("rx-tx"), "");
    EXPECT_EQ(refused("tx"), "direction");
}

}  // namespace
}  // namespace taskd::rbd
