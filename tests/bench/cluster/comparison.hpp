#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace taskd::bench {

/// Does so many things, numbered from `first` on, and returns when the last of them is done.
using Work = std::function<void(std::size_t first, std::size_t count)>;

/// Does `count` things from so many threads; each takes the next one when it is done with its last.
inline void share_out(std::size_t threads, std::size_t first, std::size_t count,
                      const std::function<void(std::size_t number)>& one) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> running;
    for (std::size_t thread = 0; thread < threads; ++thread)
        running.emplace_back([&, first, count] {
            for (std::size_t n = next++; n < count; n = next++) one(first + n);
        });
}

struct Turns {
    std::size_t turns;  ///< Of each side, after one of each that is not counted.
    std::size_t count;  ///< Things in a turn.
};

/// Milliseconds of processor time that all programs of the machine have had since its start.
inline double busy_ms() {
    std::ifstream file("/proc/stat");
    std::string cpu;
    long user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
    file >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
    return static_cast<double>(user + nice + system + irq + softirq) * 1000 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Lets both sides work by turns whose order changes (ours, theirs, theirs, ours), so that what else the machine does
/// hits both alike, and prints, as one line of JSON, the rates, in things per second, and what a thing takes of the
/// machine's processor time, in milliseconds, whoever had it.
inline void compare(const Turns& turns, const Work& ours, const Work& beside) {
    std::vector<double> rates[2];
    std::vector<double> busy[2];
    std::size_t first = 0;
    for (std::size_t turn = 0; turn <= turns.turns; ++turn)
        for (const std::size_t side : turn % 2 == 0 ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{1, 0}) {
            const auto busy_before = busy_ms();
            const auto began = std::chrono::steady_clock::now();
            (side == 0 ? ours : beside)(first, turns.count);
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
            first += turns.count;
            if (turn == 0) continue;
            rates[side].push_back(static_cast<double>(turns.count) / took.count());
            busy[side].push_back((busy_ms() - busy_before) / static_cast<double>(turns.count));
        }
    std::cout << nlohmann::json{{"ours", rates[0]},
                                {"beside", rates[1]},
                                {"ours_busy_ms", busy[0]},
                                {"beside_busy_ms", busy[1]}}
              << std::endl;
}

}  // namespace taskd::bench
