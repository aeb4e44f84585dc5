#include "rbd/lister/reader.hpp"

#include <cerrno>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <taskd/error.hpp>

namespace taskd::rbd {

using Clock = std::chrono::steady_clock;

struct Reader::Read {
    std::shared_ptr<const ceph::Ioctx> io;
    std::string object;
    ReadOp op;
    Then then;  ///< Empty once it was called.
    std::int64_t pool = 0;
    Key key = 0;
    Clock::time_point started_at{};
    ceph::Completion completion{};
    // Of a probe, which librados points to.
    std::uint64_t object_size = 0;
    std::time_t modified_at = 0;
};

Reader::Reader(boost::asio::io_context& context, ReadLimits limits)
    : context_(context), limits_(limits), timer_(context) {}

Reader::~Reader() = default;

bool Reader::is_limping(std::int64_t pool) const {
    const auto found = pools_.find(pool);
    return found != pools_.end() && found->second.probe;
}

void Reader::read(std::shared_ptr<const ceph::Ioctx> io, const std::string& object, ReadOp op, Then then) {
    const auto read = std::make_shared<Read>();
    read->pool = io->pool_id();
    read->io = std::move(io);
    read->object = object;
    read->op = std::move(op);
    read->then = std::move(then);
    if (stopping_) {
        boost::asio::post(context_, [this, read] { hand_on(read, -ECANCELED); });
        return;
    }
    pools_[read->pool].waiting.push_back(read);
    ++waiting_;
    start_what_fits();
}

void Reader::start_what_fits() {
    while (waiting_ > 0 && in_flight_.size() < limits_.in_flight) {
        bool started = false;
        for (auto& [id, pool] : pools_) {  // in turn: a pool with many reads does not hold up one with few
            if (pool.waiting.empty() || pool.in_flight >= limits_.in_flight_per_pool) continue;
            const auto next = std::move(pool.waiting.front());
            pool.waiting.pop_front();
            --waiting_;
            ++pool.in_flight;
            start(next);
            started = true;
            if (in_flight_.size() >= limits_.in_flight) break;
        }
        if (!started) break;
    }
}

void Reader::start(const std::shared_ptr<Read>& read) {
    read->key = ++last_key_;
    read->started_at = Clock::now();
    in_flight_.emplace(read->key, read);
    try {
        read->completion = ceph::start_aio(
            "read object '" + read->object + "'",
            [&](rados_completion_t completion) {
                return rados_aio_read_op_operate(read->op.handle(), read->io->handle(), completion,
                                                 read->object.c_str(), LIBRADOS_OPERATION_NOFLAG);
            },
            [this, read](int rc) { boost::asio::post(context_, [this, key = read->key, rc] { ended(key, rc); }); });
        arm();
    } catch (const Error& error) {
        const int rc = error.errno_value() != 0 ? -error.errno_value() : -EIO;
        boost::asio::post(context_, [this, key = read->key, rc] { ended(key, rc); });
    }
}

void Reader::ended(Key key, int rc) {
    const auto found = in_flight_.find(key);
    if (found == in_flight_.end()) return;
    const auto read = std::move(found->second);
    in_flight_.erase(found);
    --pools_[read->pool].in_flight;
    if (rc >= 0 && read->completion) read->op.version = rados_aio_get_version(read->completion.get());
    start_what_fits();
    hand_on(read, rc);
}

void Reader::hand_on(const std::shared_ptr<Read>& read, int rc) {
    if (!read->then) return;
    read->op.end(rc);
    std::exchange(read->then, nullptr)(read->op);
}

void Reader::arm() {
    constexpr std::chrono::milliseconds tick{50};
    if (std::exchange(armed_, true)) return;
    timer_.expires_after(tick);
    timer_.async_wait([this](const boost::system::error_code& error) {
        armed_ = false;
        if (!error) check_deadlines();
    });
}

void Reader::check_deadlines() {
    const auto now = Clock::now();
    std::vector<std::shared_ptr<Read>> missed;
    for (const auto& [key, read] : in_flight_) {
        if (!read->then) continue;
        const auto limit = is_limping(read->pool) ? limits_.deadline_when_limping : limits_.deadline;
        if (now - read->started_at >= limit) missed.push_back(read);
    }
    for (const auto& read : missed) miss(read);
    if (!in_flight_.empty()) arm();
}

void Reader::miss(const std::shared_ptr<Read>& read) {
    if (!pools_[read->pool].probe) probe(read);
    rados_aio_cancel(read->io->handle(), read->completion.get());
    // The answer is late from here on, whatever the callback brings. Its buffers are still librados': the caller gets
    // an empty one.
    ReadOp nothing;
    nothing.end(-ETIMEDOUT);
    std::exchange(read->then, nullptr)(nothing);
}

void Reader::probe(const std::shared_ptr<Read>& missed) {
    const auto probe = std::make_shared<Read>();
    probe->io = missed->io;
    probe->object = missed->object;
    probe->pool = missed->pool;
    try {
        ++probes_;
        probe->completion = ceph::start_aio(
            "look at object '" + probe->object + "'",
            [&](rados_completion_t completion) {
                return rados_aio_stat(probe->io->handle(), probe->object.c_str(), completion, &probe->object_size,
                                      &probe->modified_at);
            },
            [this, probe](int) {
                boost::asio::post(context_, [this, probe] {
                    --probes_;
                    pools_[probe->pool].probe.reset();
                });
            });
        pools_[probe->pool].probe = probe;
    } catch (const Error&) {
        --probes_;
    }
}

void Reader::stop() {
    stopping_ = true;
    for (auto& [id, pool] : pools_) {
        for (const auto& read : std::exchange(pool.waiting, {})) {
            --waiting_;
            boost::asio::post(context_, [this, read] { hand_on(read, -ECANCELED); });
        }
        if (pool.probe) rados_aio_cancel(pool.probe->io->handle(), pool.probe->completion.get());
    }
    for (const auto& [key, read] : in_flight_)
        if (read->completion) rados_aio_cancel(read->io->handle(), read->completion.get());
}

}  // namespace taskd::rbd
