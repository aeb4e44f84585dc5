#pragma once

#include "ceph/cluster.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// What is done to the journal in one step: all of it or nothing.
struct JournalBatch {
    std::string owner_token;  ///< Nothing is done unless the journal still belongs to this one.
    std::map<std::string, std::string> set;
    std::vector<std::string> must_be_absent;  ///< Of `set`: keys that nobody may have written before.
    std::vector<std::string> remove;
};

/// Where the journal lives: keys and values in one place, changed by whole batches.
/// @thread  Any.
class JournalStore {
  public:
    JournalStore() = default;
    virtual ~JournalStore() = default;
    JournalStore(const JournalStore&) = delete;
    JournalStore& operator=(const JournalStore&) = delete;

    /// Starts a batch; `done` gets 0 or a negative errno once, maybe before this returns: -ECANCELED when the journal
    /// belongs to another, or a key was there.
    virtual void apply(JournalBatch batch, std::function<void(int rc)> done) = 0;

    // Blocking, for the start only.
    /// Makes the journal this token's, in place of `expected`'s (empty: nobody's yet). Values are opaque texts.
    /// @throws Error (conflict) when it is another's
    virtual void claim(const std::string& expected_owner, const std::string& new_owner,
                       const std::string& description) = 0;
    /// Token and description of whose it is; empty when nobody's.
    virtual std::pair<std::string, std::string> owner() = 0;
    /// All keys that begin so, with their values.
    virtual std::map<std::string, std::string> read(const std::string& prefix) = 0;
};

/// In the omap of one RADOS object.
///
/// `owner` holds the token of the active front, and every write asserts it in the same operation: what an old front
/// still had under way when another took over fails, however late it arrives.
/// @source  librados.h `rados_write_op_omap_cmp2`: a key that is absent compares as an empty value (16.2.15).
class RadosJournalStore final : public JournalStore {
  public:
    RadosJournalStore(std::shared_ptr<Cluster> cluster, Ioctx io, std::string object);

    void apply(JournalBatch batch, std::function<void(int rc)> done) override;
    void claim(const std::string& expected_owner, const std::string& new_owner,
               const std::string& description) override;
    std::pair<std::string, std::string> owner() override;
    std::map<std::string, std::string> read(const std::string& prefix) override;

  private:
    const std::shared_ptr<Cluster> cluster_;
    const Ioctx io_;
    const std::string object_;
};

}  // namespace taskd::ceph
