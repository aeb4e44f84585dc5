#pragma once

#include "worker/dispatcher.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <taskd/error.hpp>

namespace taskd::test {

/// Workers that do nothing by themselves: the test sees what they are given and says what they report. They are
/// numbered from 0 in the order in which they were started.
/// @thread  Any. Must outlive the dispatcher that has its factory.
class FakeCrew {
  public:
    using Role = worker::Dispatcher::Role;
    struct Given {
        std::size_t worker;
        worker::WorkOrder order;
    };

    /// How the next workers are.
    std::atomic<bool> ready_at_once = true;
    std::atomic<bool> can_be_killed = true;
    /// Called before each is started; may throw in its place.
    std::function<void()> before_start = [] {};
    /// Called with each order, on the dispatcher's thread: what the workers do by themselves. Set before the first.
    std::function<void(const Given& given)> on_order = [](const Given&) {};

    worker::Dispatcher::WorkerFactory factory() {
        return [this](Role role, boost::asio::io_context& context, worker::WorkerEvents& events) {
            before_start();
            return std::make_unique<Member>(*this, role, context, events);
        };
    }

    // What it reports.
    void ready(std::size_t worker) {
        tell(worker, [](Member& member) { member.events.handle_ready(member); });
    }
    void progress(const Given& given, int percent) {
        tell(given.worker,
             [id = given.order.id, percent](Member& member) { member.events.handle_progress(member, id, percent); });
    }
    void succeed(const Given& given, nlohmann::json value = nullptr) { report(given, std::move(value), nullptr); }
    void fail(const Given& given, const Error& error) {
        report(given, nullptr, error_to_json(std::make_exception_ptr(error)));
    }
    void report(const Given& given, nlohmann::json value, nlohmann::json error) {
        tell(given.worker, [id = given.order.id, value = std::move(value), error = std::move(error)](Member& member) {
            member.events.handle_result(member, id, value, error);
        });
    }
    void die(std::size_t worker, const std::string& reason = "was killed by signal 6 (Aborted): assert x") {
        tell(worker, [reason](Member& member) { member.end(reason); });
    }

    // What it was told.
    /// The order for this attempt of the job; returns when it was given to one.
    Given wait_for_order(const std::string& id, int attempt = 1) const {
        Given found;
        wait([&] {
            for (const auto& given : orders_)
                if (given.order.id == id && given.order.attempt == attempt) {
                    found = given;
                    return true;
                }
            return false;
        });
        return found;
    }
    std::vector<Given> wait_for_orders(std::size_t count) const {
        std::vector<Given> given;
        wait([&] {
            given = orders_;
            return orders_.size() >= count;
        });
        return given;
    }
    std::vector<Given> orders() const { return wait_for_orders(0); }
    void wait_for_cancel(const std::string& id) const {
        wait([&] { return std::find(cancels_.begin(), cancels_.end(), id) != cancels_.end(); });
    }
    std::vector<std::string> cancels() const {
        const std::lock_guard lock(mutex_);
        return cancels_;
    }
    std::vector<Role> wait_for_workers(std::size_t count) const {
        std::vector<Role> roles;
        wait([&] {
            roles = started_;
            return started_.size() >= count;
        });
        return roles;
    }
    std::vector<Role> workers() const { return wait_for_workers(0); }
    /// Numbers of those that were killed, in order.
    std::vector<std::size_t> wait_for_kills(std::size_t count) const {
        std::vector<std::size_t> numbers;
        wait([&] {
            numbers = kills_;
            return kills_.size() >= count;
        });
        return numbers;
    }
    std::vector<std::size_t> kills() const { return wait_for_kills(0); }

  private:
    class Member;

    /// How a report reaches a worker's thread, if the worker is still there then. Null context: it is no more.
    struct Door {
        Member* member = nullptr;
        boost::asio::io_context* context = nullptr;
    };

    class Member final : public worker::Worker {
      public:
        Member(FakeCrew& crew, Role role, boost::asio::io_context& context, worker::WorkerEvents& told)
            : events(told), crew_(crew), context_(context) {
            const std::lock_guard lock(crew.mutex_);
            number_ = crew.doors_.size();
            can_be_killed_ = crew.can_be_killed;
            crew.doors_.push_back({this, &context});
            crew.started_.push_back(role);
            crew.changed_.notify_all();
            if (crew.ready_at_once) post([](Member& self) { self.events.handle_ready(self); });
        }
        ~Member() override {
            const std::lock_guard lock(crew_.mutex_);
            crew_.doors_[number_] = {};
        }

        void run(const worker::WorkOrder& order) override {
            crew_.note([&] { crew_.orders_.push_back({number_, order}); });
            crew_.on_order({number_, order});
        }
        void cancel(const std::string& id) override {
            crew_.note([&] { crew_.cancels_.push_back(id); });
        }
        bool kill() override {
            if (!can_be_killed_) return false;
            crew_.note([&] { crew_.kills_.push_back(number_); });
            post([](Member& self) { self.end("was killed by signal 9 (Killed)"); });
            return true;
        }
        std::string description() const override { return "worker " + std::to_string(number_); }
        std::string cluster_addresses() const override { return "10.0.0.1:0/" + std::to_string(number_); }

        /// The last call: the dispatcher destroys this.
        void end(const std::string& reason) { events.handle_end(*this, reason); }

        worker::WorkerEvents& events;

      private:
        void post(std::function<void(Member&)> report) {
            boost::asio::post(context_, [&crew = crew_, number = number_, report = std::move(report)] {
                crew.deliver(number, report);
            });
        }

        FakeCrew& crew_;
        boost::asio::io_context& context_;
        std::size_t number_ = 0;
        bool can_be_killed_ = true;
    };

    template <class Change>
    void note(Change change) {
        const std::lock_guard lock(mutex_);
        change();
        changed_.notify_all();
    }

    template <class Condition>
    void wait(Condition condition) const {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, condition);
    }

    void tell(std::size_t worker, std::function<void(Member&)> report) {
        const std::lock_guard lock(mutex_);
        if (boost::asio::io_context* const context = doors_.at(worker).context)
            boost::asio::post(*context, [this, worker, report = std::move(report)] { deliver(worker, report); });
    }

    /// On the dispatcher's thread, which is also the only one that destroys a worker.
    void deliver(std::size_t worker, const std::function<void(Member&)>& report) {
        Member* member = nullptr;
        {
            const std::lock_guard lock(mutex_);
            member = doors_[worker].member;
        }
        if (member != nullptr) report(*member);
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<Door> doors_;
    std::vector<Role> started_;
    std::vector<Given> orders_;
    std::vector<std::string> cancels_;
    std::vector<std::size_t> kills_;
};

}  // namespace taskd::test
