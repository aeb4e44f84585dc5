#include "lister_fixture.hpp"
#include "rbd/lister/header_wire.hpp"
#include "rbd/removal_by_trash.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

namespace taskd::test {
namespace {

using State = rbd::ListedImage::State;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class ListerWays : public ListerTest {
  protected:
    static void make(const std::string& name, const std::string& pool = "rbd") {
        rbd_tool("create " + pool + "/" + name + " --size 8M");
    }
    static std::string id_of(const std::string& name) { return get({"rbd", "", name}, false).image.id; }
    static std::vector<std::string> names(const rbd::ImageList& list) {
        std::vector<std::string> result;
        for (const auto& image : list.images) result.push_back(image.name);
        return result;
    }
    static bool has(const rbd::ImageList& list, const std::string& name) {
        const auto all = names(list);
        return std::find(all.begin(), all.end(), name) != all.end();
    }
};

TEST_F(ListerWays, AHalfRemovedImageIsListedAsBeingRemoved) {
    make("healthy");
    make("half");
    const auto id = id_of("half");
    const auto io = cluster()->open_ioctx("rbd");
    const auto give_up = [](std::uint64_t, std::uint64_t, void*) { return -ECANCELED; };
    ASSERT_EQ(rbd_remove_with_progress(io.handle(), "half", give_up, nullptr), -ECANCELED);

    const auto images = list("rbd");

    const auto half = find(images, "half");
    EXPECT_EQ(half.state, State::removing);
    EXPECT_EQ(half.id, id);
    EXPECT_GT(half.deleted.seconds, 0U);
    EXPECT_EQ(find(images, "healthy").state, State::present);
    EXPECT_THROW(get({"rbd", "", "half"}), Error);
    rbd_tool("rm rbd/half --no-progress");
    EXPECT_FALSE(has(list("rbd"), "half"));
}

TEST_F(ListerWays, ANameThatIsUsedAnewBesideItsHalfRemovedImageIsListedTwice) {
    make("twice");
    const auto io = cluster()->open_ioctx("rbd");
    const auto give_up = [](std::uint64_t, std::uint64_t, void*) { return -ECANCELED; };
    ASSERT_EQ(rbd_remove_with_progress(io.handle(), "twice", give_up, nullptr), -ECANCELED);
    make("twice");

    std::vector<State> states;
    for (const auto& image : list("rbd").images)
        if (image.name == "twice") states.push_back(image.state);

    EXPECT_THAT(states, ElementsAre(State::present, State::removing));
}

TEST_F(ListerWays, OneWithoutHeaderIsIncompleteAndOneWithAnEmptyHeaderBroken) {
    make("headless");
    make("emptied");
    test_cluster().run("rados -p rbd rm rbd_header." + id_of("headless"));
    test_cluster().run("rados -p rbd clearomap rbd_header." + id_of("emptied"));

    const auto images = list("rbd");

    EXPECT_EQ(find(images, "headless").state, State::incomplete);
    EXPECT_EQ(find(images, "emptied").state, State::broken);
    EXPECT_THAT(find(images, "emptied").problem, HasSubstr("error reading the header"));
}

// Of two objects of 2^63 bytes each: together they are 0 in 64 bits, by which nothing can be divided.
TEST_F(ListerWays, OneWhoseLayoutCannotBeIsBrokenAndTheOthersAreListed) {
    make("possible");
    test_cluster().run("rbd create rbd/impossible --size 9M --object-size 1M --stripe-unit 64K --stripe-count 4");
    const auto set = [header = id_of("impossible")](const std::string& bytes, const std::string& key) {
        test_cluster().run("printf '" + bytes + "' | rados -p rbd setomapval rbd_header." + header + " " + key);
    };
    set("\\077", "order");
    set("\\0\\0\\0\\0\\0\\0\\0\\200", "stripe_unit");
    set("\\002\\0\\0\\0\\0\\0\\0\\0", "stripe_count");

    const auto images = list("rbd");

    EXPECT_EQ(find(images, "impossible").state, State::broken);
    EXPECT_EQ(find(images, "possible").state, State::present);
}

TEST_F(ListerWays, NamesThatAreNoUtf8AreListed) {
    const auto io = cluster()->open_ioctx("rbd");
    int order = 0;
    ASSERT_EQ(rbd_create(io.handle(), "bad\xFF\xFEname", 1 << 22, &order), 0);

    EXPECT_EQ(find(list("rbd"), "bad\xFF\xFEname").state, State::present);
}

TEST_F(ListerWays, ChangesAreSeenAtOnce) {
    for (int i = 0; i < 20; ++i) {
        const auto name = "quick" + std::to_string(i);
        const auto io = cluster()->open_ioctx("rbd");
        int order = 0;
        ASSERT_EQ(rbd_create2(io.handle(), name.c_str(), 1 << 22, RBD_FEATURE_LAYERING, &order), 0);
        EXPECT_TRUE(has(list("rbd", false), name));
        ASSERT_EQ(rbd_remove(io.handle(), name.c_str()), 0);
        EXPECT_FALSE(has(list("rbd", false), name));
    }
}

TEST_F(ListerWays, PoolsThatComeAndGoAreSeenAtOnce) {
    test_cluster().run("ceph osd pool create brief 4 && ceph osd pool application enable brief rbd");
    make("passing", "brief");
    EXPECT_TRUE(has(list(), "passing"));
    test_cluster().run("ceph osd pool rm brief brief --yes-i-really-really-mean-it");
    EXPECT_FALSE(has(list(), "passing"));
    test_cluster().run("ceph osd pool create brief 4 && ceph osd pool application enable brief rbd");
    EXPECT_FALSE(has(list(), "passing"));
    make("again", "brief");
    EXPECT_TRUE(has(list("brief"), "again"));
    test_cluster().run("ceph osd pool rm brief brief --yes-i-really-really-mean-it");
}

TEST_F(ListerWays, APoolThatIsNotThereIsAnErrorOfThePool) {
    try {
        list("nowhere");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.component(), "pool");
        EXPECT_STREQ(error.what(), "[errno 2] RADOS object not found (error opening pool 'nowhere')");
    }
}

/// Names in a directory, without images.
class ManyNames : public ListerWays {
  protected:
    ManyNames() {
        test_cluster().run("ceph osd pool create many 4 && ceph osd pool application enable many rbd");
        io_.emplace(cluster()->open_ioctx("many"));
    }
    ~ManyNames() override { test_cluster().run("ceph osd pool rm many many --yes-i-really-really-mean-it"); }

