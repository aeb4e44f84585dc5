#pragma once

#include "ceph/journal_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <taskd/error.hpp>

namespace taskd::test {

/// A journal's keys in memory, with the semantics of the omap: the owner is compared, keys that must be absent are, and
/// sets come before removals; all of a batch or nothing. The test delays answers and makes calls fail.
/// @thread  Any.
class MemoryJournalStore final : public ceph::JournalStore {
  public:
    static constexpr std::size_t never = SIZE_MAX;

    /// What becomes of a batch whose call fails.
    enum class Failure { nothing_arrived, only_the_answer_was_lost };

    void apply(ceph::JournalBatch batch, std::function<void(int rc)> done) override {
        {
            const std::lock_guard lock(mutex_);
            batches_.push_back(batch);
            if (holding_) {
                held_.push_back({std::move(batch), std::move(done)});
                return;
            }
        }
        answer({std::move(batch), std::move(done)});
    }

    void claim(const std::string& expected_owner, const std::string& new_owner,
               const std::string& description) override {
        const std::lock_guard lock(mutex_);
        if (value_of("owner") != expected_owner)
            throw Error(ErrorKind::conflict, ECANCELED, "rados", "the journal belongs to another");
        keys_["owner"] = new_owner;
        keys_["owner_description"] = description;
    }
    std::pair<std::string, std::string> owner() override {
        const std::lock_guard lock(mutex_);
        return {value_of("owner"), value_of("owner_description")};
    }
    std::map<std::string, std::string> read(const std::string& prefix) override {
        const std::lock_guard lock(mutex_);
        std::map<std::string, std::string> found;
        for (const auto& [key, value] : keys_)
            if (key.starts_with(prefix)) found.emplace(key, value);
        return found;
    }

    /// Batches are not answered until `answer_next` or `answer_all` says so.
    void hold() {
        const std::lock_guard lock(mutex_);
        holding_ = true;
    }
    /// Applies and answers the oldest batch that is held.
    void answer_next() {
        Call call;
        {
            const std::lock_guard lock(mutex_);
            call = std::move(held_.front());
            held_.pop_front();
        }
        answer(std::move(call));
    }
    /// Answers all that are held, and what comes from now on at once.
    void answer_all() {
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                if (held_.empty()) {
                    holding_ = false;
                    return;
                }
            }
            answer_next();
        }
    }

    /// The `count` calls from the n-th (from 0) on fail so.
    void fail(std::size_t n, std::size_t count = never, int rc = -ETIMEDOUT,
              Failure failure = Failure::nothing_arrived) {
        const std::lock_guard lock(mutex_);
        fail_from_ = n;
        fail_count_ = count;
        rc_ = rc;
        failure_ = failure;
    }
    void fail_no_more() { fail(never); }
    /// Whether a call has failed since `fail`.
    std::size_t failures() const {
        const std::lock_guard lock(mutex_);
        return failures_;
    }
    /// Another front takes over.
    void give_to(const std::string& token) { put("owner", token); }
    void put(const std::string& key, const std::string& value) {
        const std::lock_guard lock(mutex_);
        keys_[key] = value;
    }

    /// All batches that were sent, in order.
    std::vector<ceph::JournalBatch> batches() const {
        const std::lock_guard lock(mutex_);
        return batches_;
    }
    std::vector<std::string> keys(const std::string& prefix) {
        std::vector<std::string> found;
        for (const auto& [key, value] : read(prefix)) found.push_back(key);
        return found;
    }

  private:
    struct Call {
        ceph::JournalBatch batch;
        std::function<void(int rc)> done;
    };

    // Without the lock while `done` runs: it sends the next batch.
    void answer(Call call) {
        int rc = 0;
        {
            const std::lock_guard lock(mutex_);
            const std::size_t n = calls_++;
            const bool fails = n >= fail_from_ && n - fail_from_ < fail_count_;
            if (!fails || failure_ == Failure::only_the_answer_was_lost) rc = change(call.batch);
            if (fails) {
                ++failures_;
                rc = rc_;
            }
        }
        call.done(rc);
    }

    int change(const ceph::JournalBatch& batch) {
        if (value_of("owner") != batch.owner_token) return -ECANCELED;
        if (std::any_of(batch.must_be_absent.begin(), batch.must_be_absent.end(),
                        [&](const auto& key) { return !value_of(key).empty(); }))
            return -ECANCELED;
        for (const auto& [key, value] : batch.set) keys_[key] = value;
        for (const auto& key : batch.remove) keys_.erase(key);
        return 0;
    }
    /// As the omap's comparison sees it: what is absent is empty.
    std::string value_of(const std::string& key) const {
        const auto found = keys_.find(key);
        return found == keys_.end() ? std::string() : found->second;
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::string> keys_;
    std::vector<ceph::JournalBatch> batches_;
    std::deque<Call> held_;
    bool holding_ = false;
    std::size_t calls_ = 0;
    std::size_t failures_ = 0;
    std::size_t fail_from_ = never;
    std::size_t fail_count_ = never;
    int rc_ = 0;
    Failure failure_ = Failure::nothing_arrived;
};

}  // namespace taskd::test
