#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include <gtest/gtest.h>

namespace taskd::test {

/// A real cluster of the test executable's own: started before its first test, wiped after its last, and also when the
/// executable crashes or is killed. CEPH_CONF points at it.
///
///     const auto& cluster = taskd::test::TestCluster::for_all_tests({"--osds", "3"});   // at namespace scope
///
/// Each executable that uses it lists support/cluster.cpp among its SOURCES and has LEVEL cluster.
class TestCluster : public ::testing::Environment {
  public:
    /// Registers the environment with gtest. Call it once, before main.
    /// @param start_arguments  More arguments for `vstart.sh start`.
    static TestCluster& for_all_tests(std::vector<std::string> start_arguments = {});

    void SetUp() override;
    void TearDown() override;

    const std::filesystem::path& directory() const { return directory_; }
    std::filesystem::path conf() const { return directory_ / "ceph.conf"; }
    std::filesystem::path keyring() const { return directory_ / "keyring"; }

    /// The running daemons: "mon.a", "mgr.x", "osd.0", …
    std::map<std::string, pid_t> pids() const;
    pid_t pid(const std::string& daemon) const;
    /// Signals a daemon. A killed one is started again with `revive`.
    void signal(const std::string& daemon, int number) const;
    void revive(const std::string& daemon) const;

    /// Runs a shell command with CEPH_CONF set (`ceph osd dump`), at most a minute; fails the test unless it succeeds.
    /// @returns  What it wrote to stdout.
    std::string run(const std::string& command) const;

  private:
    explicit TestCluster(std::vector<std::string> start_arguments) : start_arguments_(std::move(start_arguments)) {}
    std::string vstart(const std::string& arguments) const;
    void arm_wiper();

    std::vector<std::string> start_arguments_;
    std::filesystem::path directory_;
    int wiper_trigger_ = -1;
    int wiper_done_ = -1;
};

/// Freezes a daemon (SIGSTOP) for a scope.
class Frozen {
  public:
    Frozen(const TestCluster& cluster, const std::string& daemon);
    ~Frozen();
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;

  private:
    pid_t pid_;
};

}  // namespace taskd::test
