#include "cli/outcome.hpp"

#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

TEST(Outcome, ExitCodesAreTheDocumentedOnes) {
    EXPECT_EQ(exit_code(Outcome::succeeded), 0);
    EXPECT_EQ(exit_code(Outcome::failed), 1);
    EXPECT_EQ(exit_code(Outcome::refused), 2);
    EXPECT_EQ(exit_code(Outcome::timed_out), 3);
    EXPECT_EQ(exit_code(Outcome::unreachable), 4);
}

TEST(Outcome, TheWorstOfSeveralDecides) {
    EXPECT_EQ(worst({}), Outcome::succeeded);
    EXPECT_EQ(worst({Outcome::succeeded, Outcome::timed_out}), Outcome::timed_out);
    EXPECT_EQ(worst({Outcome::timed_out, Outcome::failed, Outcome::refused}), Outcome::failed);
    EXPECT_EQ(worst({Outcome::failed, Outcome::unreachable}), Outcome::unreachable);
}

TEST(Outcome, AFailedTaskIsNeverABadRequest) {
    EXPECT_EQ(outcome_of_failure(400, true), Outcome::failed);
    EXPECT_EQ(outcome_of_failure(404, true), Outcome::failed);
    EXPECT_EQ(outcome_of_failure(503, true), Outcome::failed);
}

TEST(Outcome, WithoutATaskTheStatusDecides) {
    EXPECT_EQ(outcome_of_failure(400, false), Outcome::refused);
    EXPECT_EQ(outcome_of_failure(401, false), Outcome::refused);
    EXPECT_EQ(outcome_of_failure(404, false), Outcome::failed);
    EXPECT_EQ(outcome_of_failure(409, false), Outcome::failed);
    EXPECT_EQ(outcome_of_failure(500, false), Outcome::failed);
    EXPECT_EQ(outcome_of_failure(503, false), Outcome::unreachable);
}

TEST(Outcome, DetailIsOneLineWhateverTheBodyIs) {
    EXPECT_EQ(detail_of({.status = 400, .body = R"({"detail":"no\nway"})"}), "no?way");
    EXPECT_EQ(detail_of({.status = 502, .body = "<html>"}), "the daemon answered with HTTP status 502");
    EXPECT_EQ(detail_of({.status = 500, .body = "{}"}), "the daemon answered with HTTP status 500 and no reason");
    EXPECT_EQ(detail_of({.status = 500, .body = R"({"detail":5})"}),
              "the daemon answered with HTTP status 500 and no reason");
}

}  // namespace
}  // namespace taskd::cli
