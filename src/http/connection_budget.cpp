#include "http/connection_budget.hpp"

#include <utility>

namespace taskd::http {

namespace {

constexpr std::size_t max_refusing = 64;

}  // namespace

ConnectionBudget::Slot::Slot(ConnectionBudget* budget, Verdict verdict, std::string address)
    : budget_(budget), verdict_(verdict), address_(std::move(address)) {}

ConnectionBudget::Slot::Slot(Slot&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), verdict_(other.verdict_), address_(std::move(other.address_)) {}

ConnectionBudget::Slot::~Slot() {
    if (budget_) budget_->give_back(verdict_, address_);
}

ConnectionBudget::ConnectionBudget(std::size_t total, std::size_t per_address)
    : total_(total), per_address_(per_address) {}

ConnectionBudget::Slot ConnectionBudget::take(std::string_view address) {
    const MutexLock lock(mutex_);
    const bool counts_address = per_address_ > 0 && !address.empty();
    const auto found = counts_address ? by_address_.find(address) : by_address_.end();
    const bool address_is_full = found != by_address_.end() && found->second >= per_address_;
    if (served_ < total_ && !address_is_full) {
        ++served_;
        if (found != by_address_.end())
            ++found->second;
        else if (counts_address)
            by_address_.emplace(address, 1);
        return {this, Verdict::serve, counts_address ? std::string(address) : std::string()};
    }
    if (refusing_ >= max_refusing) return {nullptr, Verdict::drop, {}};
    ++refusing_;
    return {this, Verdict::refuse, {}};
}

void ConnectionBudget::give_back(Verdict verdict, const std::string& address) {
    const MutexLock lock(mutex_);
    if (verdict == Verdict::refuse) {
        --refusing_;
        return;
    }
    --served_;
    const auto found = by_address_.find(address);
    if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

std::size_t ConnectionBudget::served() const {
    const MutexLock lock(mutex_);
    return served_;
}

}  // namespace taskd::http
