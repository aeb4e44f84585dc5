#include "support/cluster.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace taskd::test {
namespace {

std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

struct Outcome {
    int status;
    std::string output;
};

Outcome run_shell(const std::string& command) {
    // "e": the pipe is not for the daemons that vstart leaves behind.
    FILE* pipe = popen(command.c_str(), "re");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    std::string output;
    std::array<char, 4096> chunk{};
    for (std::size_t size = 0; (size = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
        output.append(chunk.data(), size);
    return {pclose(pipe), output};
}

std::string vstart_script() {
    // ctest sets it; a test that is run by hand finds the tree from where this file was compiled.
    const char* source = std::getenv("TASKD_SOURCE_DIR");
    const auto root = source != nullptr ? std::filesystem::path(source)
                                        : std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    return root / "vstart" / "vstart.sh";
}

}  // namespace

TestCluster& TestCluster::for_all_tests(std::vector<std::string> start_arguments) {
    auto* cluster = new TestCluster(std::move(start_arguments));  // gtest owns it
    ::testing::AddGlobalTestEnvironment(cluster);
    return *cluster;
}

void TestCluster::SetUp() {
    std::string pattern = std::filesystem::temp_directory_path() / "taskd-test-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    directory_ = pattern;
    arm_wiper();
    unsetenv("CEPH_ARGS");
    unsetenv("CEPH_KEYRING");
    setenv("CEPH_CONF", conf().c_str(), 1);
    std::string arguments = "start";
    for (const auto& argument : start_arguments_) arguments += " " + quoted(argument);
    vstart(arguments);
}

void TestCluster::TearDown() {
    if (wiper_trigger_ < 0) return;
    close(wiper_trigger_);
    pollfd done{wiper_done_, POLLIN, 0};
    constexpr int bound_ms = 90'000;
    if (poll(&done, 1, bound_ms) != 1) ADD_FAILURE() << "wiping " << directory_ << " takes too long";
    close(wiper_done_);
    EXPECT_FALSE(std::filesystem::exists(directory_)) << "not wiped";
}

/// Starts a process that wipes the cluster when this one has closed its end of a pipe: at TearDown, and equally when
/// this one dies. It is nobody's child, so that who kills a test with all its children does not kill it.
void TestCluster::arm_wiper() {
    std::array<int, 2> trigger{};
    std::array<int, 2> done{};
    if (pipe2(trigger.data(), O_CLOEXEC) != 0 || pipe2(done.data(), O_CLOEXEC) != 0)
        throw std::runtime_error("no pipe can be had");
    const std::string script = vstart_script();
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        close(trigger[1]);
        close(done[0]);
        char nothing = 0;
        while (read(trigger[0], &nothing, 1) < 0 && errno == EINTR) {
        }
        const pid_t wipe = fork();
        if (wipe == 0) {
            execl(script.c_str(), script.c_str(), "wipe", "--dir", directory_.c_str(), nullptr);
            _exit(127);
        }
        waitpid(wipe, nullptr, 0);
        rmdir(directory_.c_str());  // where vstart had not even begun
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    close(trigger[0]);
    close(done[1]);
    wiper_trigger_ = trigger[1];
    wiper_done_ = done[0];
}

std::string TestCluster::vstart(const std::string& arguments) const {
    const auto [status, output] = run_shell("timeout 120 " + quoted(vstart_script()) + " " + arguments + " --dir " +
                                            quoted(directory_) + " 2>&1");
    if (status == 0) return output;
    const auto logs = run_shell("tail -n 20 " + quoted(directory_) + "/log/* 2>&1").output;
    throw std::runtime_error("vstart.sh " + arguments + " failed:\n" + output + logs);
}

std::map<std::string, pid_t> TestCluster::pids() const {
    std::istringstream lines(vstart("pids"));
    std::map<std::string, pid_t> found;
    std::string name;
    for (pid_t pid = 0; lines >> name >> pid;) found[name] = pid;
    return found;
}

pid_t TestCluster::pid(const std::string& daemon) const {
    const auto running = pids();
    const auto found = running.find(daemon);
    if (found == running.end()) throw std::runtime_error(daemon + " does not run");
    return found->second;
}

void TestCluster::signal(const std::string& daemon, int number) const {
    vstart("kill " + quoted(daemon) + " " + std::to_string(number));
}

void TestCluster::revive(const std::string& daemon) const {
    vstart("revive " + quoted(daemon));
}

std::string TestCluster::run(const std::string& command) const {
    const auto [status, output] = run_shell("timeout 60 sh -c " + quoted(command));
    EXPECT_EQ(status, 0) << command << "\n" << output;
    return output;
}

namespace {

/// Whether every thread of the process has stopped: a signal to a busy process takes effect some time later.
bool is_stopped(pid_t pid) {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        std::ifstream file(thread.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        const auto name_end = stat.rfind(')');
        if (name_end == std::string::npos || stat.compare(name_end, 3, ") T") != 0) return false;
    }
    return true;
}

}  // namespace

Frozen::Frozen(const TestCluster& cluster, const std::string& daemon) : pid_(cluster.pid(daemon)) {
    kill(pid_, SIGSTOP);
    while (!is_stopped(pid_)) std::this_thread::yield();
}

Frozen::~Frozen() {
    kill(pid_, SIGCONT);
}

}  // namespace taskd::test
