#include "core/finished_tasks.hpp"

#include <algorithm>
#include <utility>

namespace taskd {

void FinishedTasks::insert(Tasks::const_iterator place, std::shared_ptr<Task> task) {
    const auto number = first_ + static_cast<std::uint64_t>(place - tasks_.cbegin());
    tasks_.insert(place, std::move(task));
    kept_.resize((first_ + tasks_.size() - 1) / piece_size - first_piece() + 1);
    forget_from(number);
}

void FinishedTasks::forget_from(std::uint64_t number) {
    for (auto piece = number / piece_size - first_piece(); piece < kept_.size(); ++piece)
        kept_[piece] = {nullptr, ++last_version_};
}

std::shared_ptr<Task> FinishedTasks::take_oldest() {
    auto oldest = std::move(tasks_.front());
    tasks_.pop_front();
    kept_.front() = {nullptr, ++last_version_};
    if (++first_ % piece_size == 0 || tasks_.empty()) kept_.pop_front();
    return oldest;
}

FinishedTasks::Tasks FinishedTasks::take_all() {
    first_ += tasks_.size();
    kept_.clear();
    return std::exchange(tasks_, {});
}

std::vector<FinishedTasks::Piece> FinishedTasks::pieces() const {
    std::vector<Piece> pieces;
    pieces.reserve(kept_.size());
    auto end = tasks_.size();
    for (auto index = kept_.size(); index-- > 0;) {
        const auto number = first_piece() + index;
        const auto begin = static_cast<std::size_t>(std::max(number * piece_size, first_) - first_);
        Piece piece{kept_[index].text, {}, number, kept_[index].version};
        if (!piece.text)
            piece.tasks.assign(tasks_.crend() - static_cast<std::ptrdiff_t>(end),
                               tasks_.crend() - static_cast<std::ptrdiff_t>(begin));
        pieces.push_back(std::move(piece));
        end = begin;
    }
    return pieces;
}

void FinishedTasks::keep(const std::vector<Piece>& pieces) {
    for (const auto& piece : pieces) {
        if (!piece.text || piece.number < first_piece()) continue;
        const auto index = piece.number - first_piece();
        if (index < kept_.size() && kept_[index].version == piece.version) kept_[index].text = piece.text;
    }
}

}  // namespace taskd
