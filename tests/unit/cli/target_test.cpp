#include "cli/target.hpp"

#include "http/uri.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

TEST(PathParameter, EncodesASpecIntoOneSegment) {
    EXPECT_EQ(path_parameter("rbd/vm-1"), "rbd%2Fvm-1");
    EXPECT_EQ(path_parameter("rbd/ns/a b@c?d#e"), "rbd%2Fns%2Fa%20b%40c%3Fd%23e");
    EXPECT_EQ(path_parameter("rbd/ü"), "rbd%2F%C3%BC");
}

TEST(PathParameter, IsWhatTheDaemonDecodes) {
    for (const char* name : {"rbd/vm-1", "rbd/a b", "rbd/a+b", "rbd/a%b", "rbd/a%41", "rbd/100%", "rbd/%2525",
                             "rbd/x@y", "rbd/日本", "rbd/?#[]", "rbd/..", "a"}) {
        EXPECT_EQ(http::decode_path_parameter(path_parameter(name)), name);
    }
}

TEST(ImageSpec, SplitsPoolNamespaceImage) {
    EXPECT_EQ(image_spec("vm", "", "", ""), (ImageSpec{.pool = "rbd", .name_space = "", .image = "vm"}));
    EXPECT_EQ(image_spec("p/vm", "", "", ""), (ImageSpec{.pool = "p", .name_space = "", .image = "vm"}));
    EXPECT_EQ(image_spec("p/n/vm", "", "", ""), (ImageSpec{.pool = "p", .name_space = "n", .image = "vm"}));
}

TEST(ImageSpec, OptionsFillInWhatTheSpecLeavesOpen) {
    EXPECT_EQ(image_spec("vm", "p", "n", "").text(), "p/n/vm");
    EXPECT_EQ(image_spec("", "p", "", "vm").text(), "p/vm");
    EXPECT_EQ(image_spec("p/vm", "p", "n", "vm").text(), "p/n/vm");
}

TEST(ImageSpec, RefusesWhatRbdRefuses) {
    for (const char* spec : {"", "/", "a/", "/a", "a//b", "a/b/c/d"}) {
        EXPECT_THROW(image_spec(spec, "", "", ""), BadRequest) << spec;
    }
}

TEST(ImageSpec, RefusesContradictions) {
    EXPECT_THROW(image_spec("p/vm", "q", "", ""), BadRequest);
    EXPECT_THROW(image_spec("p/n/vm", "", "m", ""), BadRequest);
    EXPECT_THROW(image_spec("vm", "", "", "other"), BadRequest);
    EXPECT_THROW(image_spec("", "p", "", "a/b"), BadRequest);
}

TEST(TaskId, IsTwentySixCapitalsAndDigits) {
    EXPECT_TRUE(looks_like_task_id("01HF7YAT31QF4KX9CNPSR1K2VW"));
    EXPECT_FALSE(looks_like_task_id("01HF7YAT31QF4KX9CNPSR1K2V"));
    EXPECT_FALSE(looks_like_task_id("01hf7yat31qf4kx9cnpsr1k2vw"));
    EXPECT_FALSE(looks_like_task_id("rbd/create"));
}

TEST(TaskSubject, KnowsTheDashboardsMetadata) {
    EXPECT_EQ(task_subject(json{{"image_spec", "rbd/vm"}}), "rbd/vm");
    EXPECT_EQ(task_subject(json{{"image_spec", "rbd/vm"}, {"snapshot_name", "s"}}), "rbd/vm@s");
    EXPECT_EQ(task_subject(json{{"pool_name", "rbd"}, {"namespace", nullptr}, {"image_name", "vm"}}), "rbd/vm");
    EXPECT_EQ(task_subject(json{{"pool_name", "rbd"}, {"namespace", "n"}, {"image_name", "vm"}}), "rbd/n/vm");
}

TEST(TaskSubject, ShowsAnythingElseAsItIs) {
    EXPECT_EQ(task_subject(json{{"prefix", "osd pool ls"}}), "osd pool ls");
    EXPECT_EQ(task_subject(json{{"target", "mon"}, {"command", {{"prefix", "df"}}}}), "df");
    EXPECT_EQ(task_subject(json{{"pool", "a"}, {"size", 3}, {"empty", ""}, {"none", nullptr}}), "pool=a size=3");
    EXPECT_EQ(task_subject(nullptr), "");
    EXPECT_EQ(task_subject(json::array({1, 2})), "[1,2]");
}

}  // namespace
}  // namespace taskd::cli
