#include "rbd/error.hpp"

#include <cerrno>
#include <string>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

TEST(RbdError, SpeaksAsTheDashboardDoes) {
    const std::pair<int, const char*> rows[] = {
        {2, "[errno 2] RBD image not found (error creating image)"},
        {16, "[errno 16] RBD image is busy (error creating image)"},
        {17, "[errno 17] RBD image already exists (error creating image)"},
        {22, "[errno 22] RBD invalid argument (error creating image)"},
        {33, "[errno 33] RBD arguments out of range (error creating image)"},
        {39, "[errno 39] RBD image has snapshots (error creating image)"},
        {125, "[errno 125] RBD operation canceled (error creating image)"},
        // Without a class of its own in Ceph's Python binding:
        {31, "[errno 31] error creating image"},
    };
    for (const auto& [code, text] : rows) EXPECT_STREQ(rbd_error(-code, "error creating image").what(), text);
}

TEST(RbdError, KeepsErrnoAndComponent) {
    const auto error = rbd_error(-EEXIST, "error creating image");

    EXPECT_EQ(error.errno_value(), EEXIST);
    EXPECT_EQ(error.component(), "rbd");
    EXPECT_EQ(error.kind(), ErrorKind::refused);
}

TEST(RbdError, PutsTheHintBehindTheDashboardsWords) {
    const auto error = rbd_error(-ENOENT, "error creating image", "namespace 'x' does not exist in pool 'rbd'");
    EXPECT_STREQ(error.what(),
                 "[errno 2] RBD image not found (error creating image): namespace 'x' does not exist in pool 'rbd'");
}

TEST(RbdError, SaysWhichCapsAreMissing) {
    for (const int code : {EPERM, EACCES})
        EXPECT_NE(std::string(rbd_error(-code, "error creating image").what()).find("'profile rbd'"),
                  std::string::npos);
}

TEST(RbdError, TellsTheUsualCauseBehindTheDashboardsWords) {
    const std::tuple<int, const char*, const char*> rows[] = {
        {EIO, "[errno 5] RBD I/O error (error removing image): ", "`ceph health detail`"},
        {EAGAIN, "[errno 11] error removing image: ", "try again"},
        {ENOSPC, "[errno 28] RBD insufficient space available (error removing image): ", "`ceph df`"},
        {EROFS, "[errno 30] RBD read-only image (error removing image): ", "`rbd lock ls`"},
        {ENAMETOOLONG, "[errno 36] error removing image: ", "too long"},
        {ENOSYS, "[errno 38] RBD function not supported (error removing image): ", "feature"},
        {EOPNOTSUPP, "[errno 95] RBD operation not supported (error removing image): ", "OSDs"},
        {ESHUTDOWN, "[errno 108] RBD connection was shutdown (error removing image): ", "blocklist"},
        {ETIMEDOUT, "[errno 110] RBD operation timeout (error removing image): ", "may still take effect"},
        {ESTALE, "[errno 116] error removing image: ", "out of date: try again"},
        {EDQUOT, "[errno 122] RBD disk quota exceeded (error removing image): ", "quota"},
    };
    for (const auto& [code, words, hint] : rows) {
        const std::string text = rbd_error(-code, "error removing image").what();
        EXPECT_TRUE(text.starts_with(words)) << text;
        EXPECT_NE(text.find(hint, std::string(words).size()), std::string::npos) << text;
    }
}

TEST(RbdError, OfACancelledOperationIsNoRefusal) {
    EXPECT_EQ(rbd_error(-ECANCELED, "error removing image").kind(), ErrorKind::cancelled);
}

TEST(PythonBytes, AreQuotedAsPythonDoes) {
    EXPECT_EQ(python_bytes("img"), "b'img'");
    EXPECT_EQ(python_bytes("it's"), "b\"it's\"");
    EXPECT_EQ(python_bytes("'\""), "b'\\'\"'");
    EXPECT_EQ(python_bytes("a\\b\n"), "b'a\\\\b\\n'");
    EXPECT_EQ(python_bytes("ü\xFF"), "b'\\xc3\\xbc\\xff'");
}

}  // namespace
}  // namespace taskd::rbd
