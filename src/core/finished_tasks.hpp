#pragma once

#include "core/finished_text.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <taskd/task.hpp>

namespace taskd {

/// The finished tasks in the order of their end, and their listed text in pieces: of a long list only those pieces are
/// put together again in which a task came or went.
/// @thread  One at a time: the registry's, under its lock.
class FinishedTasks {
  public:
    using Tasks = std::deque<std::shared_ptr<Task>>;

    const Tasks& tasks() const noexcept { return tasks_; }
    std::size_t size() const noexcept { return tasks_.size(); }

    void insert(Tasks::const_iterator place, std::shared_ptr<Task> task);
    std::shared_ptr<Task> take_oldest();
    Tasks take_all();

    /// Some tasks that stand side by side.
    struct Piece {
        std::shared_ptr<const FinishedText> text;  ///< Null: not kept.
        std::vector<std::shared_ptr<Task>> tasks;  ///< Newest first; none when there is the text.
        std::uint64_t number = 0;
        std::uint64_t version = 0;
    };
    /// All of them, the newest first.
    std::vector<Piece> pieces() const;
    /// Keeps the texts that were made of such pieces, as far as these are still as they were.
    void keep(const std::vector<Piece>& pieces);

  private:
    static constexpr std::uint64_t piece_size = 32;
    struct Kept {
        std::shared_ptr<const FinishedText> text;
        std::uint64_t version = 0;
    };

    std::uint64_t first_piece() const noexcept { return first_ / piece_size; }
    /// What is from that task on, which need not be there yet, is no longer as it was.
    void forget_from(std::uint64_t number);

    Tasks tasks_;
    std::uint64_t first_ = 0;  ///< The number of the oldest one: they are counted from the beginning.
    std::deque<Kept> kept_;    ///< By pieces, from that of the oldest task on.
    std::uint64_t last_version_ = 0;
};

}  // namespace taskd
