#pragma once

#include "cluster/rbd/other_client.hpp"
#include "rbd/operation.hpp"
#include "support/cluster.hpp"
#include "support/operation_context.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::test {

/// What `action` fails with; a failure of the test when it does not.
template <typename Action>
Error error_of(Action&& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "succeeded";
    return Error(ErrorKind::internal, 0, "", "");
}

/// Operations against a real cluster: run by one client, arranged and looked at by another.
class OperationTest : public ::testing::Test {
  protected:
    OperationTest();

    static const TestCluster& test_cluster();
    static const ceph::Cluster& ours();
    static const ceph::Cluster& theirs();

    /// Decodes and runs, as a worker would.
    static nlohmann::json run(const rbd::Operation& operation, const nlohmann::json& given,
                              rbd::OperationContext& context);
    static nlohmann::json create(const std::string& name, const nlohmann::json& more = nlohmann::json::object(),
                                 int attempt = 1);
    static nlohmann::json remove(const std::string& name, const nlohmann::json& more = nlohmann::json::object(),
                                 int attempt = 1);

    static nlohmann::json do_it(const rbd::Operation& operation, const nlohmann::json& given, int attempt = 1) {
        FakeOperationContext context(&ours(), attempt);
        return run(operation, given, context);
    }

    /// The error of an operation that fails.
    static Error failure(const rbd::Operation& operation, const nlohmann::json& given, int attempt = 1) {
        return error_of([&] { do_it(operation, given, attempt); });
    }

    /// Arguments for pool rbd.
    static nlohmann::json image(const std::string& name, const nlohmann::json& more = nlohmann::json::object()) {
        nlohmann::json arguments = {{"image_spec", "rbd/" + name}};
        arguments.update(more);
        return arguments;
    }
    static nlohmann::json create_arguments(const std::string& name,
                                           const nlohmann::json& more = nlohmann::json::object());
    static nlohmann::json delete_arguments(const std::string& name,
                                           const nlohmann::json& more = nlohmann::json::object());

    bool has_parent(const std::string& name) const {
        rbd_linked_image_spec_t parent{};
        rbd_snap_spec_t snapshot{};
        if (rbd_get_parent(other_.open_read_only(name).get(), &parent, &snapshot) < 0) return false;
        rbd_linked_image_spec_cleanup(&parent);
        rbd_snap_spec_cleanup(&snapshot);
        return true;
    }

    /// Ends each step of an operation in turn and lets a second attempt finish.
    /// @param make  Makes what the operation works on, for a run of this number, and gives its arguments.
    /// @param look  Looks at what that number's run left.
    template <typename Make, typename Look>
    static void interrupt_at_each_step(const rbd::Operation& operation, Make make, Look look) {
        bool interrupted = true;
        for (std::size_t step = 1; interrupted; ++step) {
            const nlohmann::json arguments = make(step);
            FakeOperationContext first(&ours());
            first.on_step = [&](std::string_view name) {
                if (first.steps().size() == step) throw Interrupted{std::string(name)};
            };
            interrupted = false;
            try {
                run(operation, arguments, first);
            } catch (const Interrupted&) {
                interrupted = true;
            }
            EXPECT_NO_THROW(do_it(operation, arguments, 2)) << operation.name << " after step " << step;
            look(step);
            ASSERT_LT(step, 20U);
        }
    }

    /// A pool in which a removal moves the image to the trash.
    static void make_pool_that_keeps_images(const std::string& pool) {
        test_cluster().run("ceph osd pool create " + pool + " 8 && rbd pool init " + pool + " && rbd config pool set " +
                           pool + " rbd_move_to_trash_on_remove true");
    }

    /// Whether the reports rise through so many values.
    static void expect_rising(const FakeOperationContext& context, std::size_t at_least) {
        std::uint64_t last = 0;
        std::size_t different = 0;
        for (const auto& [done, total] : context.reports()) {
            EXPECT_GE(done, last);
            EXPECT_LE(done, total);
            if (done > last) ++different;
            last = done;
        }
        EXPECT_GE(different, at_least);
    }

    /// In pool rbd.
    OtherClient other_;
};

MATCHER_P2(IsError, code, text, "errno " + std::to_string(code) + " and \"" + text + "\" within its text") {
    *result_listener << "which is \"" << arg.what() << '"';
    return arg.errno_value() == code && std::string(arg.what()).find(text) != std::string::npos;
}

}  // namespace taskd::test
