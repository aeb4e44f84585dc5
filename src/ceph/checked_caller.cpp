#include "ceph/checked_caller.hpp"

#include "core/mutex.hpp"

#include <future>
#include <map>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

using TablePointer = std::shared_ptr<const CommandTable>;

/// Daemons that share a table share a key: a monitor addressed by name has another one than "any monitor".
std::string table_key(const CommandTarget& target) {
    switch (target.kind) {
        case CommandTarget::Kind::mon:
            return target.id.empty() ? "mon" : "mon.";
        case CommandTarget::Kind::mgr:
            return "mgr";
        default:
            return "osd";
    }
}

nlohmann::json with_pgid(const CommandTarget& target, nlohmann::json command) {
    if (target.kind == CommandTarget::Kind::pg) command["pgid"] = target.id;
    return command;
}

/// A PG's commands need its id, which some signatures name (`pg`) and others leave to the client (`query`).
nlohmann::json checked(const CommandTable& table, const CommandTarget& target, const nlohmann::json& command) {
    if (target.kind != CommandTarget::Kind::pg) return table.check(command);
    if (command.contains("pgid") && command["pgid"] != target.id) throw BadRequest("pgid", "is not the target's");
    try {
        return table.check(with_pgid(target, command));
    } catch (const BadRequest& bad) {
        if (bad.field() != "pgid") throw;
    }
    nlohmann::json without = command;
    without.erase("pgid");
    return with_pgid(target, table.check(without));
}

}  // namespace

struct CheckedCaller::Impl {
    struct Entry {
        TablePointer table;
        SteadyTime fetched_at;
        std::shared_future<TablePointer> fetching;  ///< Valid while one fetches.
    };

    Impl(std::shared_ptr<CommandCaller> next_caller, CheckOptions check_options)
        : next(std::move(next_caller)), options(check_options) {}

    /// The table, fetched when there is none or it is older than `oldest`.
    TablePointer table(const CommandTarget& target, std::chrono::seconds oldest);
    TablePointer fetch(const CommandTarget& target) const;

    const std::shared_ptr<CommandCaller> next;
    const CheckOptions options;
    mutable Mutex mutex;
    std::map<std::string, Entry> entries TASKD_GUARDED_BY(mutex);
};

TablePointer CheckedCaller::Impl::fetch(const CommandTarget& target) const {
    const nlohmann::json command = with_pgid(target, {{"prefix", "get_command_descriptions"}, {"format", "json"}});
    const CommandResult result = next->call(target, command, {});
    if (result.return_code < 0) throw command_error(result.return_code, result.status, target, command, nullptr);
    return std::make_shared<const CommandTable>(CommandTable::parse(result.output));
}

TablePointer CheckedCaller::Impl::table(const CommandTarget& target, std::chrono::seconds oldest) {
    const std::string key = table_key(target);
    std::promise<TablePointer> promise;
    std::shared_future<TablePointer> another;
    {
        MutexLock lock(mutex);
        Entry& entry = entries[key];
        if (entry.table && options.clock->steady() - entry.fetched_at < oldest) return entry.table;
        if (entry.fetching.valid())
            another = entry.fetching;
        else
            entry.fetching = promise.get_future().share();
    }
    // The one who fetches is bounded by the caller beneath, so this wait is too.
    if (another.valid()) return another.get();
    try {
        TablePointer fetched = fetch(target);
        promise.set_value(fetched);
        MutexLock lock(mutex);
        entries[key] = {fetched, options.clock->steady(), {}};
        return fetched;
    } catch (...) {
        promise.set_exception(std::current_exception());
        MutexLock lock(mutex);
        entries[key].fetching = {};
        throw;
    }
}

CheckedCaller::CheckedCaller(std::shared_ptr<CommandCaller> next, CheckOptions options)
    : impl_(std::make_unique<Impl>(std::move(next), options)) {}

CheckedCaller::~CheckedCaller() = default;

std::shared_ptr<const CommandTable> CheckedCaller::cached_table(const CommandTarget& target) const {
    MutexLock lock(impl_->mutex);
    const auto found = impl_->entries.find(table_key(target));
    return found == impl_->entries.end() ? nullptr : found->second.table;
}

CommandResult CheckedCaller::call(const CommandTarget& target, const nlohmann::json& command,
                                  const std::string& input) {
    check_shape(command);  // before anything that costs
    auto table = impl_->table(target, impl_->options.table_ttl);
    if (!table->knows(prefix_of(command))) table = impl_->table(target, impl_->options.refetch_after);
    return impl_->next->call(target, checked(*table, target, command), input);
}

}  // namespace taskd::ceph
