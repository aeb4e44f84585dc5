#include "rbd/lister/mirroring_health.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace taskd::rbd {
namespace {

constexpr std::uint32_t disabled = 0;
constexpr std::uint32_t by_image = 1;

nlohmann::json daemon_with(const nlohmann::json& pool) {
    return {{"rbd-mirror", {{"4123", {{"status", {{"json", nlohmann::json{{"1", pool}}.dump()}}}}}}}};
}

TEST(MirroringHealth, PoolsThatAreNotMirroredAreFine) {
    EXPECT_EQ(judge_mirroring({{"rbd", disabled}}, {}), (MirroringHealth{0, 0}));
}

TEST(MirroringHealth, AMirroredPoolThatNoDaemonKnowsIsAnError) {
    EXPECT_EQ(judge_mirroring({{"rbd", by_image}}, {}), (MirroringHealth{0, 1}));
}

TEST(MirroringHealth, APoolWithALeaderIsFine) {
    EXPECT_EQ(judge_mirroring({{"rbd", by_image}}, daemon_with({{"name", "rbd"}, {"leader", true}})),
              (MirroringHealth{0, 0}));
}

TEST(MirroringHealth, APoolWithoutLeaderIsAWarning) {
    EXPECT_EQ(judge_mirroring({{"rbd", by_image}}, daemon_with({{"name", "rbd"}})), (MirroringHealth{1, 0}));
}

TEST(MirroringHealth, ErrorsOfImagesAndOfTheDaemonCountOnceEach) {
    const auto status = daemon_with({{"name", "rbd"},
                                     {"leader", true},
                                     {"image_error_count", 3},
                                     {"callouts", {{"1", {{"level", "error"}, {"text", "x"}}}}}});

    EXPECT_EQ(judge_mirroring({{"rbd", by_image}}, status), (MirroringHealth{0, 2}));
}

TEST(MirroringHealth, APoolThatDoesNotTellIsAWarning) {
    EXPECT_EQ(judge_mirroring({{"rbd", std::nullopt}}, {}), (MirroringHealth{1, 0}));
}

TEST(MirroringHealth, TakesNoHarmFromAnswersOfAnotherForm) {
    EXPECT_EQ(judge_mirroring({{"rbd", disabled}}, nlohmann::json::parse(R"({"rbd-mirror": [1]})")),
              (MirroringHealth{0, 0}));
    EXPECT_EQ(judge_mirroring({{"rbd", disabled}}, nlohmann::json::parse(R"({"rbd-mirror": {"a": {"status": 5}}})")),
              (MirroringHealth{0, 0}));
}

}  // namespace
}  // namespace taskd::rbd
