#pragma once

#include "cli/command_line.hpp"
#include "cli/run.hpp"
#include "cli/surroundings.hpp"

#include <deque>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {

/// Time that passes when somebody waits.
class ManualTimer : public Timer {
  public:
    SteadyTime now() override { return now_; }
    void pause_until(SteadyTime time) override { now_ = std::max(now_, time); }
    void advance(std::chrono::milliseconds by) { now_ += by; }
    double seconds() const { return std::chrono::duration<double>(now_ - start).count(); }

  private:
    static constexpr SteadyTime start{std::chrono::hours(1)};
    SteadyTime now_ = start;
};

class RecordedInterruption : public Interruption {
  public:
    void say(const std::string& text) override { said.push_back(text); }
    std::vector<std::string> said;
};

/// A daemon that expects certain requests in a certain order and answers them from a script. A request that comes after
/// the end of the script, or another than expected, fails the test and is answered with 500.
class ScriptedDaemon : public Transport {
  public:
    explicit ScriptedDaemon(ManualTimer& timer) : timer_(timer) {}

    /// @param expected  "GET /api/task/X?wait=2"
    ScriptedDaemon& on(std::string expected, int status, const nlohmann::json& body = nullptr, std::string task_id = "",
                       std::chrono::milliseconds takes = std::chrono::milliseconds(10)) {
        Answer answer{.status = status, .headers = {}, .body = status == 204 ? "" : body.dump()};
        if (!task_id.empty()) answer.headers["x-task-id"] = std::move(task_id);
        script_.push_back({std::move(expected), std::move(answer), {}, false, takes});
        return *this;
    }
    /// Nobody answers.
    ScriptedDaemon& down(std::string expected, bool sent = false) {
        script_.push_back({std::move(expected), {}, "no connection", sent, std::chrono::milliseconds(1)});
        return *this;
    }
    /// From now on the last step of the script is repeated for ever.
    ScriptedDaemon& for_ever() {
        for_ever_ = true;
        return *this;
    }

    Answer request(const Request& request) override {
        requests.push_back(request);
        const std::string got = request.method + " " + request.target;
        if (script_.empty()) {
            ADD_FAILURE() << "not in the script: " << got;
            return {.status = 500, .headers = {}, .body = "{}"};
        }
        const Step step = script_.front();
        if (script_.size() > 1 || !for_ever_) script_.pop_front();
        EXPECT_EQ(got, step.expected);
        timer_.advance(step.takes);
        if (!step.error.empty()) throw TransportError(step.error, step.sent);
        return step.answer;
    }

    bool is_done() const { return script_.empty() || for_ever_; }
    std::vector<Request> requests;

  private:
    struct Step {
        std::string expected;
        Answer answer;
        std::string error;
        bool sent;
        std::chrono::milliseconds takes;
    };
    ManualTimer& timer_;
    std::deque<Step> script_;
    bool for_ever_ = false;
};

/// The program without process, network and clock.
class CliTest : public testing::Test {
  protected:
    int run(const std::vector<std::string>& arguments) {
        const CommandLine line = parse_command_line(arguments, [](const char*) { return nullptr; });
        Surroundings surroundings{.transport = daemon,
                                  .timer = timer,
                                  .interruption = interruption,
                                  .console = {.out = out_,
                                              .err = err_,
                                              .out_is_terminal = terminal,
                                              .err_is_terminal = terminal,
                                              .columns = [] { return std::size_t{100}; },
                                              .rows = [] { return std::size_t{10}; }},
                                  .read_file = [this](const std::string& path) {
                                      const auto found = files.find(path);
                                      if (found == files.end()) throw BadRequest("--in-file", "cannot open " + path);
                                      return found->second;
                                  }};
        const int code = cli::run(line, surroundings);
        EXPECT_TRUE(daemon.is_done()) << "the script was not finished";
        return code;
    }
    std::string out() const { return out_.str(); }
    std::string err() const { return err_.str(); }
    nlohmann::json json_out() const { return nlohmann::json::parse(out()); }  // throws unless it is one document

    ManualTimer timer;
    ScriptedDaemon daemon{timer};
    RecordedInterruption interruption;
    bool terminal = false;
    std::map<std::string, std::string> files;

  private:
    std::ostringstream out_, err_;
};

/// What lists all tasks.
inline const std::string list_all = "GET /api/task?detail=1";

inline constexpr const char* task_x = "01HF7YAT31QF4KX9CNPSR1K2VX";
inline constexpr const char* task_y = "01HF7YAT31QF4KX9CNPSR1K2VY";

inline nlohmann::json unfinished(const std::string& id, int percent, const std::string& image = "rbd/a") {
    return {{"id", id},
            {"name", "rbd/delete"},
            {"metadata", {{"image_spec", image}}},
            {"state", "running"},
            {"begin_time", "2026-11-25T01:31:34.380289Z"},
            {"progress", percent},
            {"duration", 3.0}};
}

inline nlohmann::json succeeded(const std::string& id, const std::string& image = "rbd/a") {
    nlohmann::json task = unfinished(id, 100, image);
    task.update({{"state", "finished"}, {"success", true}, {"ret_value", nullptr}, {"exception", nullptr}});
    return task;
}

inline nlohmann::json failed(const std::string& id, const std::string& detail, const std::string& image = "rbd/a") {
    nlohmann::json task = unfinished(id, 30, image);
    task.update(
        {{"state", "finished"}, {"success", false}, {"ret_value", nullptr}, {"exception", {{"detail", detail}}}});
    return task;
}

inline nlohmann::json accepted(const std::string& image = "rbd/a") {
    return {{"name", "rbd/delete"}, {"metadata", {{"image_spec", image}}}};
}

inline std::string ask(const std::string& id, int hold = 2) {
    return "GET /api/task/" + id + (hold > 0 ? "?wait=" + std::to_string(hold) : "");
}

inline const std::string delete_a = "DELETE /api/block/image/rbd%2Fa?snapshots=refuse";
inline const std::string delete_b = "DELETE /api/block/image/rbd%2Fb?snapshots=refuse";

}  // namespace taskd::cli
