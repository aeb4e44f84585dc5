#pragma once

#include "ceph/command_caller.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::test {

/// Answers commands by a function of the test's, and remembers them in the order in which they came.
/// @thread  Any.
class FakeCommandCaller final : public ceph::CommandCaller {
  public:
    using Answer = std::function<ceph::CommandResult(const ceph::CommandTarget& target, const nlohmann::json& command)>;

    explicit FakeCommandCaller(Answer answer) : answer_(std::move(answer)) {}

    ceph::CommandResult call(const ceph::CommandTarget& target, const nlohmann::json& command,
                             const std::string& /*input*/) override {
        {
            const std::lock_guard lock(mutex_);
            calls_.emplace_back(target.text(), command);
        }
        called_.notify_all();
        return answer_(target, command);
    }

    /// Target and command of each call.
    std::vector<std::pair<std::string, nlohmann::json>> calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    void wait_for_calls(std::size_t count) const {
        std::unique_lock lock(mutex_);
        called_.wait(lock, [&] { return calls_.size() >= count; });
    }

  private:
    const Answer answer_;
    mutable std::mutex mutex_;
    mutable std::condition_variable called_;
    std::vector<std::pair<std::string, nlohmann::json>> calls_;
};

}  // namespace taskd::test
