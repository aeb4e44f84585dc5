#pragma once

#include "rbd/operation.hpp"

#include <atomic>
#include <cassert>
#include <cerrno>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskd::test {

/// What a fake context throws where the process would have died: no `taskd::Error`, so that nothing tidies up after it.
struct Interrupted {
    std::string step;
};

/// Runs an operation without a worker: records what it reports, and ends or stops it where the test says.
/// @thread  As OperationContext.
class FakeOperationContext final : public rbd::OperationContext {
  public:
    explicit FakeOperationContext(const ceph::Cluster* cluster = nullptr, int attempt = 1)
        : cluster_(cluster), attempt_(attempt) {}

    /// Called before each step; throws Interrupted to end the operation there.
    std::function<void(std::string_view step)> on_step = [](std::string_view) {};
    /// Called in place of waiting.
    std::function<void()> on_pause = [] {};
    /// A stop is requested once so many reports of progress were made.
    std::size_t stop_after_reports = SIZE_MAX;

    /// What the mgr answers.
    std::function<ceph::CommandResult(const nlohmann::json& command)> on_mgr = [](const nlohmann::json&) {
        return ceph::CommandResult{-ENOTSUP, "there is no mgr", {}};
    };

    void stop() { stop_ = true; }

    const ceph::Cluster& cluster() override {
        assert(cluster_ != nullptr && "an operation that needs a cluster");
        return *cluster_;
    }
    bool stop_requested() const noexcept override { return stop_; }
    int attempt() const noexcept override { return attempt_; }
    const std::string& task_id() const noexcept override { return task_id_; }

    void progress(std::uint64_t done, std::uint64_t total) noexcept override {
        const std::lock_guard lock(mutex_);
        reports_.emplace_back(done, total);
        if (reports_.size() >= stop_after_reports) stop_ = true;
    }

    ceph::CommandResult ask_mgr(const nlohmann::json& command) override {
        steps_.push_back("mgr: " + command.at("prefix").get<std::string>());
        return on_mgr(command);
    }

    bool pause(std::chrono::milliseconds) override {
        on_pause();
        return !stop_;
    }

    void step(std::string_view name) override {
        steps_.emplace_back(name);
        on_step(name);
    }

    std::vector<std::pair<std::uint64_t, std::uint64_t>> reports() const {
        const std::lock_guard lock(mutex_);
        return reports_;
    }
    const std::vector<std::string>& steps() const { return steps_; }

  private:
    const ceph::Cluster* cluster_;
    const int attempt_;
    const std::string task_id_ = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    std::atomic<bool> stop_ = false;
    std::vector<std::string> steps_;
    mutable std::mutex mutex_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> reports_;
};

}  // namespace taskd::test
