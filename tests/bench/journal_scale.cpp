// How many tasks a second the journal takes when the cluster behind it is slower, and when more ask at once: the
// journal itself over a store that answers after so long, however much it is given. No cluster. Prints a table, one
// line for each pair; docs/scaling.md says what follows from it.

#include "ceph/journal.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace taskd;
using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::chrono::milliseconds measured_for{1500};

/// Keeps nothing: what the journal writes is not read here.
class SlowStore final : public ceph::JournalStore {
  public:
    explicit SlowStore(Steady::duration latency)
        : latency_(latency), answering_([this](const std::stop_token& stop) { answer(stop); }) {}

    void apply(ceph::JournalBatch batch, std::function<void(int rc)> done) override {
        const std::lock_guard lock(mutex_);
        ++batches_;
        changes_ += batch.set.size();
        owed_.emplace_back(Steady::now() + latency_, std::move(done));
        wake_.notify_one();
    }
    void claim(const std::string&, const std::string&, const std::string&) override {}
    std::pair<std::string, std::string> owner() override { return {}; }
    std::map<std::string, std::string> read(const std::string&) override { return {}; }

    double changes_in_batch() const {
        const std::lock_guard lock(mutex_);
        return static_cast<double>(changes_) / static_cast<double>(std::max<std::size_t>(1, batches_));
    }

  private:
    void answer(const std::stop_token& stop) {
        for (;;) {
            std::unique_lock lock(mutex_);
            if (!wake_.wait(lock, stop, [&] { return !owed_.empty(); })) return;
            auto [due, done] = std::move(owed_.front());
            owed_.pop_front();
            lock.unlock();
            std::this_thread::sleep_until(due);
            done(0);
        }
    }

    const Steady::duration latency_;
    mutable std::mutex mutex_;
    std::condition_variable_any wake_;
    std::deque<std::pair<Steady::time_point, std::function<void(int rc)>>> owed_;
    std::size_t batches_ = 0;
    std::size_t changes_ = 0;
    std::jthread answering_;  // last: it uses the rest
};

/// Clients that each insert a task, wait until it is durable, end it and begin again.
class Load {
  public:
    Load(ceph::Journal& journal, std::size_t clients) : journal_(journal), clients_(clients) {}

    void run() {
        const auto began = Steady::now();
        until_ = began + measured_for;
        for (std::size_t n = 0; n < clients_; ++n) submit();
        for (std::size_t n = 0; n < clients_; ++n) ended_.acquire();
        rate_ = static_cast<double>(waits_ms_.size()) / std::chrono::duration<double>(Steady::now() - began).count();
        std::sort(waits_ms_.begin(), waits_ms_.end());
    }
    double rate() const { return rate_; }
    double wait_ms(std::size_t percent) const {
        return waits_ms_.empty() ? 0 : waits_ms_[(waits_ms_.size() - 1) * percent / 100];
    }

  private:
    void submit() {
        ceph::TaskRecord record;
        record.id = std::to_string(++number_);
        record.name = "rbd/create";
        record.metadata = {{"pool_name", "rbd"}, {"image_name", record.id}};
        record.arguments = {{"pool_name", "rbd"}, {"name", record.id}, {"size", 1 << 30}};
        record.begin_time = std::chrono::system_clock::now();
        const auto asked = Steady::now();
        journal_.insert(record, [this, id = record.id, asked](const std::exception_ptr&) { durable(id, asked); });
    }
    void durable(const std::string& id, Steady::time_point asked) {
        const auto now = Steady::now();
        {
            const std::lock_guard lock(mutex_);
            waits_ms_.push_back(Milliseconds(now - asked).count());
        }
        const std::string end = format_utc(std::chrono::system_clock::now());
        journal_.finish(id, {{"name", "rbd/create"},
                             {"metadata", {{"pool_name", "rbd"}, {"image_name", id}}},
                             {"begin_time", end},
                             {"end_time", end},
                             {"duration", 0.0},
                             {"progress", 100},
                             {"success", true},
                             {"ret_value", nullptr},
                             {"exception", nullptr}});
        if (now < until_)
            submit();
        else
            ended_.release();
    }

    ceph::Journal& journal_;
    const std::size_t clients_;
    Steady::time_point until_;
    std::atomic<std::uint64_t> number_{0};
    std::mutex mutex_;
    std::vector<double> waits_ms_;
    std::counting_semaphore<> ended_{0};
    double rate_ = 0;
};

void measure(std::chrono::milliseconds latency, std::size_t clients) {
    const auto store = std::make_shared<SlowStore>(latency);
    ceph::Journal journal(store, "bench", {}, [](const std::string&) {});
    Load load(journal, clients);
    load.run();
    std::printf("%11lld %9zu %9.0f %14.1f %14.1f %11.1f\n", static_cast<long long>(latency.count()), clients,
                load.rate(), load.wait_ms(50), load.wait_ms(99), store->changes_in_batch());
    std::fflush(stdout);
    journal.wait_until_durable(std::chrono::seconds(60));
}

}  // namespace

int main() {
    std::puts("latency, ms   clients   tasks/s   accepted p50,ms      p99, ms  changes/batch");
    for (const int latency_ms : {2, 20, 200})
        for (const std::size_t clients : {32, 320, 3200}) measure(std::chrono::milliseconds(latency_ms), clients);
}
