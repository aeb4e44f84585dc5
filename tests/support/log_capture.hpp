#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace taskd::test {

/// Keeps what the program logs while this lives.
/// @thread  The program may log from any; the members are the test's.
class LogCapture {
  public:
    LogCapture() { outlets().add_sink(sink_); }
    ~LogCapture() { outlets().remove_sink(sink_); }
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;

    /// Those that have `part` in them, without time and level.
    std::vector<std::string> lines(const std::string& part = {}) const {
        std::vector<std::string> all = sink_->lines();
        std::erase_if(all, [&](const auto& line) { return line.find(part) == std::string::npos; });
        return all;
    }
    std::string text() const {
        std::string all;
        for (const auto& line : lines()) all += line + "\n";
        return all;
    }

  private:
    class Sink final : public spdlog::sinks::base_sink<std::mutex> {
      public:
        std::vector<std::string> lines() {
            const std::lock_guard lock(mutex_);
            return lines_;
        }

      private:
        void sink_it_(const spdlog::details::log_msg& message) override {
            lines_.emplace_back(message.payload.data(), message.payload.size());
        }
        void flush_() override {}

        std::vector<std::string> lines_;
    };

    using Outlets = spdlog::sinks::dist_sink_mt;

    /// Of the program's logger, which is set before there is a thread that logs: later nobody may.
    static Outlets& outlets() { return *installed_; }
    static std::shared_ptr<Outlets> install() {
        auto outlets = std::make_shared<Outlets>();
        outlets->add_sink(std::make_shared<spdlog::sinks::stdout_color_sink_mt>());
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("", outlets));
        return outlets;
    }
    static inline const std::shared_ptr<Outlets> installed_ = install();

    const std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
};

}  // namespace taskd::test
