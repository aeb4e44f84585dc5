#include "rbd/error.hpp"

#include <cerrno>
#include <string>
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
        {38, "[errno 38] RBD function not supported (error creating image)"},
        {39, "[errno 39] RBD image has snapshots (error creating image)"},
        {110, "[errno 110] RBD operation timeout (error creating image)"},
        {125, "[errno 125] RBD operation canceled (error creating image)"},
        // Without a class of their own in Ceph's Python binding:
        {31, "[errno 31] error creating image"},
        {36, "[errno 36] error creating image"},
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

TEST(RbdError, SaysThatTheClientWasFenced) {
    EXPECT_NE(std::string(rbd_error(-ESHUTDOWN, "error removing image").what()).find("blocklist"), std::string::npos);
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
