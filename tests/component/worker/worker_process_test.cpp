#include "worker/worker_process.hpp"

#include <string>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace taskd::worker {
namespace {

/// Waits for the end and keeps why.
class End final : public WorkerEvents {
  public:
    explicit End(boost::asio::io_context& context) : context_(context) {}
    void handle_ready(Worker&) override {}
    void handle_progress(Worker&, const std::string&, int) override {}
    void handle_result(Worker&, const std::string&, nlohmann::json, nlohmann::json) override {}
    void handle_end(Worker&, const std::string& reason) override {
        reason_ = reason;
        context_.stop();
    }
    const std::string& reason() const { return reason_; }

  private:
    boost::asio::io_context& context_;
    std::string reason_;
};

/// How a shell ended that ran this in the place of a worker, and what it said last on its error output.
std::string end_of(const std::string& script) {
    boost::asio::io_context context;
    End end(context);
    const WorkerProcess worker({"/bin/sh", "-c", script}, {}, context, end);
    context.run();
    return end.reason();
}

TEST(WorkerProcess, InheritsNothingButItsChannelAndWhatStandsForTheTerminal) {
    constexpr int forgotten = 100;  // by some library, which did not mark it
    const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::dup2(file, forgotten), forgotten);

    const auto end = end_of(
        "for fd in 0 1 2 3 4 100; do if test -e /proc/self/fd/$fd; then all=\"$all $fd\"; fi; done; echo has$all. >&2");

    ::close(forgotten);
    ::close(file);
    EXPECT_THAT(end, ::testing::HasSubstr("has 0 1 2 3."));
}

TEST(WorkerProcess, IsToldByHowItEndedAndItsLastWords) {
    EXPECT_EQ(end_of("echo broken >&2; exit 7"), "exited with code 7: broken");
}

}  // namespace
}  // namespace taskd::worker