    static std::string numbered(const char* form, std::size_t number) {
        std::array<char, 32> name{};
        std::snprintf(name.data(), name.size(), form, number);
        return name.data();
    }
    void put(const std::string& name) {
        const std::array<std::string, 2> keys{"name_" + name, "id_" + name};  // the name is the id
        const auto value = rbd::wire::text_input(name);
        const std::array<const char*, 2> key_texts{keys[0].c_str(), keys[1].c_str()};
        const std::array<const char*, 2> values{value.data(), value.data()};
        const std::array<std::size_t, 2> sizes{value.size(), value.size()};
        rados_write_op_t op = rados_create_write_op();
        rados_write_op_omap_set(op, key_texts.data(), values.data(), sizes.data(), keys.size());
        EXPECT_EQ(rados_write_op_operate(op, io_->handle(), "rbd_directory", nullptr, 0), 0);
        rados_release_write_op(op);
    }
    void take(const std::string& name) {
        const auto key = "name_" + name;
        const char* keys = key.c_str();
        rados_write_op_t op = rados_create_write_op();
        rados_write_op_omap_rm_keys(op, &keys, 1);
        EXPECT_EQ(rados_write_op_operate(op, io_->handle(), "rbd_directory", nullptr, 0), 0);
        rados_release_write_op(op);
    }
    static std::vector<std::string> listed() { return names(list("many", false)); }

