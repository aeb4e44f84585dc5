#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd {
namespace {

using nlohmann::json;

Error thrown_by(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const Error& known) {
        return known;
    }
}

TEST(ErrorKind, HasATextThatLeadsBackToIt) {
    for (const ErrorKind kind : {ErrorKind::refused, ErrorKind::not_found, ErrorKind::bad_request, ErrorKind::conflict,
                                 ErrorKind::unavailable, ErrorKind::cancelled, ErrorKind::internal})
        EXPECT_EQ(error_kind_from(to_string(kind)), kind) << to_string(kind);
}

TEST(ErrorKind, RefusesUnknownTexts) {
    EXPECT_THROW(error_kind_from("Refused"), std::invalid_argument);
    EXPECT_THROW(error_kind_from(""), std::invalid_argument);
}

TEST(Error, SaysTheWholeSentenceAndNothingElse) {
    const Error error(ErrorKind::refused, EEXIST, "rbd", "[errno 17] RBD image already exists (error creating image)");

    EXPECT_STREQ(error.what(), "[errno 17] RBD image already exists (error creating image)");
    EXPECT_EQ(error.errno_value(), EEXIST);
    EXPECT_EQ(error.code(), std::errc::file_exists);
}

TEST(BadRequest, NamesItsField) {
    const BadRequest error("size", "expected a positive integer");

    EXPECT_EQ(error.field(), "size");
    EXPECT_STREQ(error.what(), "size: expected a positive integer");
    EXPECT_EQ(error.kind(), ErrorKind::bad_request);
}

TEST(QueueFull, CanBeTriedAgain) {
    const QueueFull error("command queue", 3);

    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_THAT(error.what(), testing::HasSubstr("command queue is full (3 entries)"));
}

TEST(ErrorJson, BringsEverythingBack) {
    const Error error(ErrorKind::conflict, EBUSY, "rbd", "[errno 16] in use", {{"blockers", {"client.4123"}}});

    const json view = error_to_json(std::make_exception_ptr(error));
    const Error back = thrown_by(error_from_json(json::parse(view.dump())));

    EXPECT_EQ(back.kind(), error.kind());
    EXPECT_EQ(back.errno_value(), error.errno_value());
    EXPECT_EQ(back.component(), error.component());
    EXPECT_STREQ(back.what(), error.what());
    EXPECT_EQ(back.extra(), error.extra());
}

TEST(ErrorJson, HasExactlyItsKeys) {
    EXPECT_EQ(error_to_json(std::make_exception_ptr(Error(ErrorKind::refused, 2, "rados", "gone"))),
              (json{{"kind", "refused"}, {"code", 2}, {"component", "rados"}, {"detail", "gone"}}));
}

TEST(ErrorJson, TakesAnyException) {
    EXPECT_EQ(error_to_json(std::make_exception_ptr(std::runtime_error("boom"))).at("detail"), "boom");
    EXPECT_EQ(error_to_json(std::make_exception_ptr(5)).at("detail"), "unknown exception");
    EXPECT_EQ(error_to_json(std::make_exception_ptr(5)).at("kind"), "internal");
}

TEST(ErrorJson, IsValidUtf8WhateverTheErrorSays) {
    const Error error(ErrorKind::refused, 0, "r\xFF", "bad \x80 name", {{"k\xC3", "v\xFE"}});

    EXPECT_NO_THROW(error_to_json(std::make_exception_ptr(error)).dump());
}

TEST(ErrorJson, OfABadRequestComesBackAsItsKind) {
    const Error back = thrown_by(error_from_json(error_to_json(std::make_exception_ptr(BadRequest("size", "none")))));

    EXPECT_EQ(back.kind(), ErrorKind::bad_request);
    EXPECT_STREQ(back.what(), "size: none");
}

TEST(ErrorJson, RefusesWhatIsNoError) {
    const json good = {{"kind", "refused"}, {"code", 2}, {"component", "rados"}, {"detail", "gone"}};
    for (const char* key : {"kind", "code", "component", "detail"}) {
        json lacking = good;
        lacking.erase(key);
        EXPECT_THROW(error_from_json(lacking), BadRequest) << key;
        json wrong = good;
        wrong[key] = json::array();
        EXPECT_THROW(error_from_json(wrong), BadRequest) << key;
    }
    json unknown_kind = good;
    unknown_kind["kind"] = "odd";
    EXPECT_THROW(error_from_json(unknown_kind), BadRequest);
    EXPECT_THROW(error_from_json(nullptr), BadRequest);
    EXPECT_THROW(error_from_json("gone"), BadRequest);
}

TEST(ErrorText, IsNeverEmpty) {
    EXPECT_EQ(error_text(std::make_exception_ptr(std::runtime_error("boom"))), "boom");
    EXPECT_EQ(error_text(std::make_exception_ptr(std::runtime_error(""))), "exception without a text");
    EXPECT_EQ(error_text(std::make_exception_ptr(5)), "unknown exception");
}

TEST(ErrorText, IsValidUtf8) {
    EXPECT_EQ(error_text(std::make_exception_ptr(std::runtime_error("a\x80z"))), "a\xEF\xBF\xBDz");
}

}  // namespace
}  // namespace taskd
