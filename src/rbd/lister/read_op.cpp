#include "rbd/lister/read_op.hpp"

#include <cerrno>

namespace taskd::rbd {

ReadOp::Part::~Part() {
    if (allocated != nullptr) rados_buffer_free(allocated);
    if (iterator != nullptr) rados_omap_get_end(iterator);
}

ReadOp::ReadOp() : op_(rados_create_read_op()), parts_(std::make_unique<std::deque<Part>>()) {}

ReadOp::~ReadOp() = default;

ReadOp::Part& ReadOp::add() {
    return parts_->emplace_back();
}

std::size_t ReadOp::exec(const char* method, const std::string& input, const char* object_class) {
    Part& part = add();
    rados_read_op_exec(op_.get(), object_class, method, input.data(), input.size(), &part.allocated, &part.size,
                       &part.rc);
    rados_read_op_set_flags(op_.get(), LIBRADOS_OP_FLAG_FAILOK);
    return parts_->size() - 1;
}

std::size_t ReadOp::entries(const std::string& after, const std::string& prefix, std::uint64_t most) {
    Part& part = add();
    rados_read_op_omap_get_vals2(op_.get(), after.c_str(), prefix.c_str(), most, &part.iterator, &part.more, &part.rc);
    rados_read_op_set_flags(op_.get(), LIBRADOS_OP_FLAG_FAILOK);
    return parts_->size() - 1;
}

std::size_t ReadOp::data(std::size_t most) {
    Part& part = add();
    part.data.resize(most);
    rados_read_op_read(op_.get(), 0, most, part.data.data(), &part.size, &part.rc);
    return parts_->size() - 1;
}

void ReadOp::require_version(std::uint64_t known) {
    rados_read_op_assert_version(op_.get(), known);
}

int ReadOp::result(std::size_t part) const noexcept {
    if (rc_ < 0) return rc_;
    return part < parts_->size() ? (*parts_)[part].rc : -ENOENT;
}

std::string_view ReadOp::answer(std::size_t part) const noexcept {
    if (result(part) < 0) return {};
    const Part& asked = (*parts_)[part];
    return asked.allocated != nullptr ? std::string_view(asked.allocated, asked.size)
                                      : std::string_view(asked.data).substr(0, asked.size);
}

ReadOp::Entries ReadOp::take_entries(std::size_t part) {
    Entries result;
    if (this->result(part) < 0) return result;
    const Part& asked = (*parts_)[part];
    if (asked.iterator == nullptr) return result;
    for (;;) {
        char* key = nullptr;
        char* value = nullptr;
        std::size_t key_size = 0;
        std::size_t value_size = 0;
        rados_omap_get_next2(asked.iterator, &key, &value, &key_size, &value_size);
        if (key == nullptr) return result;
        result.emplace_back(std::string(key, key_size), std::string(value, value_size));
    }
}

bool ReadOp::has_more(std::size_t part) const noexcept {
    return result(part) >= 0 && (*parts_)[part].more != 0;
}

}  // namespace taskd::rbd
