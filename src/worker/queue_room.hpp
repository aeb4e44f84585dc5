#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace taskd::worker {

/// Room for one job in the dispatcher's queue, kept from the request on: what is on its way into the journal counts
/// as what waits already. Given back when the job leaves the queue, or with this when it never came so far.
/// @thread  One at a time; may outlive the dispatcher.
class QueueRoom {
  public:
    QueueRoom() = default;
    /// @param taken  How much is taken in all, this included.
    explicit QueueRoom(std::shared_ptr<std::atomic<std::size_t>> taken) noexcept : taken_(std::move(taken)) {}
    QueueRoom(QueueRoom&&) noexcept = default;
    QueueRoom& operator=(QueueRoom&& other) noexcept {
        give_back();
        taken_ = std::move(other.taken_);
        return *this;
    }
    ~QueueRoom() { give_back(); }

    void give_back() noexcept {
        if (taken_) --*std::exchange(taken_, nullptr);
    }

  private:
    std::shared_ptr<std::atomic<std::size_t>> taken_;
};

}  // namespace taskd::worker
