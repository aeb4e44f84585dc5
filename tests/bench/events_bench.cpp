// What viewers of the task list cost the front. Usage: events_bench [VIEWERS [SECONDS]]; build with the release preset.
//
// A front with 1,000 executing and 10,000 finished tasks, of which 16 report progress ten times a second each. Printed
// is the processor time of the front, as a share of one core: without viewers, with them, and with a tenth of them as
// clients that poll every 2 s instead. The clients are a process of their own.

#include "api/error_view.hpp"
#include "api/routes.hpp"
#include "http/server.hpp"
#include "support/fake_command_caller.hpp"
#include "support/fake_command_port.hpp"
#include "support/fake_worker.hpp"
#include "support/manual_executor.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace taskd;
using Clock = std::chrono::steady_clock;

constexpr int executing = 1'000;
constexpr int finished = 10'000;
constexpr int progressing = 16;

/// What the clients' process is told, and what it answers when it has done so.
struct Order {
    std::uint16_t port;
    int viewers;
    int pollers;
};
struct Report {
    std::uint64_t bytes;
    std::uint64_t events;
    std::uint64_t polls;
};

void check(bool well, const char* doing) {
    if (well) return;
    std::perror(doing);
    std::exit(EXIT_FAILURE);
}

template <typename Value>
bool read_whole(int from, Value& value) {
    return ::read(from, &value, sizeof(value)) == static_cast<ssize_t>(sizeof(value));
}
template <typename Value>
void write_whole(int to, const Value& value) {
    check(::write(to, &value, sizeof(value)) == static_cast<ssize_t>(sizeof(value)), "write");
}

int connected(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(socket >= 0 && ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "connect");
    return socket;
}

void ask(int socket, const char* path) {
    const auto request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    check(::send(socket, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()), "send");
}

std::uint64_t count_of(std::string_view text, std::string_view what) {
    std::uint64_t count = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

/// The clients: viewers read what comes, pollers ask every 2 s, as the page does. Until `orders` has something.
Report be_clients(const Order& order, int orders) {
    std::vector<pollfd> sockets{{orders, POLLIN, 0}};
    for (int count = 0; count < order.viewers + order.pollers; ++count)
        sockets.push_back({connected(order.port), POLLIN, 0});
    const auto first_poller = sockets.begin() + 1 + order.viewers;
    for (auto socket = sockets.begin() + 1; socket != first_poller; ++socket) ask(socket->fd, "/api/task/events");
    Report report{};
    auto next_poll = Clock::now();
    std::array<char, 256 * 1024> bytes{};
    for (;;) {
        if (Clock::now() >= next_poll) {
            next_poll += 2s;
            for (auto socket = first_poller; socket != sockets.end(); ++socket) ask(socket->fd, "/api/task?detail=1");
            report.polls += static_cast<std::uint64_t>(order.pollers);
        }
        ::poll(sockets.data(), sockets.size(), 10);
        if (sockets.front().revents != 0) break;
        for (std::size_t index = 1; index < sockets.size(); ++index) {
            if (sockets[index].revents == 0) continue;
            const auto got = ::recv(sockets[index].fd, bytes.data(), bytes.size(), 0);
            check(got > 0, "receive");
            report.bytes += static_cast<std::uint64_t>(got);
            if (index <= static_cast<std::size_t>(order.viewers))
                report.events += count_of({bytes.data(), static_cast<std::size_t>(got)}, "event: task");
        }
    }
    for (std::size_t index = 1; index < sockets.size(); ++index) ::close(sockets[index].fd);
    return report;
}

/// For each order: clients until the next byte, then their report.
[[noreturn]] void serve_orders(int orders, int reports) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (Order order{}; read_whole(orders, order);) {
        const auto report = be_clients(order, orders);
        char stop = 0;
        read_whole(orders, stop);
        write_whole(reports, report);
    }
    ::_exit(EXIT_SUCCESS);
}

double processor_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

ceph::CommandResult nothing(const ceph::CommandTarget&, const nlohmann::json&) {
    return {0, "", "{}"};
}

