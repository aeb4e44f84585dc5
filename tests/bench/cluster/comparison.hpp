#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

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

/// Lets both sides work by turns whose order changes (ours, theirs, theirs, ours), so that what else the machine does
/// hits both alike, and prints the rates, in things per second, as one line of JSON.
inline void compare(const Turns& turns, const Work& ours, const Work& beside) {
    std::vector<double> rates[2];
    std::size_t first = 0;
    for (std::size_t turn = 0; turn <= turns.turns; ++turn)
        for (const std::size_t side : turn % 2 == 0 ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{1, 0}) {
            const auto began = std::chrono::steady_clock::now();
            (side == 0 ? ours : beside)(first, turns.count);
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
            first += turns.count;
            if (turn > 0) rates[side].push_back(static_cast<double>(turns.count) / took.count());
        }
    std::cout << nlohmann::json{{"ours", rates[0]}, {"beside", rates[1]}} << std::endl;
}

}  // namespace taskd::bench
