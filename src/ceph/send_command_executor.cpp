#include "ceph/command.hpp"
#include "ceph/command_answer.hpp"

#include <cerrno>

#include <taskd/error.hpp>
#include <taskd/send_command_executor.hpp>
#include <taskd/task.hpp>

namespace taskd {
SendCommandExecutor::SendCommandExecutor(CommandPort& port, std::string target, std::string input, std::string tag)
    : port_(port),
      target_(std::move(target)),
      input_(std::move(input)),
      tag_(tag.empty() ? ceph::unique_command_tag() : std::move(tag)) {}

SendCommandExecutor::~SendCommandExecutor() = default;

void SendCommandExecutor::start() {
    ceph::CommandTarget::parse(target_);  // before anybody listens for an answer
    nlohmann::json command = run_function();
    // The task owns this executor, and the handler the task: until the answer, `forget` or a failed send.
    port_.answers().expect(
        tag_, [this, keep_alive = task(), command](nlohmann::json value) { handle(std::move(value), command); });
    try {
        port_.send({tag_, target_, std::move(command), std::move(input_)});
    } catch (...) {
        // Whoever took the expectation first ends the task: a send that throws should have posted nothing.
        if (port_.answers().forget(tag_)) throw;
    }
}

void SendCommandExecutor::handle(nlohmann::json value, const nlohmann::json& command) {
    std::exception_ptr error;
    nlohmann::json result;
    try {
        error = ceph::failure_of_answer(value, target_, command);
        result = std::move(value);
        result.erase("tag");
    } catch (...) {
        error = std::current_exception();  // a notification of a foreign form
    }
    finish(std::move(result), std::move(error));
}

void SendCommandExecutor::cancel(bool force) {
    if (port_.cancel(tag_) || !force) return;
    if (!port_.answers().forget(tag_)) return;
    finish(nullptr, std::make_exception_ptr(Error(ErrorKind::cancelled, ECANCELED, "taskd",
                                                  "[errno 125] cancelled; the command had been sent to " + target_ +
                                                      " and may still take effect")));
}

}  // namespace taskd
