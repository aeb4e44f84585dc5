#include "unit/rbd/bad_request.hpp"

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using test::refused_field;

/// What every create needs, and `more`.
json create_with(const json& more = json::object()) {
    json arguments = {{"name", "img"}, {"pool_name", "rbd"}, {"size", 1 << 20}};
    arguments.update(more);
    return arguments;
}

json decoded_create(const json& more = json::object()) {
    return create_operation.decode(create_with(more), Limits{});
}

TEST(CreateArguments, NeedNamePoolAndSize) {
    for (const auto* field : {"name", "pool_name", "size"}) {
        json without = create_with();
        without.erase(field);
        EXPECT_EQ(refused_field(create_operation, without), field);
        EXPECT_EQ(refused_field(create_operation, create_with({{field, nullptr}})), field);
    }
}

TEST(CreateArguments, RefuseWhatIsNoObject) {
    for (const auto& body : {json(nullptr), json::array(), json("text"), json(5)})
        EXPECT_EQ(refused_field(create_operation, body), "body");
}

TEST(CreateArguments, NameAnUnknownField) {
    EXPECT_EQ(refused_field(create_operation, create_with({{"unknown", 1}})), "unknown");
}

TEST(CreateArguments, NameTheFieldOfABadValue) {
    const json bad = json::parse(R"([
        {"size": "abc"}, {"size": -1}, {"size": "-1"}, {"size": 18446744073709551615}, {"size": 18446744073709551616},
        {"size": 1e300}, {"size": -1.5}, {"size": "10G"}, {"size": ""}, {"size": "1.5"}, {"size": true}, {"size": []},
        {"size": {}}, {"size": "99999999999999999999"}, {"size": 1125899906842625},
        {"name": ""}, {"name": "d/x"}, {"name": "d@x"}, {"name": "a\nb"}, {"name": 5}, {"name": {"a": 1}}, {"name": true},
        {"pool_name": ["rbd"]}, {"pool_name": 5}, {"pool_name": "a\u0000b"},
        {"namespace": 5}, {"namespace": "a/b"}, {"namespace": []},
        {"obj_size": "4194304"}, {"obj_size": -1}, {"obj_size": []}, {"obj_size": true},
        {"features": 5}, {"features": ["nonsense"]}, {"features": "layering,nonsense"}, {"features": [5]},
        {"features": {"layering": true}},
        {"stripe_unit": "65536"}, {"stripe_unit": -1}, {"stripe_count": []}, {"stripe_count": -5},
        {"data_pool": 5}, {"data_pool": ["x"]},
        {"configuration": []}, {"configuration": "rbd_cache"}, {"configuration": 5},
        {"mirror_mode": "bogus"}, {"mirror_mode": 1},
        {"schedule_interval": "5y"}, {"schedule_interval": "m"}, {"schedule_interval": "5"}, {"schedule_interval": 5},
        {"schedule_interval": "5m5"}
    ])");
    for (const auto& row : bad) {
        const auto& field = row.begin().key();
        EXPECT_EQ(refused_field(create_operation, create_with(row)), field) << row.dump();
    }
}

TEST(CreateArguments, NameTheOptionOfABadValue) {
    EXPECT_EQ(refused_field(create_operation, create_with({{"configuration", {{"rbd_cache", json::array()}}}})),
              "configuration.rbd_cache");
}

TEST(CreateArguments, TakeASizeAsTheDashboardDoes) {
    EXPECT_EQ(decoded_create({{"size", 0}})["size"], 0);
    EXPECT_EQ(decoded_create({{"size", 10.9}})["size"], 10);
    EXPECT_EQ(decoded_create({{"size", -0.5}})["size"], 0);
    EXPECT_EQ(decoded_create({{"size", "1073741824"}})["size"], 1073741824);
    EXPECT_EQ(decoded_create({{"size", " +10 "}})["size"], 10);
}

TEST(CreateArguments, BoundTheSizeByTheLimit) {
    const Limits limits{.image_size_bytes = 1024};

    EXPECT_NO_THROW(create_operation.decode(create_with({{"size", 1024}}), limits));
    EXPECT_THROW(create_operation.decode(create_with({{"size", 1025}}), limits), BadRequest);
}

TEST(CreateArguments, TakeFeaturesAsAListOrAText) {
    const json expected = {"layering", "exclusive-lock"};
    EXPECT_EQ(decoded_create({{"features", {"exclusive-lock", "layering"}}})["features"], expected);
    EXPECT_EQ(decoded_create({{"features", "layering,exclusive-lock"}})["features"], expected);
    EXPECT_EQ(decoded_create({{"features", "exclusive-lock, layering"}})["features"], expected);
}

