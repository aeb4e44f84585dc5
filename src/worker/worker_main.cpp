#include "worker/worker_main.hpp"

#include "ceph/cluster.hpp"
#include "ceph/options.hpp"
#include "core/core_files.hpp"
#include "core/mutex.hpp"
#include "core/priority.hpp"
#include "core/thread_name.hpp"
#include "worker/frame.hpp"
#include "worker/privileges.hpp"
#include "worker/protocol.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <sys/prctl.h>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::worker {
namespace {

/// The channel to the front. A front that is gone leaves nothing to live for.
class Channel final : public JobSink {
  public:
    void send(const nlohmann::json& message) noexcept {
        const std::string frame = encode_frame(message);
        MutexLock lock(mutex_);
        for (std::size_t sent = 0; sent < frame.size();) {
            const ssize_t n = ::write(channel_descriptor, frame.data() + sent, frame.size() - sent);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) ::_exit(EXIT_FAILURE);
            sent += static_cast<std::size_t>(n);
        }
    }

    /// Waits for messages. Ends the process when the front has closed its end.
    std::vector<nlohmann::json> receive() {
        std::array<char, 65536> buffer{};
        for (;;) {
            const ssize_t n = ::read(channel_descriptor, buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            // Not exit(): its destructors would wait for operations that nobody wants any more.
            if (n <= 0) ::_exit(EXIT_SUCCESS);
            auto messages = reader_.feed({buffer.data(), static_cast<std::size_t>(n)});
            if (!messages.empty()) return messages;
        }
    }

    void progress(const std::string& id, int percent) noexcept override { send(protocol::progress(id, percent)); }
    void result(const std::string& id, nlohmann::json value, nlohmann::json error) noexcept override {
        send(protocol::result(id, std::move(value), std::move(error)));
    }

  private:
    Mutex mutex_;
    FrameReader reader_;
};

void bind_life_to(long parent) {
    // The channel's end tells it as well, but only once a thread reads it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(EXIT_SUCCESS);
}

void obey(JobRunner& runner, const nlohmann::json& message) {
    const auto type = message.at("type").get<std::string>();
    if (type == protocol::run_type) {
        runner.run(protocol::parse_run(message));
    } else if (type == protocol::cancel_type) {
        runner.cancel(message.at("id").get<std::string>());
    } else {
        throw std::runtime_error("worker channel: unknown message '" + type + "'");
    }
}

}  // namespace

int worker_main(const rbd::OperationRegistry& registry, long parent, StepHook step_hook) {
    bind_life_to(parent);
    // librbd aborts by assert: beside the keys, hundreds of megabytes of core for each would fill the disk of the
    // front.
    if (are_core_files_forbidden()) forbid_core_files();
    give_up_privileges();
    name_this_thread("taskd-worker");
    Channel channel;
    auto messages = channel.receive();
    const auto setup = protocol::parse_setup(messages.front());
    messages.erase(messages.begin());
    set_nice_value(setup.nice);  // before there are other threads

    std::shared_ptr<ceph::Cluster> cluster;
    try {
        cluster = ceph::Cluster::connect(setup.cluster);
        channel.send(protocol::ready(cluster->addresses()));
    } catch (const std::exception&) {
        channel.send(protocol::unavailable(error_to_json(std::current_exception())));
        return EXIT_FAILURE;
    }
    JobRunner runner(cluster, registry, channel, setup.most_jobs, std::move(step_hook));
    for (;; messages = channel.receive())
        for (const auto& message : messages) obey(runner, message);
}

}  // namespace taskd::worker
