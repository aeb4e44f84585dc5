#include "component/cli/scripted_daemon.hpp"

#include <array>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace taskd::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What bash offers behind these words, the last of which is being typed.
class Completion : public CliTest {
  protected:
    void SetUp() override {
        EXPECT_EQ(run({"completion"}), 0);
        script_ = testing::TempDir() + "ceph-task-completion." + std::to_string(::getpid());
        std::ofstream(script_) << out();
    }
    void TearDown() override { std::remove(script_.c_str()); }

    std::string offered(const std::string& words, int last) const {
        const std::string command = "bash -c 'set -e; source " + script_ + "; COMP_WORDS=(" + words +
                                    "); COMP_CWORD=" + std::to_string(last) +
                                    "; _ceph_task; printf \"%s \" \"${COMPREPLY[@]}\"'";
        std::string text = " ";
        FILE* pipe = ::popen(command.c_str(), "r");
        std::array<char, 4096> buffer{};
        while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
        EXPECT_EQ(::pclose(pipe), 0);
        return text;
    }

  private:
    std::string script_;
};

TEST_F(Completion, OffersCommands) {
    EXPECT_THAT(offered("ceph-task \"\"", 1), AllOf(HasSubstr(" rbd "), HasSubstr(" watch "), HasSubstr(" top ")));
    EXPECT_THAT(offered("ceph-task rbd sn", 2), AllOf(HasSubstr(" snap "), Not(HasSubstr(" create "))));
    EXPECT_THAT(offered("ceph-task rbd snap \"\"", 3), HasSubstr(" create "));
}

TEST_F(Completion, OffersOptionsOfTheCommandAndOfTheProgram) {
    EXPECT_THAT(offered("ceph-task rbd create rbd/vm-1 --s", 4), AllOf(HasSubstr(" --size "), HasSubstr(" --socket ")));
    EXPECT_THAT(offered("ceph-task command --o", 2), HasSubstr(" --osd "));
    EXPECT_THAT(offered("ceph-task ls --s", 2), Not(HasSubstr(" --size ")));
}

}  // namespace
}  // namespace taskd::cli
