#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <taskd/executor.hpp>
#include <taskd/notification_queue.hpp>

namespace taskd {

/// Hands each `command` notification to the one who waits for its tag.
///
/// The guide's example registers one listener per task, each of which is called for every notification and looks for
/// its own tag: with n commands under way that is n² calls. Here one listener stands for all of them and looks the tag
/// up; it registers with the first tag that is awaited and deregisters after the last. Where nobody else listens, an
/// answer that is posted here takes no way over the queue's thread.
/// @thread  Any.
class CommandAnswers {
  public:
    /// The notification's type. Its value: `{"tag", "return_code", "status", "output", "output_format"}`, or
    /// `{"tag", "error"}` (see `error_to_json`) for a command that was not sent or got no answer.
    static constexpr std::string_view event = "command";

    using Handler = std::function<void(nlohmann::json value)>;

    /// @param queue  Must outlive this.
    explicit CommandAnswers(NotificationQueue& queue);
    ~CommandAnswers();
    CommandAnswers(const CommandAnswers&) = delete;
    CommandAnswers& operator=(const CommandAnswers&) = delete;

    /// Calls `handler` once with the first notification that has this tag, on the queue's thread or in `post`.
    /// @throws Error (conflict) when the tag is awaited already.
    void expect(const std::string& tag, Handler handler);
    /// Takes the expectation back. @returns false when the handler was or is being called, or there was none.
    bool forget(const std::string& tag);
    /// Posts an answer. When nobody else listens to `command`, the awaiting handler is called here and now; and when
    /// the queue is full: other listeners miss the notification then, but the task that waits for it ends.
    void post(nlohmann::json value);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Sends commands to daemons; every answer comes as a `command` notification.
class CommandPort {
  public:
    struct Request {
        std::string tag;         ///< Comes back with the answer; unique among those under way.
        std::string target;      ///< "mon", "mon.a", "mgr", "osd.3", "pg 1.2a".
        nlohmann::json command;  ///< `{"prefix": …, …}`
        std::string input;       ///< Bulk data, mostly empty.
    };

    CommandPort() = default;
    virtual ~CommandPort() = default;
    CommandPort(const CommandPort&) = delete;
    CommandPort& operator=(const CommandPort&) = delete;

    /// Takes the request and returns at once; then posts exactly one answer to `answers()`.
    /// @throws BadRequest, QueueFull, Error: not taken, and no answer will come.
    virtual void send(Request request) = 0;
    /// Gives up a request that was not yet sent; it is answered all the same. @returns false when it is too late.
    virtual bool cancel(const std::string& tag) = 0;
    virtual CommandAnswers& answers() noexcept = 0;
};

/// Runs a task that is one command to a daemon. The task's function gives the command, `{"prefix": …}`; the task ends
/// when the notification with its tag arrives, with the notification's value (without the tag) as its result.
///
/// It fails with the daemon's errno, `[errno 22] <status> (mon command 'osd foo')`, component "mon", "mgr", "osd" or
/// "pg" and `extra` = `{"return_code", "status", "output", "output_format"}` when the return code is not 0.
/// Cancelling takes back a command that waits for its turn. One that was sent cannot be taken back: with `force` the
/// task ends as cancelled, and the command may still take effect.
/// @source  Ceph dashboard developer guide, "SendCommandExecutor".
class SendCommandExecutor : public TaskExecutor {
  public:
    /// @param port    Must outlive the task's run.
    /// @param target  As in `CommandPort::Request`.
    /// @param tag     Empty makes a unique one.
    SendCommandExecutor(CommandPort& port, std::string target, std::string input = {}, std::string tag = {});
    ~SendCommandExecutor() override;

    void start() override;
    void cancel(bool force) override;

    const std::string& tag() const noexcept { return tag_; }

  private:
    void handle(nlohmann::json value, const nlohmann::json& command);

    CommandPort& port_;
    std::string target_;
    std::string input_;
    std::string tag_;
};

}  // namespace taskd
