#include "librbd_view.hpp"
#include "lister_fixture.hpp"
#include "rbd/open_image.hpp"

#include <rbd/librbd.h>

// Every field that the lister tells of an image is compared with what librbd tells of it when it opens the image, for
// images of every kind.

namespace taskd::test {
namespace {

class ListerFields : public ListerTest {
  protected:
    /// Both ways to ask the lister against librbd.
    void expect_same(const std::string& name, bool with_usage = true, const std::string& ns = "") {
        const auto io = cluster()->open_ioctx("rbd", ns);
        const auto expected = librbd_view(io.handle(), name, with_usage);

        EXPECT_EQ(view_of(get({"rbd", ns, name}, with_usage).image), expected) << name;
        EXPECT_EQ(without_details(view_of(find(list("rbd", with_usage), name))), without_details(expected)) << name;
    }

    /// What a list has.
    static nlohmann::json without_details(nlohmann::json view) {
        view.erase("modified");
        view.erase("operation_features");
        return view;
    }

    static void write(const std::string& image, const std::string& amount, const std::string& piece = "4M") {
        rbd_tool("bench --io-type write --io-pattern seq --io-threads 1 --io-total " + amount + " --io-size " + piece +
                 " rbd/" + image + " >&2");
    }
};

TEST_F(ListerFields, OfImagesWithAnySetOfFeatures) {
    rbd_tool("create rbd/default --size 1G");
    rbd_tool("create rbd/layering --size 10M --image-feature layering");
    rbd_tool("create rbd/lock --size 10M --image-feature exclusive-lock");
    rbd_tool("create rbd/map --size 10M --image-feature exclusive-lock,object-map");
    rbd_tool("create rbd/journal --size 10M --image-feature exclusive-lock,journaling");
    rbd_tool("create rbd/odd --size 4194305B --order 20");

    expect_same("default");
    expect_same("layering", false);
    expect_same("lock", false);
    expect_same("map");
    expect_same("journal", false);
    expect_same("odd");
}

TEST_F(ListerFields, UsageIsUnknownWithoutAMapThatCanBeTrusted) {
    rbd_tool("create rbd/no-map --size 8M --image-feature layering");
    rbd_tool("create rbd/flagged --size 8M");
    test_cluster().run("rados -p rbd rm rbd_object_map." + get({"rbd", "", "flagged"}).image.id);
    rbd_tool("bench --io-type write --io-total 4K rbd/flagged >&2");  // librbd finds that it is gone, and flags it

    for (const auto* name : {"no-map", "flagged"}) {
        const auto image = get({"rbd", "", name}).image;
        EXPECT_FALSE(image.details->used_bytes) << name;
        EXPECT_FALSE(image.details->total_used_bytes) << name;
    }
}

TEST_F(ListerFields, OfAnImageWithoutAnyFeatureAndWithoutSize) {
    const auto io = cluster()->open_ioctx("rbd");
    int order = 0;
    ASSERT_EQ(rbd_create2(io.handle(), "bare", 0, 0, &order), 0);

    expect_same("bare", false);
}

TEST_F(ListerFields, OfStripedOnes) {
    rbd_tool("create rbd/striped --size 9M --object-size 1M --stripe-unit 64K --stripe-count 4");
    rbd_tool("create rbd/tail --size 100K --object-size 1M --stripe-unit 64K --stripe-count 4");
    write("striped", "2M", "64K");
    write("tail", "64K", "64K");

    expect_same("striped");
    expect_same("tail");
}

TEST_F(ListerFields, OfOneWithADataPool) {
    test_cluster().run("ceph osd pool create data 4 && ceph osd pool application enable data rbd");
    rbd_tool("create rbd/elsewhere --size 64M --data-pool data");
    write("elsewhere", "8M");

    expect_same("elsewhere");
}

TEST_F(ListerFields, OfSnapshotsAndWhatEachUses) {
    rbd_tool("create rbd/snapped --size 64M");
    write("snapped", "20M");
    rbd_tool("snap create rbd/snapped@one");
    write("snapped", "8M");
    rbd_tool("snap create rbd/snapped@two && rbd snap protect rbd/snapped@two");
    rbd_tool("resize rbd/snapped --size 128M");
    write("snapped", "100M");
    rbd_tool("snap create rbd/snapped@three");
    rbd_tool("resize rbd/snapped --size 5M --allow-shrink");

    expect_same("snapped");
    EXPECT_EQ(find(list("rbd"), "snapped").details->snapshots.size(), 3U);
}

TEST_F(ListerFields, OfClonesOfBothFormatsAndTheirParents) {
    rbd_tool("create rbd/parent --size 64M");
    write("parent", "20M");
    rbd_tool("snap create rbd/parent@s && rbd snap protect rbd/parent@s");
    rbd_tool("clone rbd/parent@s rbd/clone1 --rbd-default-clone-format 1");
    rbd_tool("clone rbd/parent@s rbd/clone2 --rbd-default-clone-format 2");
    rbd_tool("clone rbd/parent@s rbd/hidden --rbd-default-clone-format 2 && rbd trash mv rbd/hidden");
    write("clone1", "8M");
    rbd_tool("snap create rbd/clone1@c");
    write("clone1", "4M");
    rbd_tool("clone rbd/clone1@c rbd/grandchild --rbd-default-clone-format 2");
    write("grandchild", "4M");
    rbd_tool("resize rbd/clone2 --size 6M --allow-shrink");

    expect_same("parent");
    expect_same("clone1");
    expect_same("clone2");
    expect_same("grandchild");
}

TEST_F(ListerFields, OfWhatWasFlattenedButKeepsItsParentInASnapshot) {
    rbd_tool("create rbd/source --size 16M");
    write("source", "8M");
    rbd_tool("snap create rbd/source@s && rbd snap protect rbd/source@s");
    rbd_tool("clone rbd/source@s rbd/flat --image-feature layering,exclusive-lock,object-map,fast-diff");
    rbd_tool("snap create rbd/flat@before && rbd flatten rbd/flat --no-progress");

    expect_same("flat");
}

TEST_F(ListerFields, OfSnapshotsAndParentsInTheTrash) {
    rbd_tool("create rbd/old --size 16M && rbd snap create rbd/old@s");
    rbd_tool("clone rbd/old@s rbd/young --rbd-default-clone-format 2");
    rbd_tool("snap rm rbd/old@s --no-progress");

    expect_same("old", false);
    expect_same("young");
    rbd_tool("trash mv rbd/old");
    expect_same("young");
}

TEST_F(ListerFields, OfImagesInANamespace) {
    rbd_tool("namespace create rbd/fields");
    rbd_tool("create rbd/fields/inside --size 8M");
    rbd_tool("snap create rbd/fields/inside@s && rbd snap protect rbd/fields/inside@s");
    rbd_tool("clone rbd/fields/inside@s rbd/outside --rbd-default-clone-format 2");
    rbd_tool("clone rbd/fields/inside@s rbd/fields/beside --rbd-default-clone-format 1");

    expect_same("inside", true, "fields");
    expect_same("beside", true, "fields");
    expect_same("outside");
}

TEST_F(ListerFields, OfImagesWithOptionsOfTheirOwn) {
    rbd_tool("create rbd/optioned --size 8M");
    rbd_tool("image-meta set rbd/optioned conf_rbd_qos_iops_limit 1K");
    rbd_tool("image-meta set rbd/optioned conf_rbd_cache false");
    for (int i = 0; i < 70; ++i) rbd_tool("image-meta set rbd/optioned conf_zz" + std::to_string(i) + " x || true");
    rbd_tool("image-meta set rbd/optioned other value && rbd image-meta set rbd/optioned a value");

    expect_same("optioned");
}

TEST_F(ListerFields, OfNamesInAnyAlphabet) {
    rbd_tool("create 'rbd/\xC3\xBC n\xC3\xAF \xE6\x97\xA5' --size 8M");

    expect_same("\xC3\xBC n\xC3\xAF \xE6\x97\xA5");
}

TEST_F(ListerFields, OfFormat1) {
    test_cluster().run("RBD_FORCE_ALLOW_V1=1 rbd create rbd/ancient --size 9M --image-format 1 2>&1");
    rbd_tool("snap create rbd/ancient@one && rbd snap create rbd/ancient@two");

    expect_same("ancient", false);
}

TEST_F(ListerFields, TheOptionsAreThoseOfLibrbd) {
    rbd_tool("create rbd/config --size 8M && rbd image-meta set rbd/config conf_rbd_cache_size 1M");
    rbd_tool("config pool set rbd rbd_cache_max_dirty 7");
    const auto io = cluster()->open_ioctx("rbd");
    int opened = 0;
    const auto image = rbd::open_image(io.handle(), rbd_open_read_only, "config", opened);
    ASSERT_EQ(opened, 0);
    std::vector<rbd_config_option_t> options(256);
    int count = static_cast<int>(options.size());
    ASSERT_EQ(rbd_config_image_list(image.get(), options.data(), &count), 0);
    nlohmann::json expected = nlohmann::json::array();
    for (int i = 0; i < count; ++i) {
        const auto& option = options[static_cast<std::size_t>(i)];
        expected.push_back({option.name, option.value, static_cast<int>(option.source)});
    }
    rbd_config_image_list_cleanup(options.data(), count);

    const auto answer = get({"rbd", "", "config"});
    nlohmann::json found = nlohmann::json::array();
    for (const auto& option : lister().options().effective(answer.options.at("rbd"), answer.image.details->options))
        found.push_back({option.name, option.value, static_cast<int>(option.source)});
    rbd_tool("config pool rm rbd rbd_cache_max_dirty");
    EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace taskd::test
