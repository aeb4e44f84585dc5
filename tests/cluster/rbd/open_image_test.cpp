#include "cluster/rbd/other_client.hpp"
#include "rbd/image.hpp"
#include "support/cluster.hpp"

#include <array>
#include <atomic>
#include <string_view>

#include <sys/prctl.h>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <rbd/features.h>
#include <unistd.h>

namespace taskd::test {
namespace {

const auto& cluster = TestCluster::for_all_tests();

std::atomic<bool> hold_up_callbacks = false;

bool calls_back() {
    std::array<char, 16> name{};
    prctl(PR_GET_NAME, name.data());
    return std::string_view(name.data()) == "io_context_pool";
}

int really_signal(pthread_cond_t* condition) {
    using Signal = int (*)(pthread_cond_t*);
    // Where there is an older pthread_cond_signal as well, dlsym would give that one.
    static const auto newest = dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
    static const auto real =
        reinterpret_cast<Signal>(newest != nullptr ? newest : dlsym(RTLD_NEXT, "pthread_cond_signal"));
    return real(condition);
}

}  // namespace
}  // namespace taskd::test

/// In place of libc's: every third time that a thread of librados, in a callback, has given work to another, it is held
/// up for longer than an image is open, as the scheduler of a busy machine does now and then.
extern "C" int pthread_cond_signal(pthread_cond_t* condition) noexcept {
    const int rc = taskd::test::really_signal(condition);
    thread_local unsigned count = 0;
    thread_local const bool is_callback = taskd::test::calls_back();
    constexpr useconds_t longer_than_open = 20'000;
    if (is_callback && taskd::test::hold_up_callbacks && ++count % 3 == 0) usleep(longer_than_open);
    return rc;
}

namespace taskd::test {
namespace {

TEST(OpenImage, OfACloneIsNotFreedUnderACallback) {
    ceph::ClusterOptions options;
    options.conf = cluster.conf();
    const auto client = ceph::Cluster::connect(options);
    OtherClient other(*client, "rbd");
    other.make("parent", 1 << 22, RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP);
    other.snapshot("parent", "s", true);
    other.clone("parent", "s", "child");
    // What is freed is no lock any more: who uses it as one ends the program.
    constexpr int pattern = 0x55;
    mallopt(M_PERTURB, pattern);
    hold_up_callbacks = true;

    constexpr int times = 150;
    for (int i = 0; i < times; ++i)
        EXPECT_TRUE(rbd::Image::open(other.pool(), "child", rbd::Image::Mode::read_only).has_value()) << i;

    hold_up_callbacks = false;
    mallopt(M_PERTURB, 0);
}

}  // namespace
}  // namespace taskd::test
