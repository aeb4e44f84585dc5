#include "ceph/command_plan_executor.hpp"

#include "ceph/command.hpp"
#include "ceph/command_answer.hpp"

#include <cerrno>
#include <utility>

#include <taskd/error.hpp>
#include <taskd/task.hpp>

namespace taskd::ceph {
namespace {

constexpr const char* monitors = "mon";

std::exception_ptr cancelled(const char* outcome) {
    return std::make_exception_ptr(
        Error(ErrorKind::cancelled, ECANCELED, "taskd", std::string("[errno 125] cancelled; ") + outcome));
}

}  // namespace

CommandPlanExecutor::CommandPlanExecutor(CommandPort& port, CommandPlan plan)
    : port_(port), tag_(unique_command_tag()), plan_(std::move(plan)) {}

void CommandPlanExecutor::start() {
    run_function();
    send_next(nullptr);
}

void CommandPlanExecutor::send_next(const nlohmann::json& last_answer) {
    if (sent_ == plan_.commands.size() && plan_.then) {
        for (auto& command : std::exchange(plan_.then, {})(last_answer)) plan_.commands.push_back(std::move(command));
    }
    if (sent_ == plan_.commands.size()) return finish(nullptr);
    const nlohmann::json command = plan_.commands[sent_];
    const std::string tag = tag_ + "." + std::to_string(sent_++);
    {
        const MutexLock lock(mutex_);
        if (cancelled_) throw Error(ErrorKind::cancelled, ECANCELED, "taskd", "[errno 125] cancelled");
        awaited_ = tag;
    }
    // The task owns this executor, and the handler the task: until the answer, `forget` or a failed send.
    port_.answers().expect(
        tag, [this, keep_alive = task(), command](nlohmann::json value) { handle(std::move(value), command); });
    try {
        port_.send({tag, monitors, command, {}});
    } catch (...) {
        if (port_.answers().forget(tag)) throw;
    }
}

void CommandPlanExecutor::handle(nlohmann::json value, const nlohmann::json& command) {
    try {
        if (const auto error = failure_of_answer(value, monitors, command)) std::rethrow_exception(error);
        done_.push_back(prefix_of(command));
        task()->set_progress(static_cast<int>(100 * done_.size() / (plan_.commands.size() + (plan_.then ? 1 : 0))));
        send_next(value);
    } catch (...) {
        fail(std::current_exception());
    }
}

void CommandPlanExecutor::fail(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const Error& known) {
        nlohmann::json extra = known.extra().is_object() ? known.extra() : nlohmann::json::object();
        extra["done"] = done_;
        finish(nullptr, std::make_exception_ptr(Error(known.kind(), known.errno_value(), known.component(),
                                                      known.what(), std::move(extra))));
    } catch (...) {
        finish(nullptr, error);
    }
}

void CommandPlanExecutor::cancel(bool force) {
    std::string awaited;
    {
        const MutexLock lock(mutex_);
        cancelled_ = true;
        awaited = awaited_;
    }
    if (awaited.empty() || port_.cancel(awaited) || !force) return;
    if (port_.answers().forget(awaited))
        finish(nullptr, cancelled("the last command had been sent and may still take effect"));
}

}  // namespace taskd::ceph
