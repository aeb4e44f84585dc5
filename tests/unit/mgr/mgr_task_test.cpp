#include "mgr/mgr_task.hpp"

#include <gtest/gtest.h>

namespace taskd::mgr {
namespace {

using namespace std::chrono_literals;

MgrTask task(std::chrono::seconds begin, std::optional<std::chrono::seconds> end = {}) {
    MgrTask made{.name = "t" + std::to_string(begin.count()),
                 .metadata = nlohmann::json::object(),
                 .begin_time = WallTime(begin)};
    if (end) made.end = MgrTask::End{.time = WallTime(*end)};
    return made;
}

std::string names(const std::vector<std::shared_ptr<const ListedMgrTask>>& entries) {
    std::string all;
    for (const auto& entry : entries) all += entry->task.name + " ";
    return all;
}

TEST(MgrTaskList, IsNewestFirst) {
    const auto list = listed({task(1s), task(3s), task(2s), task(4s, 9s), task(5s, 8s)});

    EXPECT_EQ(names(list.executing), "t3 t2 t1 ");
    EXPECT_EQ(names(list.finished), "t4 t5 ");
}

TEST(MgrTaskList, IsMergedInOneOrder) {
    const auto list = merged(listed({task(1s), task(3s), task(4s, 9s)}), listed({task(2s), task(5s, 8s)}));

    EXPECT_EQ(names(list.executing), "t3 t2 t1 ");
    EXPECT_EQ(names(list.finished), "t4 t5 ");
}

TEST(MgrTaskList, KeepsOnlyTheNewestOfTooMany) {
    std::vector<MgrTask> many;
    for (std::size_t n = 0; n < MgrTaskList::most + 5; ++n) many.push_back(task(std::chrono::seconds(n)));

    const auto list = listed(many);

    EXPECT_EQ(list.executing.size(), MgrTaskList::most);
    EXPECT_EQ(list.executing.back()->task.name, "t5");
}

TEST(MgrTaskList, HasTextForEveryName) {
    auto odd = task(1s);
    odd.name = "\xff";
    EXPECT_EQ(nlohmann::json::parse(listed({odd}).executing.at(0)->text)["name"], "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace taskd::mgr
