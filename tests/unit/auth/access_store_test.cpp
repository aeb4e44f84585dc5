#include "auth/access_store.hpp"

#include <cerrno>
#include <map>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

/// The config-key store of a monitor.
class FakeKeys final : public ceph::CommandCaller {
  public:
    ceph::CommandResult call(const ceph::CommandTarget& target, const nlohmann::json& command,
                             const std::string& input) override {
        EXPECT_EQ(target.kind, ceph::CommandTarget::Kind::mon);
        const auto key = command.at("key").get<std::string>();
        if (refuse_with != 0) return {refuse_with, "access denied", {}};
        if (command.at("prefix") == "config-key set") {
            EXPECT_FALSE(command.contains("val")) << "the monitors' log has what is in the command";
            keys[key] = input;
            return {};
        }
        const auto found = keys.find(key);
        return found == keys.end() ? ceph::CommandResult{-ENOENT, "no such key", {}}
                                   : ceph::CommandResult{0, {}, found->second + "\n"};
    }

    std::map<std::string, std::string> keys;
    int refuse_with = 0;
};

TEST(AccessStore, IsOfNobodyAtFirst) {
    FakeKeys keys;
    EXPECT_EQ(AccessStore(keys).read().text(), AccessDocument().text());
    EXPECT_TRUE(keys.keys.empty());
}

TEST(AccessStore, KeepsWhatIsWrittenAndMakesASecretForTokens) {
    FakeKeys keys;
    AccessStore store(keys);
    auto document = store.read();
    document.create_role("mine", {});
    store.write(document);

    EXPECT_EQ(store.read().text(), document.text());
    EXPECT_EQ(keys.keys["ceph-taskd/accessdb_v2"], document.text());
    EXPECT_EQ(keys.keys["ceph-taskd/jwt_secret"].size(), 64U);
}

TEST(AccessStore, TheSecretStays) {
    FakeKeys keys;
    keys.keys["ceph-taskd/jwt_secret"] = "as it was";
    AccessStore(keys).write(AccessDocument());
    EXPECT_EQ(keys.keys["ceph-taskd/jwt_secret"], "as it was");
}

TEST(AccessStore, EachClusterHasASecretOfItsOwn) {
    FakeKeys one;
    FakeKeys other;
    AccessStore(one).write(AccessDocument());
    AccessStore(other).write(AccessDocument());
    EXPECT_NE(one.keys["ceph-taskd/jwt_secret"], other.keys["ceph-taskd/jwt_secret"]);
}

TEST(AccessStore, WhatAMonitorRefusesIsToldWithItsErrno) {
    FakeKeys keys;
    keys.refuse_with = -EACCES;
    AccessStore store(keys);
    for (const bool writes : {false, true}) {
        try {
            if (writes)
                store.write(AccessDocument());
            else
                (void)store.read();
            FAIL() << "it passed";
        } catch (const Error& error) {
            EXPECT_EQ(error.errno_value(), EACCES);
            EXPECT_THAT(error.what(), ::testing::HasSubstr("access denied (mon command 'config-key get')"));
        }
    }
}

TEST(AccessStore, WhatCannotBeReadIsNotWrittenOver) {
    FakeKeys keys;
    keys.keys["ceph-taskd/accessdb_v2"] = "garbage";
    EXPECT_THROW((void)AccessStore(keys).read(), Error);
}

}  // namespace
}  // namespace taskd::auth
