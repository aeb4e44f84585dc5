#pragma once

#include <atomic>
#include <cstddef>

namespace taskd::http {

/// Bytes of memory that many share, so that all together cannot take more, whatever each may take alone.
/// @thread  Any. Must outlive its shares.
class ByteBudget {
  public:
    /// What one of them holds. Not thread-safe.
    class Share {
      public:
        explicit Share(ByteBudget& budget) noexcept : budget_(budget) {}
        ~Share() { give_back(); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        /// Holds that many bytes, if it does not already. @returns  Whether there are so many left.
        bool hold(std::size_t bytes) noexcept {
            if (bytes <= held_) return true;
            const auto more = bytes - held_;
            if (budget_.taken_.fetch_add(more, std::memory_order_relaxed) + more > budget_.total_) {
                budget_.taken_.fetch_sub(more, std::memory_order_relaxed);
                return false;
            }
            held_ = bytes;
            return true;
        }
        void give_back() noexcept {
            if (held_ > 0) budget_.taken_.fetch_sub(held_, std::memory_order_relaxed);
            held_ = 0;
        }

      private:
        ByteBudget& budget_;
        std::size_t held_ = 0;
    };

    explicit ByteBudget(std::size_t total) noexcept : total_(total) {}
    std::size_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

  private:
    const std::size_t total_;
    std::atomic<std::size_t> taken_ = 0;
};

}  // namespace taskd::http
