#include "ceph/checked_caller.hpp"
#include "ceph/cluster.hpp"
#include "ceph/command_port.hpp"
#include "comparison.hpp"
#include "subjects.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>

#include <taskd/task_manager.hpp>

namespace taskd::bench {
namespace {

constexpr std::ptrdiff_t at_a_time = 64;
constexpr const char* text = R"({"prefix": "osd pool ls", "format": "json"})";

void send_bare(const ceph::Cluster& cluster) {
    const char* command = text;
    char* output = nullptr;
    char* status = nullptr;
    std::size_t output_size = 0;
    std::size_t status_size = 0;
    const int rc =
        rados_mon_command(cluster.handle(), &command, 1, nullptr, 0, &output, &output_size, &status, &status_size);
    rados_buffer_free(output);
    rados_buffer_free(status);
    if (rc != 0) throw std::runtime_error("rados_mon_command: " + std::to_string(rc));
}

}  // namespace

void compare_commands(const ceph::ClusterOptions& options, const Turns& turns) {
    const std::shared_ptr<const ceph::Cluster> cluster = ceph::Cluster::connect(options);
    TaskManager manager;
    // Half of it again: one kind of daemon gets no more than three quarters of the threads.
    ceph::CommandSender sender(
        std::make_shared<ceph::CheckedCaller>(std::make_shared<ceph::LibradosCaller>([cluster] { return cluster; })),
        {.max_threads = 86});
    ceph::SenderCommandPort port(sender, manager.notifications());
    const auto command = nlohmann::json::parse(text);

    // The end of one begins the next, as 64 threads do on the other side: no thread in between that hands them out.
    const auto ours = [&](std::size_t first, std::size_t count) {
        std::atomic<std::size_t> next{first};
        std::counting_semaphore<> ended(0);
        const std::function<void()> run_next = [&] {
            for (;;) {
                const auto number = next.fetch_add(1);
                if (number >= first + count) return ended.release();
                RunOptions run;
                run.executor = std::make_unique<SendCommandExecutor>(port, "mon");
                const auto task = manager.run(
                    "command", {{"n", number}}, [&command] { return command; }, std::move(run));
                if (task->on_finished(run_next) != 0) return;
            }
        };
        for (std::ptrdiff_t n = 0; n < at_a_time; ++n) run_next();
        for (std::ptrdiff_t n = 0; n < at_a_time; ++n) ended.acquire();
    };
    compare(turns, ours, [&](std::size_t first, std::size_t count) {
        share_out(at_a_time, first, count, [&](std::size_t) { send_bare(*cluster); });
    });
    sender.stop();
}

}  // namespace taskd::bench
