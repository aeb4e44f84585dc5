#include "cli/image_tables.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

json image() {
    return json::parse(R"({"name": "vm", "size": 1073741824, "obj_size": 4194304, "num_objs": 256, "order": 22,
        "id": "10ab", "block_name_prefix": "rbd_data.10ab", "image_format": 2, "features_name": ["layering"],
        "timestamp": "2026-11-25T09:46:40Z", "stripe_unit": 4194304, "stripe_count": 1, "data_pool": null,
        "disk_usage": 4194304, "total_disk_usage": 8388608,
        "parent": {"pool_name": "rbd", "pool_namespace": "", "image_name": "base", "snap_name": "gold"},
        "snapshots": [{"id": 4, "name": "s", "size": 1073741824, "namespace": 0, "is_protected": true,
                       "timestamp": "2026-11-25T09:46:40Z", "disk_usage": 4194304}]})");
}

TEST(SizeText, HasUnitsOf1024) {
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(1536), "1.5 KiB");
    EXPECT_EQ(size_text(10U << 20U), "10 MiB");
    EXPECT_EQ(size_text(1U << 30U), "1 GiB");
}

TEST(ImageTables, NamesAreOneALine) {
    EXPECT_EQ(image_names({image(), {{"name", "b\x1b[31m"}}}), "vm\nb?[31m\n");
}

TEST(ImageTables, TheLongListHasSnapshotsAndWhatIsWrong) {
    EXPECT_EQ(image_table({image(), {{"name", "half"}, {"source", "REMOVING"}}}, 0, false),
              "NAME   SIZE  PARENT         FMT  PROT  NOTE\n"
              "vm    1 GiB  rbd/base@gold  2\n"
              "vm@s  1 GiB  rbd/base@gold  2    yes\n"
              "half      -                            REMOVING\n");
    EXPECT_EQ(image_table({}, 0, false), "");
}

TEST(ImageTables, InfoIsInRbdsWords) {
    EXPECT_EQ(image_info(image()),
              "rbd image 'vm':\n"
              "\tsize 1 GiB in 256 objects\n"
              "\torder 22 (4 MiB objects)\n"
              "\tsnapshot_count: 1\n"
              "\tid: 10ab\n"
              "\tblock_name_prefix: rbd_data.10ab\n"
              "\tformat: 2\n"
              "\tfeatures: layering\n"
              "\tcreate_timestamp: 2026-11-25T09:46:40Z\n"
              "\tparent: rbd/base@gold\n");
}

TEST(ImageTables, UsageAddsUp) {
    EXPECT_EQ(usage_table({image()}, 0, false),
              "NAME     PROVISIONED   USED\n"
              "vm@s           1 GiB  4 MiB\n"
              "vm             1 GiB  4 MiB\n"
              "<TOTAL>        1 GiB  8 MiB\n");
}

TEST(ImageTables, WhatNoObjectMapTellsIsADash) {
    EXPECT_EQ(usage_table({{{"name", "x"}, {"size", 1024U}, {"disk_usage", nullptr}}}, 0, false),
              "NAME  PROVISIONED  USED\n"
              "x           1 KiB     -\n");
}

TEST(ImageTables, TheTrashHasIdsAndNames) {
    const json entry{{"id", "10ab"}, {"name", "gone"}, {"source", "USER"}};

    EXPECT_EQ(trash_table({entry}, false, 0, false), "10ab gone\n");
    EXPECT_THAT(trash_table({entry}, true, 0, false), ::testing::HasSubstr("10ab  gone  USER"));
}

TEST(ImageTables, MirroringInfoTellsModeAndPeers) {
    json mirroring{{"mirror_mode", "image"}, {"site_name", "site-a"}, {"peers", json::array()}};
    EXPECT_EQ(mirroring_info(mirroring), "Mode: image\nSite Name: site-a\n\nPeer Sites: none\n");

    mirroring["peers"].push_back({{"uuid", "U"}, {"site_name", "site-b"}, {"direction", "rx-tx"}, {"client_id", "p"}});
    EXPECT_EQ(mirroring_info(mirroring),
              "Mode: image\nSite Name: site-a\n\nPeer Sites:\n"
              "\nUUID: U\nName: site-b\nDirection: rx-tx\nClient: client.p\n");
}

}  // namespace
}  // namespace taskd::cli
