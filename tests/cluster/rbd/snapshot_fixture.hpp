#pragma once

#include "cluster/rbd/operation_test.hpp"

#include <cerrno>
#include <string>

namespace taskd::test {

/// Operations on snapshots, clones and the trash of pool rbd, with what their tests say often.
class SnapshotTest : public OperationTest {
  protected:
    /// Arguments for a snapshot of an image of pool rbd.
    static nlohmann::json at(const std::string& image, const std::string& snapshot,
                             const nlohmann::json& more = nlohmann::json::object()) {
        nlohmann::json arguments = {{"image_spec", "rbd/" + image}, {"snapshot_name", snapshot}};
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
};

}  // namespace taskd::test
