#include "rbd/removal_by_trash.hpp"

#include "cluster/rbd/operation_test.hpp"

#include <cerrno>
#include <functional>

#include <dlfcn.h>
#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

/// What happens right before an image moves to the trash, and right after.
std::function<void()> before_move;
std::function<void()> after_move;
int moves = 0;

int really_move(rados_ioctx_t pool, const char* name, std::uint64_t delay) {
    static const auto real = reinterpret_cast<decltype(&rbd_trash_move)>(dlsym(RTLD_NEXT, "rbd_trash_move"));
    return real(pool, name, delay);
}

}  // namespace
}  // namespace taskd::test

/// In place of librbd's.
extern "C" int rbd_trash_move(rados_ioctx_t pool, const char* name, std::uint64_t delay) {
    ++taskd::test::moves;
    if (taskd::test::before_move) std::exchange(taskd::test::before_move, nullptr)();
    const int rc = taskd::test::really_move(pool, name, delay);
    if (taskd::test::after_move) std::exchange(taskd::test::after_move, nullptr)();
    return rc;
}

namespace taskd::test {
namespace {

constexpr std::uint64_t object_bytes = 4 << 20;

class RemovalByTrash : public OperationTest {
  protected:
    RemovalByTrash() {
        before_move = nullptr;
        after_move = nullptr;
        moves = 0;
    }

    void expect_gone(const std::string& name, const std::string& id) const {
        EXPECT_FALSE(other_.exists(name));
        EXPECT_THAT(other_.objects_with(id), IsEmpty());
        EXPECT_THAT(trash(), IsEmpty());
    }

    std::vector<std::string> trash() const {
        std::vector<std::string> ids;
        for (const auto& record : rbd::trash_records(other_.pool())) ids.push_back(record.id);
        return ids;
    }

