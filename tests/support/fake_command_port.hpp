#pragma once

#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include <taskd/error.hpp>
#include <taskd/send_command_executor.hpp>

namespace taskd::test {

/// Keeps the commands it is given; the test answers them when it wants, in the words it wants.
/// @thread  Any.
class FakeCommandPort final : public CommandPort {
  public:
    explicit FakeCommandPort(NotificationQueue& notifications) : answers_(notifications) {}

    void send(Request request) override {
        if (refuse_with) std::rethrow_exception(refuse_with);
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
    }
    bool cancel(const std::string& tag) override {
        if (!queued) return false;
        const auto cancelled =
            std::make_exception_ptr(Error(ErrorKind::cancelled, ECANCELED, "mon", "[errno 125] cancelled"));
        answer({{"tag", tag}, {"error", error_to_json(cancelled)}});
        return true;
    }
    CommandAnswers& answers() noexcept override { return answers_; }

    void answer(nlohmann::json value) { answers_.post(std::move(value)); }
    std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

    std::exception_ptr refuse_with;  ///< `send` throws it.
    bool queued = false;             ///< Whether commands wait, so that `cancel` can take them back.

  private:
    CommandAnswers answers_;
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
};

/// An answer of a daemon that did as it was told.
inline nlohmann::json good_answer(const std::string& tag, nlohmann::json output = "") {
    return {{"tag", tag}, {"return_code", 0}, {"status", ""}, {"output", std::move(output)}, {"output_format", "text"}};
}

}  // namespace taskd::test
