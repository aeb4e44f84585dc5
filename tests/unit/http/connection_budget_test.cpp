#include "http/connection_budget.hpp"

#include <list>

#include <gtest/gtest.h>

namespace taskd::http {
namespace {

using Verdict = ConnectionBudget::Verdict;

TEST(ConnectionBudget, RefusesBeyondTheTotalAndServesAgainAfterwards) {
    ConnectionBudget budget(2, 0);
    std::list<ConnectionBudget::Slot> slots;
    slots.push_back(budget.take("a"));
    slots.push_back(budget.take("b"));

    EXPECT_EQ(budget.take("c").verdict(), Verdict::refuse);
    EXPECT_EQ(budget.served(), 2);

    slots.pop_front();
    EXPECT_EQ(budget.take("c").verdict(), Verdict::serve);
}

TEST(ConnectionBudget, CountsEachAddressByItself) {
    ConnectionBudget budget(10, 1);
    const auto first = budget.take("a");

    EXPECT_EQ(budget.take("a").verdict(), Verdict::refuse);
    EXPECT_EQ(budget.take("b").verdict(), Verdict::serve);
}

TEST(ConnectionBudget, HasNoLimitForClientsWithoutAddress) {
    ConnectionBudget budget(10, 1);
    const auto first = budget.take("");

    EXPECT_EQ(budget.take("").verdict(), Verdict::serve);
}

TEST(ConnectionBudget, GivesAMovedSlotBackOnce) {
    ConnectionBudget budget(10, 10);
    {
        auto slot = budget.take("a");
        const auto moved = std::move(slot);
        EXPECT_EQ(budget.served(), 1);
    }

    EXPECT_EQ(budget.served(), 0);
}

TEST(ConnectionBudget, DropsWhenItRefusesTooMany) {
    ConnectionBudget budget(0, 0);
    std::list<ConnectionBudget::Slot> refused;

    while (refused.size() < 1000) {
        auto slot = budget.take("a");
        if (slot.verdict() == Verdict::drop) break;
        refused.push_back(std::move(slot));
    }
    EXPECT_LT(refused.size(), 1000);

    refused.clear();
    EXPECT_EQ(budget.take("a").verdict(), Verdict::refuse);
}

}  // namespace
}  // namespace taskd::http
