#include "rbd/lister/page.hpp"

#include "rbd/removal_by_trash.hpp"

#include <gmock/gmock.h>
#include <rbd/librbd.h>

namespace taskd::rbd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const Pool> pool_of(std::int64_t id, const std::string& name) {
    return std::make_shared<const Pool>(nullptr, id, name, true, nullptr);
}

NamespaceContent content_of(std::shared_ptr<const Pool> pool, const std::string& ns, DirectoryIndex::Names names,
                            DirectoryIndex::Trash trash = {}) {
    return {std::move(pool), ns, std::make_shared<const DirectoryIndex::Names>(std::move(names)),
            std::make_shared<const DirectoryIndex::Trash>(std::move(trash))};
}

std::vector<std::string> names_of(const std::vector<ImageRef>& images) {
    std::vector<std::string> names;
    for (const auto& image : images) names.push_back(*image.name);
    return names;
}

class PageTest : public ::testing::Test {
  protected:
    std::vector<std::string> page(std::int64_t offset, std::int64_t limit, const std::string& sort = "",
                                  const std::string& search = "") {
        PageRequest request;
        request.offset = offset;
        request.limit = limit;
        request.search = search;
        request.set_sort(sort);
        return names_of(cut_page(matching_images(contents, search), request));
    }

    std::vector<NamespaceContent> contents{content_of(pool_of(1, "rbd"), "ns", {{"d", "1"}}),
                                           content_of(pool_of(1, "rbd"), "", {{"a", "2"}, {"c", "3"}}),
                                           content_of(pool_of(2, "other"), "", {{"b", "4"}, {"c", "5"}})};
};

TEST_F(PageTest, SortsByNameUnlessToldOtherwise) {
    EXPECT_THAT(page(0, -1), ElementsAre("a", "b", "c", "c", "d"));
    EXPECT_THAT(page(0, -1, "+size"), ElementsAre("a", "b", "c", "c", "d"));
    EXPECT_THAT(page(0, -1, "name"), ElementsAre("a", "b", "c", "c", "d"));
}

TEST_F(PageTest, EqualOnesKeepTheirOrderInBothDirections) {
    EXPECT_THAT(page(0, -1, "+pool_name"), ElementsAre("b", "c", "d", "a", "c"));
    EXPECT_THAT(page(0, -1, "-pool_name"), ElementsAre("d", "a", "c", "b", "c"));
    EXPECT_THAT(page(0, -1, " namespace"), ElementsAre("a", "c", "b", "c", "d"));
}

TEST_F(PageTest, CutsAsPythonSlicesDo) {
    EXPECT_THAT(page(0, 2), ElementsAre("a", "b"));
    EXPECT_THAT(page(3, 5), ElementsAre("c", "d"));
    EXPECT_THAT(page(0, 0), IsEmpty());
    EXPECT_THAT(page(9, 5), IsEmpty());
    EXPECT_THAT(page(-1, 5), IsEmpty());
    EXPECT_THAT(page(-3, 2), ElementsAre("c", "c"));
    EXPECT_THAT(page(-2, -1), ElementsAre("c", "d"));
    EXPECT_THAT(page(INT64_MAX, INT64_MAX), IsEmpty());
}

TEST_F(PageTest, SearchesNamesPoolsAndNamespaces) {
    EXPECT_THAT(page(0, -1, "", "c"), ElementsAre("c", "c"));
    EXPECT_THAT(page(0, -1, "", "oth"), ElementsAre("b", "c"));
    EXPECT_THAT(page(0, -1, "", "ns"), ElementsAre("d"));
    EXPECT_THAT(page(0, -1, "", "zzz"), IsEmpty());
}

TEST_F(PageTest, HalfRemovedOnesAreListedOnceAndOthersOfTheTrashAreNot) {
    const wire::TrashEntry removing{RBD_TRASH_IMAGE_SOURCE_REMOVING, "a", {}, {}};
    const wire::TrashEntry kept{RBD_TRASH_IMAGE_SOURCE_USER, "kept", {}, {}};
    const wire::TrashEntry by_us{RBD_TRASH_IMAGE_SOURCE_USER, "d", {10, 0}, {10 + removal_mark_seconds, 0}};
    const wire::TrashEntry late{RBD_TRASH_IMAGE_SOURCE_USER, "late", {10, 0}, {11 + removal_mark_seconds, 0}};
    contents = {content_of(pool_of(1, "rbd"), "", {{"a", "2"}, {"c", "3"}},
                           {{"2", removing}, {"7", removing}, {"8", kept}, {"9", by_us}, {"10", late}})};

    EXPECT_THAT(page(0, -1), ElementsAre("a", "a", "c", "d"));
}

}  // namespace
}  // namespace taskd::rbd