    /// The process dies when the image is in the trash.
    void cut_off(const std::string& name) const {
        after_move = [] { throw Interrupted{"moved"}; };
        EXPECT_THROW(remove(name), Interrupted);
        EXPECT_FALSE(other_.exists(name));
    }
};

TEST_F(RemovalByTrash, IsForSmallImagesWithoutSnapshots) {
    other_.make("t-small", 4096 * object_bytes);
    other_.make("t-large", 4097 * object_bytes);
    other_.make("t-snapshot");
    other_.snapshot("t-snapshot", "s");

    remove("t-large");
    remove("t-snapshot");
    EXPECT_EQ(moves, 0);
    remove("t-small");
    EXPECT_EQ(moves, 1);

    EXPECT_THAT(trash(), IsEmpty());
}

TEST_F(RemovalByTrash, GivesTheNameBackToAnImageThatWasOpenedMeanwhile) {
    const auto id = other_.make("t-open");
    rbd::OpenImage guest;
    before_move = [&] {
        guest = other_.open("t-open");
        EXPECT_EQ(rbd_write(guest.get(), 0, 4, "data"), 4);  // by which it has the lock
    };

    EXPECT_THAT(error_of([] { remove("t-open"); }), IsError(EBUSY, "in use by"));

    EXPECT_EQ(other_.id_of("t-open"), id);
    EXPECT_EQ(rbd_write(guest.get(), 0, 4, "more"), 4);
    EXPECT_THAT(trash(), IsEmpty());
    guest.reset();
    remove("t-open");
    expect_gone("t-open", id);
}

TEST_F(RemovalByTrash, GivesTheNameBackToAnImageWithASnapshotSinceTheLook) {
    const auto id = other_.make("t-snapped");
    before_move = [&] { other_.snapshot("t-snapped", "s"); };

    EXPECT_THAT(error_of([] { remove("t-snapped"); }), IsError(ENOTEMPTY, "snapshots: s"));

    EXPECT_EQ(other_.id_of("t-snapped"), id);
    EXPECT_THAT(other_.snapshots("t-snapped"), ElementsAre("s"));
    EXPECT_THAT(trash(), IsEmpty());
}

TEST_F(RemovalByTrash, RemovesNoImageThatGotTheNameMeanwhile) {
    const auto half_removed = other_.make("t-name");
    cut_off("t-name");
    const auto id = other_.make("t-name");
    std::string namesake;
    before_move = [&] {
        other_.rename("t-name", "t-elsewhere");
        namesake = other_.make("t-name");
    };

    EXPECT_THAT(error_of([&] { remove("t-name", {{"image_id", id}}); }), IsError(ENOENT, "now named 't-elsewhere'"));

    EXPECT_EQ(other_.id_of("t-name"), namesake);
    EXPECT_EQ(other_.id_of("t-elsewhere"), id);
    EXPECT_THAT(trash(), ElementsAre(half_removed));
    other_.remove_from_trash(half_removed);
}

TEST_F(RemovalByTrash, ThatWasCutOffIsFinishedByTheNextAttemptAndByTheNextDelete) {
    for (const int attempt : {1, 2})
        for (const bool by_id : {false, true}) {
            const auto id = other_.make("t-cut");
            cut_off("t-cut");

            remove("t-cut", by_id ? json{{"image_id", id}} : json::object(), attempt);

            expect_gone("t-cut", id);
        }
}

TEST_F(RemovalByTrash, ThatWasCutOffWithinTheMoveIsFinished) {
    const auto id = other_.make("t-moving");
    cut_off("t-moving");
    other_.set_trash_state(id, rbd::TrashState::moving);

    remove("t-moving");

    expect_gone("t-moving", id);
}

TEST_F(RemovalByTrash, ThatWasCutOffWithinAGiveBackIsFinished) {
    for (const bool has_its_name : {false, true}) {
        const auto id = other_.make("t-giving");
        cut_off("t-giving");
        if (has_its_name) other_.give_name_back(id, "t-giving");
        other_.set_trash_state(id, rbd::TrashState::restoring);

        remove("t-giving", {{"image_id", id}});

        expect_gone("t-giving", id);
    }
}

TEST_F(RemovalByTrash, ThatWasStoppedCanBeRemovedToTheEndAndNotRestored) {
    const auto id = other_.make("t-stopped", 64 * object_bytes, RBD_FEATURE_LAYERING);
    FakeOperationContext context(&ours());
    context.stop_after_reports = 3;

    EXPECT_THAT(error_of([&] { run(rbd::delete_operation, delete_arguments("t-stopped"), context); }),
                IsError(ECANCELED, "the image is half removed; delete it again to finish"));

    EXPECT_EQ(rbd_trash_restore(other_.pool(), id.c_str(), "t-stopped"), -EBUSY);
    EXPECT_THAT(failure(rbd::trash_restore_operation, {{"image_id_spec", "rbd/" + id}, {"new_image_name", ""}}),
                IsError(EINVAL, "its removal has begun"));
    remove("t-stopped");
    expect_gone("t-stopped", id);
}

TEST_F(RemovalByTrash, OfAnImageInUseWhoseNameIsTakenSaysWhereItIs) {
    const auto id = other_.make("t-taken");
    rbd::OpenImage guest;
    before_move = [&] { guest = other_.open("t-taken"); };
    after_move = [&] { other_.make("t-taken"); };

    EXPECT_THAT(error_of([] { remove("t-taken"); }),
                IsError(EBUSY, "the image is whole, in the trash with the id " + id));

    guest.reset();
    do_it(rbd::trash_restore_operation, {{"image_id_spec", "rbd/" + id}, {"new_image_name", "t-whole"}});
    EXPECT_EQ(other_.id_of("t-whole"), id);
    EXPECT_THAT(trash(), IsEmpty());
}

TEST_F(RemovalByTrash, LeavesAnImageInTheTrashThatAUserPutThereMeanwhile) {
    const auto id = other_.make("t-away");
    before_move = [&] {
        other_.move_to_trash("t-away");
        other_.make("t-away");
    };

    EXPECT_THAT(error_of([&] { remove("t-away", {{"image_id", id}}); }), IsError(ENOENT, "is in the trash"));

    EXPECT_TRUE(other_.exists("t-away"));
    EXPECT_THAT(trash(), ElementsAre(id));
    other_.remove_from_trash(id);
}

TEST_F(RemovalByTrash, ThatWasCutOffIsNotPurgedAndItsNameIsNotGivenAnew) {
    const auto id = other_.make("t-kept");
    cut_off("t-kept");

    do_it(rbd::trash_purge_operation, {{"pool_name", "rbd"}});
    EXPECT_THAT(trash(), ElementsAre(id));
    EXPECT_THAT(error_of([] { create("t-kept"); }), IsError(EEXIST, "has not ended"));

    do_it(rbd::trash_remove_operation, {{"image_id_spec", "rbd/" + id}});
    expect_gone("t-kept", id);
}

TEST_F(RemovalByTrash, TakesNothingFromTheTrashThatAUserPutThere) {
    const auto id = other_.make("t-user");
    other_.move_to_trash("t-user");
    const auto later = other_.make("t-user");
    ASSERT_EQ(really_move(other_.pool(), "t-user", rbd::removal_mark_seconds - 1), 0);

    EXPECT_EQ(error_of([] { remove("t-user"); }).kind(), ErrorKind::not_found);

    EXPECT_THAT(trash(), ::testing::UnorderedElementsAre(id, later));
    for (const auto& one : {id, later}) other_.remove_from_trash(one);
}

}  // namespace
}  // namespace taskd::test