    std::optional<ceph::Ioctx> io_;
};

TEST_F(ManyNames, AreReadPageByPageAndInPartsAfterAChange) {
    std::set<std::string> expected;
    const auto expect_all = [&] { EXPECT_EQ(listed(), std::vector<std::string>(expected.begin(), expected.end())); };
    const auto add = [&](const std::string& name) {
        put(name);
        expected.insert(name);
    };
    for (std::size_t i = 0; i < 2'500; ++i) add(numbered("image-%05zu", i));  // beyond two reads of 1024
    expect_all();
    expect_all();

    for (const auto number : {0, 799, 800, 801, 1600, 2499}) {  // where one part ends and the next begins
        const auto name = numbered("image-%05zu", static_cast<std::size_t>(number));
        take(name);
        expected.erase(name);
        expect_all();
    }
    add("image-00800x");
    add("a");
    add("z");
    expect_all();

    for (std::size_t i = 0; i < 1'200; ++i) add(numbered("image-00100-%05zu", i));  // more than fit into a part
    expect_all();
    expect_all();
}

TEST_F(ListerWays, TheTrashIsListedByNamespace) {
    rbd_tool("namespace create rbd/bin");
    make("thrown");
    rbd_tool("create rbd/bin/away --size 8M && rbd trash mv rbd/bin/away && rbd trash mv rbd/thrown");

    const auto trash = ask<std::vector<rbd::TrashAnswer>>([](auto done) { lister().trash("rbd", std::move(done)); });

    ASSERT_EQ(trash.size(), 1U);
    std::vector<std::string> found;
    for (const auto& entry : trash[0].entries) found.push_back(entry.ns + "/" + entry.name);
    EXPECT_THAT(found, ::testing::IsSupersetOf({"bin/away", "/thrown"}));
    EXPECT_EQ(found.front(), "bin/away");
}

TEST_F(ListerWays, OneThatWeBeganToRemoveIsListedAsLibrbdsOwnAreAndNotInTheTrash) {
    make("begun");
    const auto io = cluster()->open_ioctx("rbd");
    ASSERT_EQ(rbd_trash_move(io.handle(), "begun", rbd::removal_mark_seconds), 0);

    EXPECT_EQ(find(list("rbd"), "begun").state, State::removing);
    const auto trash = ask<std::vector<rbd::TrashAnswer>>([](auto done) { lister().trash("rbd", std::move(done)); });
    for (const auto& entry : trash.at(0).entries) EXPECT_NE(entry.name, "begun");
}

TEST_F(ListerWays, NamespacesAreCounted) {
    rbd_tool(
        "namespace create rbd/counted && rbd create rbd/counted/a --size 8M && rbd create rbd/counted/b --size 8M");

    const auto namespaces =
        ask<std::vector<rbd::NamespaceAnswer>>([](auto done) { lister().namespaces("rbd", std::move(done)); });

    const auto counted =
        std::find_if(namespaces.begin(), namespaces.end(), [](const auto& ns) { return ns.name == "counted"; });
    ASSERT_NE(counted, namespaces.end());
    EXPECT_EQ(counted->images, 2U);
}

TEST_F(ListerWays, ASickPoolIsNamedAndTheOthersAreListed) {
    make("well");
    test_cluster().run(
        "ceph osd pool create sick 4 && ceph osd pool application enable sick rbd && ceph osd pool set sick size 3 && "
        "ceph osd pool set sick min_size 3");

    const auto first = list();
    const auto second = list();
    const auto trash = ask<std::vector<rbd::TrashAnswer>>([](auto done) { lister().trash("", std::move(done)); });

    EXPECT_TRUE(has(first, "well"));
    EXPECT_TRUE(has(second, "well"));
    ASSERT_THAT(second.silent, ElementsAre(Field(&rbd::SilentPool::name, "sick")));
    EXPECT_EQ(second.silent[0].error, ETIMEDOUT);
    EXPECT_THAT(second.silent[0].problem, HasSubstr("does not answer"));
    EXPECT_TRUE(std::any_of(trash.begin(), trash.end(),
                            [](const auto& pool) { return pool.pool == "sick" && pool.error == ETIMEDOUT; }));
    test_cluster().run("ceph osd pool set sick size 1 --yes-i-really-mean-it && ceph osd pool set sick min_size 1");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!list().silent.empty() && std::chrono::steady_clock::now() < until) continue;
    EXPECT_TRUE(list().silent.empty());
    test_cluster().run("ceph osd pool rm sick sick --yes-i-really-really-mean-it");
}

TEST_F(ListerWays, AnswersThatNothingAnswersWhileTheOsdIsFrozenAndAllAfterwards) {
    make("patient");
    {
        const Frozen osd(test_cluster(), "osd.0");
        const auto images = list();
        EXPECT_FALSE(images.silent.empty());
        EXPECT_TRUE(images.images.empty());
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!has(list(), "patient") && std::chrono::steady_clock::now() < until) continue;
    EXPECT_TRUE(has(list(), "patient"));
}

TEST_F(ListerWays, EndsWhileReadsAreUnderWay) {
    make("last");
    const Frozen osd(test_cluster(), "osd.0");
    ceph::CommandSender sender(std::make_shared<ceph::LibradosCaller>([] { return cluster(); }));
    auto own = std::make_unique<rbd::Lister>(cluster(), sender);
    std::promise<void> ended;
    own->list({"rbd", {}, true}, [&ended](const auto&) { ended.set_value(); });
    // The question is under way, or is not yet: both must end.
    own.reset();

    EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

}  // namespace
}  // namespace taskd::test
