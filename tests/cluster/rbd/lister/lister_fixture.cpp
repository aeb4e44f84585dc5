#include "lister_fixture.hpp"

#include <algorithm>

namespace taskd::test {
namespace {

auto& cluster_of_all = TestCluster::for_all_tests();

/// What a front has, in order of use.
struct Front {
    std::shared_ptr<ceph::Cluster> cluster = ceph::Cluster::connect({});
    ceph::CommandSender sender{std::make_shared<ceph::LibradosCaller>([handle = cluster] { return handle; })};
    rbd::Lister lister{cluster, sender};
};

/// Ended before the cluster is wiped.
class FrontOfAllTests : public ::testing::Environment {
  public:
    void SetUp() override { front = std::make_unique<Front>(); }
    void TearDown() override { front.reset(); }
    std::unique_ptr<Front> front;
};
auto& front_of_all = static_cast<FrontOfAllTests&>(*::testing::AddGlobalTestEnvironment(new FrontOfAllTests));

}  // namespace

const TestCluster& ListerTest::test_cluster() {
    return cluster_of_all;
}

const std::shared_ptr<ceph::Cluster>& ListerTest::cluster() {
    return front_of_all.front->cluster;
}

rbd::Lister& ListerTest::lister() {
    return front_of_all.front->lister;
}

rbd::ImageList ListerTest::list(const std::string& pool, bool wants_usage) {
    rbd::ListRequest request;
    request.pool = pool;
    request.page.limit = -1;
    request.wants_usage = wants_usage;
    return ask<rbd::ImageList>([&](auto done) { lister().list(request, std::move(done)); });
}

rbd::ImageAnswer ListerTest::get(const rbd::ImageSpec& image, bool wants_usage) {
    return ask<rbd::ImageAnswer>([&](auto done) { lister().get(image, {}, wants_usage, std::move(done)); });
}

rbd::ListedImage ListerTest::find(const rbd::ImageList& list, const std::string& name) {
    const auto found =
        std::find_if(list.images.begin(), list.images.end(), [&](const auto& image) { return image.name == name; });
    if (found != list.images.end()) return *found;
    ADD_FAILURE() << "no image " << name << " in the list";
    return {};
}

}  // namespace taskd::test
