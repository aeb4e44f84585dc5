#pragma once

#include "ceph/command_caller.hpp"
#include "ceph/command_table.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <taskd/clock.hpp>

namespace taskd::ceph {

struct CheckOptions {
    std::chrono::seconds table_ttl = std::chrono::minutes(10);
    /// An unknown command makes the table be fetched again (an mgr module may have come), but not more often than this.
    std::chrono::seconds refetch_after = std::chrono::seconds(5);
    const Clock* clock = &Clock::system();
};

/// Lets a command pass to the next caller only when it fits the command table of the daemon it is for.
///
/// The table is fetched from that daemon at the first command and then kept. While it cannot be had, commands fail with
/// the reason: none is ever sent unchecked. Commands to a PG get its id as `pgid`, which the OSD asks for.
/// @thread  Any. One fetch per kind of daemon at a time; the others wait for it and share its outcome.
class CheckedCaller : public CommandCaller {
  public:
    explicit CheckedCaller(std::shared_ptr<CommandCaller> next, CheckOptions options = {});
    ~CheckedCaller() override;

    /// @throws BadRequest (does not fit), Error (no table)
    CommandResult call(const CommandTarget& target, const nlohmann::json& command, const std::string& input) override;

    /// The table at hand, however old, or null: for who wants to answer at once and must not block.
    std::shared_ptr<const CommandTable> cached_table(const CommandTarget& target) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::ceph
