#pragma once

#include "cluster/rbd/operation_test.hpp"

#include <cerrno>
#include <string>

namespace taskd::test {

/// Operations on snapshots, clones and the trash of pool rbd, with what their tests say often.
class SnapshotTest : public OperationTest {
  protected:
    static nlohmann::json do_it(const rbd::Operation& operation, const nlohmann::json& given, int attempt = 1) {
        FakeOperationContext context(&ours(), attempt);
        return run(operation, given, context);
    }

    /// The error of an operation that fails.
    static Error failure(const rbd::Operation& operation, const nlohmann::json& given, int attempt = 1) {
        return error_of([&] { do_it(operation, given, attempt); });
    }

    /// Arguments for a snapshot of an image of pool rbd.
    static nlohmann::json at(const std::string& image, const std::string& snapshot,
                             const nlohmann::json& more = nlohmann::json::object()) {
        nlohmann::json arguments = {{"image_spec", "rbd/" + image}, {"snapshot_name", snapshot}};
        arguments.update(more);
        return arguments;
    }

    static nlohmann::json image(const std::string& name, const nlohmann::json& more = nlohmann::json::object()) {
        nlohmann::json arguments = {{"image_spec", "rbd/" + name}};
        arguments.update(more);
        return arguments;
    }

    static nlohmann::json entry(const std::string& id, const nlohmann::json& more = nlohmann::json::object()) {
        nlohmann::json arguments = {{"image_id_spec", "rbd/" + id}};
        arguments.update(more);
        return arguments;
    }

    bool is_protected(const std::string& image_name, const std::string& snapshot) const {
        int result = 0;
        rbd_snap_is_protected(other_.open_read_only(image_name).get(), snapshot.c_str(), &result);
        return result != 0;
    }

    void write(const std::string& image_name, char byte, std::uint64_t offset = 0) const {
        const std::string data(4096, byte);
        const auto open = other_.open(image_name);
        ASSERT_EQ(rbd_write(open.get(), offset, data.size(), data.data()), static_cast<ssize_t>(data.size()));
        ASSERT_EQ(rbd_flush(open.get()), 0);
    }

    char first_byte(const std::string& image_name) const {
        char byte = '?';
        rbd_read(other_.open_read_only(image_name).get(), 0, 1, &byte);
        return byte;
    }

    bool is_in_trash(const std::string& id) const {
        rbd_trash_image_info_t info{};
        if (rbd_trash_get(other_.pool(), id.c_str(), &info) < 0) return false;
        rbd_trash_get_cleanup(&info);
        return true;
    }

    bool has_parent(const std::string& image_name) const {
        rbd_linked_image_spec_t parent{};
        rbd_snap_spec_t snapshot{};
        if (rbd_get_parent(other_.open_read_only(image_name).get(), &parent, &snapshot) < 0) return false;
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

    /// Whether the reports rise and, if any, end at the whole.
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
};

}  // namespace taskd::test
