#include "rbd/missing_caps.hpp"

#include "rbd/error.hpp"

#include <cerrno>
#include <exception>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// What becomes of the failure of a create in pool `p`, namespace `n`, with data in pool `d`.
Error told(const Error& failure) {
    const json arguments = create_operation.decode(
        {{"pool_name", "p"}, {"namespace", "n"}, {"name", "img"}, {"size", 1 << 20}, {"data_pool", "d"}}, Limits());
    try {
        std::rethrow_exception(
            with_missing_caps(std::make_exception_ptr(failure), "client.x", create_operation, arguments));
    } catch (const Error& error) {
        return error;
    }
}

TEST(MissingCaps, NameTheUserAndAllPoolsThatAreTouched) {
    const auto error = told(rbd_error(-EPERM, "error creating image"));

    EXPECT_THAT(error.what(), HasSubstr("RBD permission error (error creating image): client.x needs the caps mon "
                                        "'profile rbd' and osd 'profile rbd pool=d, profile rbd pool=p namespace=n'"));
    EXPECT_THAT(error.what(), Not(HasSubstr("this Ceph user")));
    EXPECT_EQ(error.extra().at("missing_caps"), (json{{"user", "client.x"},
                                                      {"mon", "profile rbd"},
                                                      {"osd", "profile rbd pool=d, profile rbd pool=p namespace=n"}}));
    EXPECT_EQ(error.errno_value(), EPERM);
}

TEST(MissingCaps, AreToldOfLibradosRefusalsToo) {
    const Error denied(ErrorKind::refused, EACCES, "pool",
                       "[errno 13] RADOS permission denied (error opening pool 'p')");

    EXPECT_THAT(told(denied).what(), HasSubstr("(error opening pool 'p'): client.x needs the caps"));
}

TEST(MissingCaps, AreNoCauseOfARefusalThatHasItsOwn) {
    const auto kept = rbd_error(-EPERM, "error deleting image from trash", "it is kept until tomorrow");

    EXPECT_STREQ(told(kept).what(), kept.what());
    EXPECT_TRUE(told(kept).extra().is_null());
}

TEST(MissingCaps, AreNoCauseOfOtherErrors) {
    const auto busy = rbd_error(-EBUSY, "error removing image");

    EXPECT_STREQ(told(busy).what(), busy.what());
}

}  // namespace
}  // namespace taskd::rbd
