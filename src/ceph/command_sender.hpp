#pragma once

#include "ceph/command_caller.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

struct CommandLimits {
    std::size_t max_threads = 64;
    std::size_t capacity = 10'000;                   ///< Commands that may wait or be under way.
    std::chrono::milliseconds idle_timeout{10'000};  ///< After which a thread without work ends.
    std::chrono::milliseconds deadline{60'000};      ///< From `send` to the answer, waiting included.
    std::chrono::milliseconds stop_grace{20'000};    ///< How long `stop` waits for those under way.
};

struct CommandAnswer {
    CommandResult result;      ///< What the daemon said, when `error` is null.
    std::exception_ptr error;  ///< It was not sent, or gave no answer in time.
    nlohmann::json command;    ///< It comes back with a result; null beside an error.
};

/// Runs blocking commands on threads that come and go with the work: librados has no asynchronous form of them.
///
/// Threads are named taskd-cmd-N. Commands start in the order given, except that no kind of daemon (mon, mgr, OSD) gets
/// more than three quarters of the threads: a mgr that does not answer cannot keep the monitors' commands waiting.
/// The first command that a callback sends is taken by the callback's own thread, right after it, where that is free.
/// A command without an answer at its deadline is answered with ETIMEDOUT; its thread goes on waiting for librados.
/// @thread  Any.
class CommandSender {
  public:
    using Callback = std::function<void(CommandAnswer answer)>;
    using Ticket = std::uint64_t;

    explicit CommandSender(std::shared_ptr<CommandCaller> caller, CommandLimits limits = {});
    ~CommandSender();
    CommandSender(const CommandSender&) = delete;
    CommandSender& operator=(const CommandSender&) = delete;

    /// @param callback  Called exactly once, from a thread of the sender's or from `cancel` or `stop`; must not block.
    /// @throws QueueFull, Error (unavailable: stopped); the callback is then not called.
    Ticket send(CommandTarget target, nlohmann::json command, std::string input, Callback callback);

    /// Answers a command that still waits for a thread with ECANCELED.
    /// @returns false when it was sent, answered or never existed: a command that was sent cannot be taken back.
    bool cancel(Ticket ticket);

    /// Refuses new commands, answers those that wait with ECANCELED, and waits `stop_grace` for those under way. A
    /// thread that librados has still not let go by then is left to sleep until the program ends (logged): it touches
    /// nothing but what it owns. Idempotent.
    void stop();

    struct Load {
        std::size_t threads;  ///< All of them.
        std::size_t waiting;  ///< Commands.
        std::size_t running;  ///< Commands with a thread, answered at their deadline or not.
    };
    Load load() const;

  private:
    struct State;
    class LeftToSleep;
    std::shared_ptr<State> state_;
};

}  // namespace taskd::ceph
