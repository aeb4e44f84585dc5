#include "rbd/copy_data.hpp"

#include "rbd/error.hpp"
#include "rbd/extents.hpp"
#include "rbd/progress.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t chunk_bytes = 4 << 20;
constexpr std::size_t slots = 8;         // half of them are being read, half written
constexpr std::uint64_t granule = 4096;  // zeros of this size and alignment are left out
constexpr int hints = LIBRADOS_OP_FLAG_FADVISE_SEQUENTIAL | LIBRADOS_OP_FLAG_FADVISE_NOCACHE;

/// A request to librbd; waits for its end before it goes.
class Request {
  public:
    Request() {
        if (const int rc = rbd_aio_create_completion(nullptr, nullptr, &completion_); rc < 0)
            throw rbd_error(rc, "error creating completion");
    }
    ~Request() {
        if (is_started_ && completion_ != nullptr) rbd_aio_wait_for_complete(completion_);
        if (completion_ != nullptr) rbd_aio_release(completion_);
    }
    Request(Request&& other) noexcept
        : completion_(std::exchange(other.completion_, nullptr)), is_started_(other.is_started_) {}
    Request& operator=(Request&&) = delete;

    /// @param start  A call of librbd that takes the completion.
    template <typename Start>
    void start(Start start, const std::string& doing) {
        if (const int rc = start(completion_); rc < 0) throw rbd_error(rc, doing);
        is_started_ = true;
    }
    void wait(const std::string& doing) const {
        rbd_aio_wait_for_complete(completion_);
        if (const auto rc = rbd_aio_get_return_value(completion_); rc < 0) throw rbd_error(static_cast<int>(rc), doing);
    }

  private:
    rbd_completion_t completion_ = nullptr;
    bool is_started_ = false;
};

bool is_zero(const char* data, std::uint64_t size) {
    return data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0;
}

/// A piece of the image on its way: read, then written.
class Slot {
  public:
    Slot(const Image& source, const Image& target, const std::string& doing)
        : source_(source), target_(target), doing_(doing), data_(chunk_bytes) {}

    void read(const Extent& extent) {
        extent_ = extent;
        read_ = std::make_unique<Request>();
        read_->start(
            [&](rbd_completion_t done) {
                return rbd_aio_read2(source_.handle(), extent.offset, extent.length, data_.data(), done, hints);
            },
            doing_);
    }

    void write() {
        if (!read_) return;
        read_->wait(doing_);
        read_.reset();
        for (std::uint64_t at = 0; at < extent_.length;) {
            if (is_hole(at)) {
                at += granule;
                continue;
            }
            const auto begin = at;
            while (at < extent_.length && !is_hole(at)) at += granule;
            write(begin, std::min(at, extent_.length));
        }
    }

    /// After it the slot is free.
    void finish() {
        write();
        for (const auto& request : writes_) request.wait(doing_);
        writes_.clear();
    }

  private:
    bool is_hole(std::uint64_t at) const { return is_zero(data_.data() + at, std::min(granule, extent_.length - at)); }

    void write(std::uint64_t begin, std::uint64_t end) {
        writes_.emplace_back();
        writes_.back().start(
            [&](rbd_completion_t done) {
                return rbd_aio_write2(target_.handle(), extent_.offset + begin, end - begin, data_.data() + begin, done,
                                      hints);
            },
            doing_);
    }

    const Image& source_;
    const Image& target_;
    const std::string& doing_;
    std::vector<char> data_;
    Extent extent_;
    std::unique_ptr<Request> read_;  // these wait for what uses the data, so they go first
    std::vector<Request> writes_;
};

/// The pieces on their way, in order: each is begun when the one eight before it has ended.
class Pipeline {
  public:
    Pipeline(const Image& source, const Image& target, const std::string& doing) {
        for (std::size_t i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Slot>(source, target, doing));
    }

    void copy(const Extent& extent) {
        slot(begun_).finish();
        slot(begun_).read(extent);
        if (begun_ >= slots / 2) slot(begun_ - slots / 2).write();
        ++begun_;
    }

    void finish() {
        for (std::size_t i = 0; i < slots; ++i) slot(begun_ + i).write();
        for (std::size_t i = 0; i < slots; ++i) slot(begun_ + i).finish();
    }

  private:
    Slot& slot(std::size_t number) { return *slots_[number % slots]; }

    std::vector<std::unique_ptr<Slot>> slots_;
    std::size_t begun_ = 0;
};

void report(Progress& progress, std::uint64_t done, std::uint64_t total, const std::string& doing) {
    if (const int rc = Progress::callback(done, total, &progress); rc < 0) throw rbd_error(rc, doing);
}

}  // namespace

void copy_data(const Image& source, const Image& target, std::uint64_t size_bytes, Progress& progress,
               const std::string& doing) {
    const DataExtents extents(source, size_bytes, doing);
    Pipeline pipeline(source, target, doing);
    for (std::uint64_t window = 0; window < size_bytes; window += DataExtents::window_bytes) {
        report(progress, window, size_bytes, doing);
        for (const auto& extent : extents.within(window))
            for (std::uint64_t at = extent.offset; at < extent.offset + extent.length; at += chunk_bytes) {
                report(progress, at, size_bytes, doing);
                pipeline.copy({at, std::min(chunk_bytes, extent.offset + extent.length - at)});
            }
    }
    pipeline.finish();
    if (const int rc = rbd_flush(target.handle()); rc < 0) throw rbd_error(rc, doing);
    report(progress, size_bytes, size_bytes, doing);
}

}  // namespace taskd::rbd
