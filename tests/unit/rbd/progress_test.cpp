#include "rbd/progress.hpp"

#include "support/operation_context.hpp"

#include <cerrno>
#include <vector>

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

using Reports = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST(Progress, LaysThePartsOneBehindTheOther) {
    test::FakeOperationContext context;
    Progress progress(context, 1000);

    progress.begin_part(200);
    Progress::callback(1, 2, &progress);
    progress.end_part();
    progress.begin_part(800);
    Progress::callback(1, 4, &progress);

    EXPECT_EQ(context.reports(), (Reports{{100, 1000}, {200, 1000}, {400, 1000}}));
}

TEST(Progress, NeverFalls) {
    test::FakeOperationContext context;
    Progress progress(context, 100);

    progress.begin_part(100);
    Progress::callback(50, 100, &progress);
    Progress::callback(20, 100, &progress);

    EXPECT_EQ(context.reports().back(), (Reports::value_type{50, 100}));
}

TEST(Progress, StaysWithinTheTotal) {
    test::FakeOperationContext context;
    Progress progress(context, 100);

    progress.begin_part(100);
    Progress::callback(500, 100, &progress);

    EXPECT_EQ(context.reports().back(), (Reports::value_type{100, 100}));
}

TEST(Progress, SurvivesATotalOfNothing) {
    test::FakeOperationContext context;
    Progress progress(context, 0);

    progress.begin_part(0);
    EXPECT_EQ(Progress::callback(0, 0, &progress), 0);
    progress.end_part();

    for (const auto& [done, total] : context.reports()) EXPECT_GT(total, 0u);
}

TEST(Progress, TellsLibrbdToStop) {
    test::FakeOperationContext context;
    Progress progress(context, 100);

    progress.begin_part(100);
    EXPECT_EQ(Progress::callback(1, 100, &progress), 0);
    context.stop();

    EXPECT_EQ(Progress::callback(2, 100, &progress), -ECANCELED);
}

}  // namespace
}  // namespace taskd::rbd