TEST(CreateArguments, TellNoFeaturesFromTheDefaultOnes) {
    EXPECT_EQ(decoded_create({{"features", json::array()}})["features"], json::array());
    EXPECT_FALSE(decoded_create({{"features", nullptr}}).contains("features"));
    EXPECT_FALSE(decoded_create().contains("features"));
}

TEST(CreateArguments, WriteOptionValuesAsText) {
    const json given = {{"a", 100}, {"b", "10M"}, {"c", true}, {"d", 7.0}, {"e", 0.5}, {"f", nullptr}};
    const json expected = {{"a", "100"}, {"b", "10M"}, {"c", "true"}, {"d", "7"}, {"e", "0.5"}, {"f", nullptr}};
    EXPECT_EQ(decoded_create({{"configuration", given}})["configuration"], expected);
}

TEST(CreateArguments, LeaveOutWhatIsNotGiven) {
    const json nothing = {{"namespace", nullptr},     {"schedule_interval", ""}, {"obj_size", nullptr},
                          {"stripe_unit", nullptr},   {"stripe_count", nullptr}, {"data_pool", nullptr},
                          {"configuration", nullptr}, {"mirror_mode", nullptr}};
    EXPECT_EQ(decoded_create(nothing), decoded_create());
}

TEST(CreateArguments, TakeWhatTheAngularFormSends) {
    const json form = json::parse(R"({"namespace": null, "schedule_interval": "", "size": 10737418240,
        "obj_size": 1048576, "features": ["deep-flatten", "layering", "exclusive-lock", "object-map", "fast-diff"],
        "stripe_unit": 1048576, "stripe_count": 1, "data_pool": null, "configuration": {}})");
    EXPECT_EQ(refused_field(create_operation, create_with(form)), "");
}

TEST(CreateArguments, WriteAnIntervalAsTheMgrDoes) {
    const auto interval = [](const std::string& given) {
        return decoded_create({{"mirror_mode", "snapshot"}, {"schedule_interval", given}})["schedule_interval"];
    };
    EXPECT_EQ(interval("90m"), "90m");
    EXPECT_EQ(interval("007h"), "7h");
    EXPECT_EQ(interval("3650d"), "3650d");
}

TEST(CreateArguments, RefuseAScheduleOfWhatIsNotMirroredBySnapshots) {
    EXPECT_EQ(refused_field(create_operation, create_with({{"schedule_interval", "5m"}})), "schedule_interval");
    EXPECT_EQ(refused_field(create_operation, create_with({{"schedule_interval", "5m"}, {"mirror_mode", "journal"}})),
              "schedule_interval");
}

TEST(CreateArguments, DecodeToThemselves) {
    const auto once = decoded_create({{"namespace", "ns"},
                                      {"size", "10"},
                                      {"obj_size", 4194305},
                                      {"features", "layering, exclusive-lock"},
                                      {"stripe_unit", 65536},
                                      {"stripe_count", 16},
                                      {"data_pool", "data"},
                                      {"configuration", {{"rbd_qos_iops_limit", 100}, {"rbd_cache", nullptr}}},
                                      {"mirror_mode", "snapshot"}});
    EXPECT_EQ(create_operation.decode(once, Limits{}), once);
}

TEST(CreateMetadata, HasTheDashboardsKeys) {
    const json expected = {{"pool_name", "rbd"}, {"namespace", nullptr}, {"image_name", "img"}};
    EXPECT_EQ(create_operation.metadata(decoded_create()), expected);
}

TEST(CreateMetadata, EchoesTheNamespaceAsItWasGiven) {
    EXPECT_EQ(create_operation.metadata(decoded_create({{"namespace", ""}}))["namespace"], "");
    EXPECT_EQ(create_operation.metadata(decoded_create({{"namespace", nullptr}}))["namespace"], nullptr);
    EXPECT_EQ(create_operation.metadata(decoded_create({{"namespace", "ns"}}))["namespace"], "ns");
}

TEST(CreateTouches, TheImageItMakes) {
    const auto touches = create_operation.touches(decoded_create({{"namespace", "ns"}}));

    EXPECT_EQ(touches.pool, "rbd");
    EXPECT_EQ(touches.images, std::vector<std::string>{"rbd/ns/img"});
}

TEST(CreateTouches, TheSameImageWhetherItsNamespaceIsEmptyOrNull) {
    EXPECT_EQ(create_operation.touches(decoded_create({{"namespace", ""}})).images,
              std::vector<std::string>{"rbd/img"});
}

}  // namespace
}  // namespace taskd::rbd
