#include "cluster/rbd/operation_test.hpp"

namespace taskd::test {
namespace {

const auto& cluster = TestCluster::for_all_tests();

std::shared_ptr<ceph::Cluster> connect() {
    ceph::ClusterOptions options;
    options.conf = cluster.conf();
    return ceph::Cluster::connect(options);
}

/// For as long as the cluster is there: librados cannot be shut down after it.
class Clients : public ::testing::Environment {
  public:
    void SetUp() override {
        ours = connect();
        theirs = connect();
    }
    void TearDown() override {
        ours.reset();
        theirs.reset();
    }
    std::shared_ptr<ceph::Cluster> ours;
    std::shared_ptr<ceph::Cluster> theirs;
};

auto& clients = static_cast<Clients&>(*::testing::AddGlobalTestEnvironment(new Clients));

}  // namespace

OperationTest::OperationTest() : other_(theirs(), "rbd") {}

const TestCluster& OperationTest::test_cluster() {
    return cluster;
}

const ceph::Cluster& OperationTest::ours() {
    return *clients.ours;
}

const ceph::Cluster& OperationTest::theirs() {
    return *clients.theirs;
}

nlohmann::json OperationTest::run(const rbd::Operation& operation, const nlohmann::json& given,
                                  rbd::OperationContext& context) {
    return operation.run(context, operation.decode(given, rbd::Limits{}));
}

nlohmann::json OperationTest::create(const std::string& name, const nlohmann::json& more, int attempt) {
    FakeOperationContext context(&ours(), attempt);
    return run(rbd::create_operation, create_arguments(name, more), context);
}

nlohmann::json OperationTest::remove(const std::string& name, const nlohmann::json& more, int attempt) {
    FakeOperationContext context(&ours(), attempt);
    return run(rbd::delete_operation, delete_arguments(name, more), context);
}

nlohmann::json OperationTest::create_arguments(const std::string& name, const nlohmann::json& more) {
    nlohmann::json arguments = {{"pool_name", "rbd"}, {"name", name}, {"size", 1 << 22}};
    arguments.update(more);
    return arguments;
}

nlohmann::json OperationTest::delete_arguments(const std::string& name, const nlohmann::json& more) {
    nlohmann::json arguments = {{"image_spec", "rbd/" + name}};
    arguments.update(more);
    return arguments;
}

}  // namespace taskd::test
