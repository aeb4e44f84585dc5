#pragma once

#include "ceph/journal.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_journal_store.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <taskd/clock.hpp>
#include <taskd/error.hpp>

namespace taskd::ceph {

/// A record that is as good as any.
inline TaskRecord record_of(std::string id) {
    TaskRecord record;
    record.id = std::move(id);
    record.name = "rbd/delete";
    record.metadata = {{"image_spec", "rbd/" + record.id}};
    record.arguments = nlohmann::json::object();
    record.begin_time = parse_utc("2026-11-25T01:31:34.380289Z");
    return record;
}

/// The view of a task that succeeded.
inline nlohmann::json finished_at(WallTime end) {
    return {{"name", "rbd/delete"},
            {"metadata", {{"image_spec", "rbd/a"}}},
            {"begin_time", "2026-11-25T01:31:34.380289Z"},
            {"end_time", format_utc(end)},
            {"duration", 1.5},
            {"progress", 100},
            {"success", true},
            {"ret_value", nullptr},
            {"exception", nullptr}};
}

/// A journal over a store in memory that belongs to it. It is used from one thread.
class JournalAndStore {
  public:
    /// Batches follow each other at once, unless `spacing` says otherwise.
    explicit JournalAndStore(JournalOptions options = {}, std::chrono::milliseconds spacing = {}) {
        options.spacing = spacing;
        store->claim("", "ours", "");
        journal = std::make_shared<Journal>(
            store, "ours", options, [this](std::string why) { lost.push_back(std::move(why)); }, clock);
    }

    /// Inserts a record; the answers come into `accepted` or `refused`.
    void insert(const std::string& id) {
        journal->insert(record_of(id), [this, id](std::exception_ptr error) {
            (error ? refused : accepted).push_back(id);
            if (error) refusal = error_text(error);
        });
    }
    void finish(const std::string& id) { journal->finish(id, finished_at(clock.wall())); }
    /// Sends what lingers or failed, and waits for it.
    bool settle() { return journal->wait_until_durable(std::chrono::seconds(10)); }

    std::vector<std::string> tasks() { return store->keys("t."); }
    std::vector<std::string> finished() { return store->keys("f."); }

    test::ManualClock clock;
    std::vector<std::string> lost;
    std::vector<std::string> accepted;
    std::vector<std::string> refused;
    std::string refusal;
    const std::shared_ptr<test::MemoryJournalStore> store = std::make_shared<test::MemoryJournalStore>();
    std::shared_ptr<Journal> journal;
};

}  // namespace taskd::ceph
