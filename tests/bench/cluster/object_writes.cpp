#include "ceph/cluster.hpp"
#include "comparison.hpp"
#include "subjects.hpp"

#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>

#include <taskd/aio_executor.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::bench {
namespace {

constexpr std::ptrdiff_t in_flight = 128;
constexpr std::size_t objects = 1024;

std::string object_name(std::size_t number) {
    return "bench." + std::to_string(number % objects);
}

using Room = std::counting_semaphore<>;

void wait_for_all(Room& room) {
    for (std::ptrdiff_t n = 0; n < in_flight; ++n) room.acquire();
}

void write_bare(rados_ioctx_t io, const std::string& data, std::size_t first, std::size_t count) {
    Room room(in_flight);
    for (std::size_t n = first; n < first + count; ++n) {
        room.acquire();
        rados_completion_t completion = nullptr;
        rados_aio_create_completion2(
            &room, [](rados_completion_t, void* given) { static_cast<Room*>(given)->release(); }, &completion);
        const int rc = rados_aio_write(io, object_name(n).c_str(), completion, data.data(), data.size(), 0);
        rados_aio_release(completion);
        if (rc != 0) throw std::runtime_error("rados_aio_write: " + std::to_string(rc));
    }
    wait_for_all(room);
}

}  // namespace

void compare_object_writes(const ceph::ClusterOptions& options, const Turns& turns) {
    const auto cluster = ceph::Cluster::connect(options);
    const auto io = cluster->open_ioctx("rbd", "taskd-bench");
    const std::string data(512, 'x');
    AioWindow window({.in_flight = in_flight});
    TaskManager manager;

    const auto ours = [&](std::size_t first, std::size_t count) {
        Room room(in_flight);
        for (std::size_t n = first; n < first + count; ++n) {
            room.acquire();
            auto executor = std::make_unique<AioExecutor>(window);
            const auto write = [&, n, completion = executor->completion()] {
                completion.start("write object", [&](void* c) {
                    return rados_aio_write(io.handle(), object_name(n).c_str(), c, data.data(), data.size(), 0);
                });
            };
            RunOptions run;
            run.executor = std::move(executor);
            const auto task = manager.run("object/write", {{"n", n}}, write, std::move(run));
            if (task->on_finished([&room] { room.release(); }) == 0) room.release();
        }
        wait_for_all(room);
    };
    compare(turns, ours, [&](std::size_t first, std::size_t count) { write_bare(io.handle(), data, first, count); });
    window.stop();
}

}  // namespace taskd::bench
