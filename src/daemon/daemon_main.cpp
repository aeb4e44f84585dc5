#include "daemon/daemon_main.hpp"

#include "ceph/caps.hpp"
#include "ceph/cluster.hpp"
#include "core/core_files.hpp"
#include "core/priority.hpp"
#include "daemon/access_command.hpp"
#include "daemon/caps_command.hpp"
#include "daemon/file_limit.hpp"
#include "daemon/front.hpp"
#include "daemon/options.hpp"
#include "worker/worker_main.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

constexpr std::string_view worker_word = "worker";
constexpr std::string_view caps_word = "caps";
constexpr std::string_view user_word = "user";
constexpr std::string_view role_word = "role";

/// The signals that the main thread waits for; blocked in every thread, as they inherit the mask.
sigset_t block_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return signals;
}

void start_logging(const std::string& level) {
    auto logger = spdlog::stderr_logger_mt("ceph-taskd");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %l %v");
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
}

/// Fails with a clear line when the pool for the daemon's own state is not there.
void require_pool(const ceph::Cluster& cluster, const std::string& pool) {
    const auto name = pool.empty() ? cluster.conf("rbd_default_pool") : pool;
    try {
        (void)cluster.open_ioctx(name);
    } catch (const Error& error) {
        // librados waits for a map of the OSDs that a user without this cap is never given.
        if (error.errno_value() != ETIMEDOUT) throw;
        throw Error(error.kind(), ETIMEDOUT, error.component(),
                    error.what() + (": no map of the OSDs came. If the cluster is well, " +
                                    ceph::needed_caps_hint(cluster.options().name, "mon 'profile rbd'")));
    }
}

void announce(const Front& front) {
    std::string where;
    for (const auto& endpoint : front.endpoints()) where += " " + endpoint.url();
    std::printf("ceph-taskd ready:%s\n", where.c_str());
    std::fflush(stdout);
    ::sd_notifyf(0, "READY=1\nSTATUS=serving on%s", where.c_str());
}

/// Waits for a signal to stop; meanwhile does what SIGHUP asks for, and tells systemd's watchdog, where there is one,
/// that the process is well.
void wait_for_stop(const sigset_t& signals, Front& front) {
    std::uint64_t watchdog_us = 0;
    const bool is_watched = ::sd_watchdog_enabled(0, &watchdog_us) > 0;
    const auto interval = std::chrono::microseconds(is_watched ? watchdog_us / 3 : 3'600'000'000ULL);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval);
    const timespec timeout{static_cast<time_t>(seconds.count()),
                           static_cast<long>(std::chrono::nanoseconds(interval - seconds).count())};
    for (;;) {
        const int signal = ::sigtimedwait(&signals, nullptr, &timeout);
        if (signal == SIGTERM || signal == SIGINT) return;
        if (signal == SIGHUP) front.reload_tls();
        if (is_watched && front.is_serving()) ::sd_notify(0, "WATCHDOG=1");
    }
}

int run(const Options& options, const rbd::OperationRegistry& registry) {
    if (options.core_files)
        allow_core_files();
    else
        forbid_core_files();
    const sigset_t signals = block_signals();
    start_logging(options.log_level);
    raise_file_limit();
    // Without worker processes the front does their work.
    const int nice = options.worker_nice + options.nice;
    if (options.dispatcher.workers > 0 && !set_nice_value(nice))
        spdlog::info("the nice value stays {}: {} is not allowed", nice_value(), nice);
    try {
        const auto cluster = ceph::Cluster::connect(options.cluster);
        require_pool(*cluster, options.pool);
        Front front(options, cluster, registry, {"/proc/self/exe", std::string(worker_word)});
        announce(front);
        wait_for_stop(signals, front);
        ::sd_notify(0, "STOPPING=1");
        front.drain();
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ceph-taskd: %s\n", error.what());
        return EXIT_FAILURE;
    }
}

/// The program as an administrator's tool, which ends by itself. @returns nothing when these words name none.
std::optional<int> run_command(int argc, const char* const* argv) {
    const std::string_view word = argc > 0 ? argv[0] : "";
    if (word != caps_word && word != user_word && word != role_word) return std::nullopt;
    forbid_core_files();
    if (word == caps_word) return caps_command(argc, argv);
    return access_command(word == user_word ? AccessFamily::user : AccessFamily::role, argc, argv);
}

}  // namespace

int daemon_main(int argc, const char* const* argv, const rbd::OperationRegistry& registry,
                const worker::StepHook& step_hook) {
    if (argc == 3 && argv[1] == worker_word)
        return worker::worker_main(registry, std::strtol(argv[2], nullptr, 10), step_hook);
    if (const auto exit_code = run_command(argc - 1, argv + 1)) return *exit_code;
    try {
        return run(parse_options(argc, argv), registry);
    } catch (const Finished& finished) {
        std::fprintf(finished.exit_code == 0 ? stdout : stderr, "%s\n", finished.text.c_str());
        return finished.exit_code;
    }
}

}  // namespace taskd::daemon
