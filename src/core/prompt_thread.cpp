#include "core/prompt_thread.hpp"

#include <ctime>

#include <sched.h>

namespace taskd {
namespace {

constexpr std::chrono::seconds look_interval{1};

/// Whatever this thread starts begins as any other.
bool set_policy(int policy) noexcept {
    const sched_param parameters{policy == SCHED_RR ? 1 : 0};
    return ::sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &parameters) == 0;
}

std::chrono::nanoseconds processor_time() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

bool PromptThread::begin(unsigned threads) noexcept {
    threads_ = threads;
    is_allowed_ = is_before_others_ = set_policy(SCHED_RR);
    looked_at_ = Clock::now();
    had_ = processor_time();
    return is_allowed_;
}

void PromptThread::look() noexcept {
    const auto now = Clock::now();
    if (is_allowed_ && now - looked_at_ >= look_interval) look_at(now, processor_time());
}

void PromptThread::look_at(Clock::time_point now, std::chrono::nanoseconds processor_time) noexcept {
    const bool takes_little = 2 * threads_ * (processor_time - had_) <= now - looked_at_;
    if (is_allowed_ && takes_little != is_before_others_ && set_policy(takes_little ? SCHED_RR : SCHED_OTHER))
        is_before_others_ = takes_little;
    looked_at_ = now;
    had_ = processor_time;
}

}  // namespace taskd
