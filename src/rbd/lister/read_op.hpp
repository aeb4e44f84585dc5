#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rados/librados.h>

namespace taskd::rbd {

/// A compound read of one object, and then its answers. Each part has a return code of its own and does not fail the
/// others: a header without stripes has no answer to get_stripe_unit_count, and all the others.
/// @thread  One at a time. Must live until librados has called back.
class ReadOp {
  public:
    ReadOp();
    ~ReadOp();
    ReadOp(ReadOp&&) noexcept = default;
    ReadOp& operator=(ReadOp&&) noexcept = default;
    ReadOp(const ReadOp&) = delete;
    ReadOp& operator=(const ReadOp&) = delete;

    /// Calls a method of an object class. @returns the part's number
    std::size_t exec(const char* method, const std::string& input = {}, const char* object_class = "rbd");
    /// Up to `most` omap entries that begin with `prefix` and come after `after`.
    std::size_t entries(const std::string& after, const std::string& prefix, std::uint64_t most);
    /// The object's data, at most `most` bytes.
    std::size_t data(std::size_t most);
    /// Fails the whole read (ERANGE, EOVERFLOW) unless the object has this version: what is known of it is still true.
    void require_version(std::uint64_t version);

    /// As librados takes it.
    rados_read_op_t handle() const noexcept { return op_.get(); }

    /// Stands for a part that was not asked for: it failed, with no answer.
    static constexpr std::size_t no_part = static_cast<std::size_t>(-1);

    /// Negative errno of a part that failed; of all parts when the read did (`fail`).
    int result(std::size_t part) const noexcept;
    /// What exec or data gave, empty when it failed.
    std::string_view answer(std::size_t part) const noexcept;

    using Entries = std::vector<std::pair<std::string, std::string>>;
    /// What `entries` gave. Once.
    Entries take_entries(std::size_t part);
    /// Whether there are entries after those.
    bool has_more(std::size_t part) const noexcept;

    /// Tells that the whole read ended with `rc`.
    void end(int rc) noexcept { rc_ = rc; }
    int rc() const noexcept { return rc_; }

    /// Of the object when it was read.
    std::uint64_t version = 0;

  private:
    struct ReleaseOp {
        using pointer = rados_read_op_t;
        void operator()(rados_read_op_t op) const noexcept { rados_release_read_op(op); }
    };
    /// librados writes into it, so its address stays.
    struct Part {
        Part() = default;
        ~Part();
        Part(const Part&) = delete;
        Part& operator=(const Part&) = delete;

        int rc = 0;
        char* allocated = nullptr;  ///< By librados, of exec.
        std::size_t size = 0;
        std::string data;
        rados_omap_iter_t iterator = nullptr;
        unsigned char more = 0;
    };

    Part& add();

    std::unique_ptr<void, ReleaseOp> op_;
    std::unique_ptr<std::deque<Part>> parts_;
    int rc_ = 0;
};

}  // namespace taskd::rbd
