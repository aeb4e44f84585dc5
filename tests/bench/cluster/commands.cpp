#include "ceph/checked_caller.hpp"
#include "ceph/cluster.hpp"
#include "ceph/command_port.hpp"
#include "comparison.hpp"
#include "subjects.hpp"

#include <atomic>
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

    const auto ours = [&](std::size_t first, std::size_t count) {
        std::counting_semaphore<> room(at_a_time);
        for (std::size_t n = first; n < first + count; ++n) {
            room.acquire();
            RunOptions run;
            run.executor = std::make_unique<SendCommandExecutor>(port, "mon");
            const auto task = manager.run(
                "command", {{"n", n}}, [&command] { return command; }, std::move(run));
            if (task->on_finished([&room] { room.release(); }) == 0) room.release();
        }
        for (std::ptrdiff_t n = 0; n < at_a_time; ++n) room.acquire();
    };
    compare(turns, ours, [&](std::size_t first, std::size_t count) {
        share_out(at_a_time, first, count, [&](std::size_t) { send_bare(*cluster); });
    });
    sender.stop();
}

}  // namespace taskd::bench
