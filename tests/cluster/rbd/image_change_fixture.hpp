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

    /// What an interrupted or failed copy would leave.
    std::vector<std::string> unfinished() const {
        std::vector<std::string> names;
        for (const auto& name : other_.listed())
            if (name.starts_with("taskd-copy-")) names.push_back(name);
        return names;
    }

    /// And whether they end at the whole.
    static void expect_rising(const FakeOperationContext& context, std::size_t at_least) {
        OperationTest::expect_rising(context, at_least);
        if (context.reports().empty()) return;
        const auto [done, total] = context.reports().back();
        EXPECT_EQ(done, total);
    }
};

}  // namespace taskd::test
