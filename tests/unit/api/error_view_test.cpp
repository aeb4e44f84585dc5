#include "api/error_view.hpp"

#include "support/manual_executor.hpp"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;

template <class Exception>
std::exception_ptr thrown(Exception exception) {
    return std::make_exception_ptr(std::move(exception));
}

template <class Exception>
json body_of(Exception exception) {
    return json::parse(failure_response(thrown(std::move(exception))).body.view());
}

const Error exists(ErrorKind::refused, EEXIST, "rbd", "[errno 17] RBD image already exists (error creating image)");

TEST(ErrorView, EachKindHasItsStatus) {
    EXPECT_EQ(http_status(ErrorKind::refused), 400);
    EXPECT_EQ(http_status(ErrorKind::bad_request), 400);
    EXPECT_EQ(http_status(ErrorKind::cancelled), 400);
    EXPECT_EQ(http_status(ErrorKind::not_found), 404);
    EXPECT_EQ(http_status(ErrorKind::conflict), 409);
    EXPECT_EQ(http_status(ErrorKind::unavailable), 503);
    EXPECT_EQ(http_status(ErrorKind::internal), 500);
}

TEST(ErrorView, ARefusalIsDetailCodeAndComponent) {
    const auto response = failure_response(thrown(exists));

    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(json::parse(response.body.view()),
              json({{"detail", exists.what()}, {"code", "17"}, {"component", "rbd"}}));
}

TEST(ErrorView, WithoutErrnoThereIsNoCode) {
    EXPECT_EQ(body_of(Error(ErrorKind::internal, 0, "taskd", "the worker died")),
              json({{"detail", "the worker died"}, {"component", "taskd"}}));
}

TEST(ErrorView, WithoutComponentItIsNull) {
    EXPECT_EQ(body_of(Error(ErrorKind::refused, 5, "", "x"))["component"], nullptr);
}

TEST(ErrorView, AMistakeNamesItsField) {
    const auto body = body_of(BadRequest("size", "expected a number"));

    EXPECT_EQ(body["detail"], "size: expected a number");
}

TEST(ErrorView, WhatAnErrorCarriesIsPartOfItsBody) {
    const auto body = body_of(Error(ErrorKind::refused, EBUSY, "rbd", "busy", {{"blockers", {{"snapshots", 2}}}}));

    EXPECT_EQ(body, json({{"detail", "busy"}, {"code", "16"}, {"component", "rbd"}, {"blockers", {{"snapshots", 2}}}}));
}

TEST(ErrorView, WhatAnErrorCarriesNeverReplacesTheFieldsThatClientsRead) {
    const auto body = body_of(Error(ErrorKind::refused, EBUSY, "rbd", "busy", {{"detail", "other"}, {"code", 1}}));

    EXPECT_EQ(body, json({{"detail", "busy"}, {"code", "16"}, {"component", "rbd"}}));
}

TEST(ErrorView, AMissingImageIsWordedAsTheDashboardWordsIt) {
    EXPECT_EQ(body_of(Error(ErrorKind::not_found, ENOENT, "rbd", "[errno 2] RBD image not found")),
              json({{"detail", "(404, 'Image not found')"}, {"code", 404}, {"component", nullptr}}));
}

TEST(ErrorView, AnythingElseThatIsMissingSaysWhat) {
    EXPECT_EQ(body_of(Error(ErrorKind::not_found, ENOENT, "taskd", "no task X")),
              json({{"detail", "no task X"}, {"code", "2"}, {"component", "taskd"}}));
}

TEST(ErrorView, AnUnknownExceptionIsAFaultOfOurs) {
    const auto response = failure_response(thrown(std::runtime_error("by chance")));

    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(json::parse(response.body.view()), json({{"detail", "by chance"}, {"component", nullptr}}));
}

TEST(ErrorView, TextThatIsNotUtf8IsMadeValid) {
    EXPECT_NO_THROW(body_of(Error(ErrorKind::refused, 5, "rbd", "image \xff")));
    EXPECT_NO_THROW(body_of(std::runtime_error("image \xff")));
    EXPECT_NO_THROW(body_of(Error(ErrorKind::refused, 5, "rbd", "x", {{"name", "\xff"}})));
}

TEST(ErrorView, WhoIsRefusedForWantOfRoomIsToldWhenToComeAgain) {
    const auto response = failure_response(thrown(QueueFull("task queue", 10)));

    EXPECT_EQ(response.status, 503);
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0].first, "Retry-After");
}

TEST(ErrorView, OfATaskHasStatusAndTask) {
    TaskManager tasks({.sweep_interval = {}});
    const auto task = test::run_manual(tasks, "rbd/create", {{"image_name", "x"}}).task;

    EXPECT_EQ(task_failure_view(thrown(exists), *task),
              json({{"detail", exists.what()},
                    {"code", "17"},
                    {"component", "rbd"},
                    {"status", 400},
                    {"task", {{"name", "rbd/create"}, {"metadata", {{"image_name", "x"}}}}}}));
}

TEST(ErrorView, OfATaskWhoseImageIsMissingIsA404) {
    TaskManager tasks({.sweep_interval = {}});
    const auto task = test::run_manual(tasks, "rbd/delete", {{"image_spec", "rbd/x"}}).task;
    const auto view = task_failure_view(thrown(Error(ErrorKind::not_found, ENOENT, "rbd", "gone")), *task);

    EXPECT_EQ(view["status"], 404);
    EXPECT_EQ(view["code"], 404);
    EXPECT_EQ(view["detail"], "(404, 'Image not found')");
}

}  // namespace
}  // namespace taskd::api