/// The front without a cluster, as the component tests have it.
struct TestedFront {
    static TaskManagerOptions task_options() {
        TaskManagerOptions options;
        options.retention = {1h, finished, finished};
        return options;
    }
    static http::ServerOptions server_options() {
        http::ServerOptions options;
        options.listen.push_back(http::Endpoint::tcp("127.0.0.1", 0));
        return options;
    }

    TestedFront() {
        services.events = &events;
        for (int number = 0; number < finished; ++number) test::run_manual(tasks, "rbd/delete", about(number)).finish();
        for (int number = 0; number < executing; ++number) {
            held.push_back(test::run_manual(tasks, "rbd/delete", about(number)).task);
            held.back()->set_phase(TaskPhase::running);
        }
        server.emplace(server_options(), api::make_router(services));
        server->start();
    }
    static nlohmann::json about(int number) { return {{"image_spec", "rbd/image-" + std::to_string(number)}}; }

    test::FakeCrew crew;
    TaskManager tasks{task_options()};
    worker::Dispatcher dispatcher{{}, crew.factory()};
    worker::OperationService operations{
        tasks, rbd::OperationRegistry::builtin(), dispatcher, {}, api::task_failure_view};
    test::FakeCommandPort commands{tasks.notifications()};
    ceph::CommandSender sender{std::make_shared<test::FakeCommandCaller>(&nothing)};
    ceph::ClusterStatus cluster{sender};
    api::TaskEvents events{tasks};
    api::Services services{tasks, operations, commands, [] { return nullptr; }, cluster};
    std::vector<std::shared_ptr<Task>> held;
    std::optional<http::Server> server;
};

/// Reports the progress of some tasks for so long. @returns  The processor time meanwhile, as a share of a core.
double run_for(std::chrono::seconds time, const TestedFront& front) {
    const auto begin = Clock::now();
    const auto before = processor_seconds();
    int percent = 0;
    for (auto next = begin; next < begin + time; next += 100ms) {
        percent = percent % 99 + 1;
        for (int number = 0; number < progressing; ++number)
            front.held[static_cast<std::size_t>(number)]->set_progress(percent);
        std::this_thread::sleep_until(next + 100ms);
    }
    return (processor_seconds() - before) / std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
    const int clients = argc > 1 ? std::atoi(argv[1]) : 100;
    const std::chrono::seconds time(argc > 2 ? std::atoi(argv[2]) : 10);
    std::array<int, 2> orders{};
    std::array<int, 2> reports{};
    check(::pipe(orders.data()) == 0 && ::pipe(reports.data()) == 0, "pipe");
    const auto child = ::fork();  // before there are threads
    check(child >= 0, "fork");
    if (child == 0) {
        ::close(orders[1]);
        serve_orders(orders[0], reports[1]);
    }
    {
        TestedFront front;
        const auto port = front.server->endpoints().front().port;
        const auto measure = [&](const char* what, int viewers, int pollers) {
            write_whole(orders[1], Order{port, viewers, pollers});
            run_for(1s, front);  // until all are connected
            const auto share = run_for(time, front);
            write_whole(orders[1], '.');
            Report report{};
            check(read_whole(reports[0], report), "the clients' report");
            const auto seconds = static_cast<double>(time.count()) + 1;
            std::printf("%-24s %6.2f %% of a core  %8.0f events/s  %8.0f polls/s  %8.1f KiB/s\n", what, share * 100,
                        static_cast<double>(report.events) / seconds, static_cast<double>(report.polls) / seconds,
                        static_cast<double>(report.bytes) / seconds / 1024);
        };
        measure("nobody", 0, 0);
        measure((std::to_string(clients) + " viewers").c_str(), clients, 0);
        measure((std::to_string(clients / 10) + " pollers").c_str(), 0, clients / 10);
        front.server->stop(0ms);
    }
    ::close(orders[1]);
    ::waitpid(child, nullptr, 0);
    return EXIT_SUCCESS;
}
