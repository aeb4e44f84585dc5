#pragma once

#include "cluster/rbd/operation_test.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <rbd/features.h>

namespace taskd::test {

/// Operations that change or copy images of pool rbd, with what their tests say often.
class ImageChangeTest : public OperationTest {
  protected:
    static constexpr std::uint64_t mib = 1 << 20;
    static constexpr std::uint64_t usual_features =
        RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF;

    static nlohmann::json do_it(const rbd::Operation& operation, const nlohmann::json& given, int attempt = 1) {
        FakeOperationContext context(&ours(), attempt);
        return run(operation, given, context);
    }

    /// The error of an operation that fails.
    static Error failure(const rbd::Operation& operation, const nlohmann::json& given, int attempt = 1) {
        return error_of([&] { do_it(operation, given, attempt); });
    }

    static nlohmann::json image(const std::string& name, const nlohmann::json& more = nlohmann::json::object()) {
        nlohmann::json arguments = {{"image_spec", "rbd/" + name}};
        arguments.update(more);
        return arguments;
    }

    static nlohmann::json to(const std::string& from, const std::string& name,
                             const nlohmann::json& more = nlohmann::json::object()) {
        auto arguments =
            image(from, {{"dest_pool_name", "rbd"}, {"dest_namespace", nullptr}, {"dest_image_name", name}});
        arguments.update(more);
        return arguments;
    }

    /// Some data at these places, different at each.
    void write(const std::string& name, const std::vector<std::uint64_t>& offsets, std::size_t length = 4096) const {
        const auto open = other_.open(name);
        for (const auto offset : offsets) {
            const std::string data(length, static_cast<char>('a' + offset / length % 26));
            ASSERT_EQ(rbd_write(open.get(), offset, data.size(), data.data()), static_cast<ssize_t>(data.size()));
        }
        ASSERT_EQ(rbd_flush(open.get()), 0);
    }

    /// A bit of data in each of its objects of 4 MiB.
    void fill(const std::string& name, std::uint64_t size) const {
        std::vector<std::uint64_t> offsets;
        for (std::uint64_t at = 0; at < size; at += 4 * mib) offsets.push_back(at);
        write(name, offsets);
    }

    /// All of an image's data, or of its snapshot's.
    std::string content(const std::string& name, const char* snapshot = nullptr) const {
        const auto open = other_.open_read_only(name);
        EXPECT_EQ(rbd_snap_set(open.get(), snapshot), 0);
        std::uint64_t size = 0;
        rbd_get_size(open.get(), &size);
        std::string data(size, '?');
        EXPECT_EQ(rbd_read(open.get(), 0, data.size(), data.data()), static_cast<ssize_t>(size));
        return data;
    }

    std::uint64_t size_of(const std::string& name) const {
        std::uint64_t size = 0;
        rbd_get_size(other_.open_read_only(name).get(), &size);
        return size;
    }

    std::uint64_t features_of(const std::string& name) const {
        std::uint64_t features = 0;
        rbd_get_features(other_.open_read_only(name).get(), &features);
        return features;
    }

    std::uint64_t flags_of(const std::string& name) const {
        std::uint64_t flags = 0;
        rbd_get_flags(other_.open_read_only(name).get(), &flags);
        return flags;
    }

    bool has_parent(const std::string& name) const {
        rbd_linked_image_spec_t parent{};
        rbd_snap_spec_t snapshot{};
        if (rbd_get_parent(other_.open_read_only(name).get(), &parent, &snapshot) < 0) return false;
        rbd_linked_image_spec_cleanup(&parent);
        rbd_snap_spec_cleanup(&snapshot);
        return true;
    }

    /// What an interrupted or failed copy would leave.
    std::vector<std::string> unfinished() const {
        std::vector<std::string> names;
        for (const auto& name : other_.listed())
            if (name.starts_with("taskd-copy-")) names.push_back(name);
        return names;
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

    /// Whether the reports rise, through so many values, and end at the whole (or one object before it).
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
        if (!context.reports().empty()) {
            EXPECT_EQ(last, context.reports().back().second);
        }
    }
};

}  // namespace taskd::test
