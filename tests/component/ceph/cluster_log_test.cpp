#include "ceph/cluster_log.hpp"

#include "support/fake_command_caller.hpp"

#include <atomic>
#include <future>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using std::chrono::seconds;

/// Monitors that answer when the test lets them.
class ClusterLogTest : public ::testing::Test {
  protected:
    ~ClusterLogTest() override { let_go(); }

    void let_go() {
        if (!let_go_) go_.set_value();
        let_go_ = true;
    }
    std::vector<std::string> written() const {
        std::vector<std::string> lines;
        for (const auto& [target, command] : caller_->calls()) lines.push_back(command.at("logtext").at(0));
        return lines;
    }

    bool let_go_ = false;
    std::promise<void> go_;
    std::shared_future<void> gone_{go_.get_future()};
    std::atomic<int> return_code_ = 0;
    std::shared_ptr<test::FakeCommandCaller> caller_ =
        std::make_shared<test::FakeCommandCaller>([this](const CommandTarget&, const json&) {
            gone_.wait();
            return CommandResult{return_code_, "as the test says", ""};
        });
    CommandSender sender_{caller_};
};

TEST_F(ClusterLogTest, ALineIsTheMonitorsCommand) {
    let_go();
    ClusterLog log(sender_);
    log.write("who did what");

    EXPECT_TRUE(log.wait_until_written(seconds(60)));
    ASSERT_EQ(caller_->calls().size(), 1U);
    EXPECT_EQ(caller_->calls()[0].first, "mon");
    EXPECT_EQ(caller_->calls()[0].second, (json{{"prefix", "log"}, {"logtext", json::array({"who did what"})}}));
    EXPECT_EQ(log.dropped(), 0U);
}

TEST_F(ClusterLogTest, NobodyWaitsWhileTheMonitorsDoNotAnswerAndWhatFindsNoRoomIsCountedAndSaid) {
    ClusterLog log(sender_, {.capacity = 3, .at_once = 2});
    for (int n = 0; n < 10; ++n) log.write("line " + std::to_string(n));  // 2 under way, 3 wait
    EXPECT_EQ(log.dropped(), 5U);
    EXPECT_FALSE(log.wait_until_written(seconds(0)));

    let_go();

    EXPECT_TRUE(log.wait_until_written(seconds(60)));
    const auto lines = written();
    ASSERT_EQ(lines.size(), 6U);
    // The last two are under way at once: which of them the monitors have first is open.
    EXPECT_THAT(lines,
                ::testing::Contains("ceph-taskd audit: 5 lines are missing here; they are in the daemon's own log"));
}

TEST_F(ClusterLogTest, ALineThatTheMonitorsRefuseIsCounted) {
    return_code_ = -13;
    let_go();
    ClusterLog log(sender_);
    log.write("a");
    ASSERT_TRUE(log.wait_until_written(seconds(60)));
    EXPECT_EQ(log.dropped(), 1U);

    return_code_ = 0;
    log.write("b");

    ASSERT_TRUE(log.wait_until_written(seconds(60)));
    EXPECT_THAT(written().back(), testing::HasSubstr("1 lines are missing here"));
}

TEST_F(ClusterLogTest, ALongLineIsCutBetweenTwoCharacters) {
    let_go();
    ClusterLog log(sender_, {.most_bytes = 4});
    log.write("abcä");

    ASSERT_TRUE(log.wait_until_written(seconds(60)));
    EXPECT_EQ(written(), std::vector<std::string>{"abc"});
}

TEST_F(ClusterLogTest, ASenderThatIsStoppedDropsWhatWaits) {
    let_go();
    sender_.stop();
    ClusterLog log(sender_);
    log.write("a");
    EXPECT_TRUE(log.wait_until_written(seconds(0)));
    EXPECT_EQ(log.dropped(), 1U);
}

}  // namespace
}  // namespace taskd::ceph
