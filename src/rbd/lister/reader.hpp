#pragma once

#include "ceph/aio.hpp"
#include "ceph/cluster.hpp"
#include "rbd/lister/read_op.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace taskd::rbd {

struct ReadLimits {
    /// Reads under way. librados blocks whoever starts more than `objecter_inflight_ops` (1024), and others start too.
    std::size_t in_flight = 640;
    std::size_t in_flight_per_pool = 320;  ///< So that one sick pool leaves room for the others.
    /// From the start of a read to its answer; then it ends with ETIMEDOUT.
    std::chrono::milliseconds deadline{1'200};
    /// The same in a pool of which a read has not been answered and is still under way.
    std::chrono::milliseconds deadline_when_limping{250};
};

/// Reads of objects, hundreds at a time, without a thread that waits: what is read is handed on by librados' callback
/// to the context's thread.
///
/// Deadlines are the reader's own. The first read of a pool that misses its deadline is asked again without one, and
/// until that is answered the pool is limping: nobody waits long for it. All others are taken back.
/// @thread  The one that runs the context, for every member. Callbacks come there, never inside a call.
class Reader {
  public:
    using Then = std::function<void(ReadOp& answer)>;

    Reader(boost::asio::io_context& context, ReadLimits limits);
    /// Takes back what is under way. The context must still be run until `is_idle()`.
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// @param io    Of the object's pool and namespace; kept until the read has ended.
    /// @param then  Called once.
    void read(std::shared_ptr<const ceph::Ioctx> io, const std::string& object, ReadOp op, Then then);

    bool is_limping(std::int64_t pool) const;

    /// Takes back everything: each callback comes with ECANCELED, and every later read ends so at once.
    void stop();
    /// Whether librados holds nothing of ours any more.
    bool is_idle() const noexcept { return in_flight_.empty() && probes_ == 0; }

  private:
    struct Read;
    struct Pool {
        std::size_t in_flight = 0;
        std::deque<std::shared_ptr<Read>> waiting;
        std::shared_ptr<Read> probe;  ///< While it limps.
    };
    using Key = std::uint64_t;

    void start_what_fits();
    void start(const std::shared_ptr<Read>& read);
    void ended(Key key, int rc);
    void hand_on(const std::shared_ptr<Read>& read, int rc);
    void arm();
    void check_deadlines();
    void miss(const std::shared_ptr<Read>& read);
    void probe(const std::shared_ptr<Read>& missed);

    boost::asio::io_context& context_;
    const ReadLimits limits_;
    std::map<std::int64_t, Pool> pools_;
    std::unordered_map<Key, std::shared_ptr<Read>> in_flight_;
    Key last_key_ = 0;
    std::size_t waiting_ = 0;
    std::size_t probes_ = 0;
    bool stopping_ = false;
    bool armed_ = false;
    boost::asio::steady_timer timer_;
};

}  // namespace taskd::rbd
