#include "ceph/journal_store.hpp"

#include "ceph/cluster.hpp"
#include "support/cluster.hpp"
#include "support/journal_store_contract.hpp"

namespace taskd::test {
namespace {

const auto& cluster = TestCluster::for_all_tests();

/// Each test has an object of its own, named after it.
struct RadosProvider {
    static std::shared_ptr<ceph::Cluster> connect() {
        ceph::ClusterOptions options;
        options.conf = cluster.conf();
        return ceph::Cluster::connect(options);
    }
    static std::shared_ptr<ceph::JournalStore> make() {
        static const auto client = connect();
        const std::string object = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        return std::make_shared<ceph::RadosJournalStore>(client, client->open_ioctx("rbd", "taskd"), object);
    }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Rados, JournalStoreContract, RadosProvider);

}  // namespace
}  // namespace taskd::test
