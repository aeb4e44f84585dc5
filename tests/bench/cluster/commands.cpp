#include "ceph/checked_caller.hpp"
#include "ceph/cluster.hpp"
#include "ceph/command_port.hpp"
#include "comparison.hpp"
#include "subjects.hpp"

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>

#include <taskd/task_manager.hpp>

namespace taskd::bench {
namespace {

constexpr std::size_t at_a_time = 64;
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

    // As a thread of the bare side sends its next command when it has its answer, a task's end begins the next task.
    const auto ours = [&](std::size_t first, std::size_t count) {
        std::atomic<std::size_t> next = first;
        std::atomic<bool> failed = false;
        std::latch ended(static_cast<std::ptrdiff_t>(count));
        std::function<void()> begin_next;
        const auto begin = [&](std::size_t n) {
            RunOptions run;
            run.executor = std::make_unique<SendCommandExecutor>(port, "mon");
            const auto task = manager.run(
                "command", {{"n", n}}, [&command] { return command; }, std::move(run));
            const auto on_end = [&, task] {
                if (task->failure()) failed = true;
                begin_next();
                ended.count_down();
            };
            if (task->on_finished(on_end) == 0) on_end();
        };
        begin_next = [&] {
            const std::size_t n = next++;
            if (n >= first + count) return;
            try {
                begin(n);
            } catch (const std::exception&) {
                failed = true;
                ended.count_down();
                begin_next();
            }
        };
        for (std::size_t n = 0; n < at_a_time; ++n) begin_next();
        ended.wait();
        if (failed) throw std::runtime_error("a command failed as a task");
    };
    compare(turns, ours, [&](std::size_t first, std::size_t count) {
        share_out(at_a_time, first, count, [&](std::size_t) { send_bare(*cluster); });
    });
    sender.stop();
}

}  // namespace taskd::bench
