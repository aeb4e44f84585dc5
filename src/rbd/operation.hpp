#pragma once

#include "ceph/command.hpp"
#include "rbd/image_spec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
class Cluster;
}

namespace taskd::rbd {

/// What the queue must know before it starts an operation.
struct Touches {
    std::string pool;                 ///< For the limit per pool.
    std::vector<std::string> images;  ///< `pool[/namespace]/image`: never two operations on one of them at a time.
};

enum class Access { read, create, update, remove };

/// "read", "create", "update", "delete": the dashboard's names of its permissions.
std::string_view to_string(Access access) noexcept;

struct Permission {
    std::string_view scope;  ///< "rbd-image", …
    Access access;
};

/// Bounds of what a request may ask for; configuration.
struct Limits {
    std::uint64_t image_size_bytes = std::uint64_t{1} << 50;  ///< 1 PiB.
};

/// What a running operation has of the world around it: a worker process, or a fake in tests.
/// @thread  One operation, one context. `progress` and `stop_requested` are called from librbd's threads too.
class OperationContext {
  public:
    OperationContext() = default;
    OperationContext(const OperationContext&) = delete;
    OperationContext& operator=(const OperationContext&) = delete;
    virtual ~OperationContext() = default;

    /// Alive longer than the operation.
    virtual const ceph::Cluster& cluster() = 0;

    /// Sends a command to the active mgr and waits for its answer, half a minute at most, whether or not a stop is
    /// requested meanwhile.
    /// @returns  What it said, refusals included.
    /// @throws Error  It was not sent, or there was no answer in time: then it may still take effect.
    virtual ceph::CommandResult ask_mgr(const nlohmann::json& command) = 0;

    /// `done` never falls within one attempt and is at most `total`, which is never 0 and never changes. Called up to
    /// 50,000 times a second; must not block.
    virtual void progress(std::uint64_t done, std::uint64_t total) noexcept = 0;

    virtual bool stop_requested() const noexcept = 0;

    /// Waits; ends early when a stop is requested. @returns false when one was.
    virtual bool pause(std::chrono::milliseconds duration) = 0;

    /// 1 for the first run, 2 and more when an earlier one was cut off (its process died) and may have done any part.
    virtual int attempt() const noexcept = 0;
    bool is_repeated() const noexcept { return attempt() > 1; }

    virtual const std::string& task_id() const noexcept = 0;

    /// The step about to be done, as status text. Tests end the operation here; it may throw.
    virtual void step(std::string_view name) = 0;
};

/// Work that can be journalled, sent to another process and run again: a name, arguments and pure functions.
///
/// `arguments` below are always what `decode` returned, and `decode(decode(x)) == decode(x)`.
/// @thread  All functions are safe from any thread; only `run` blocks.
struct Operation {
    std::string_view name;               ///< The dashboard's task name, "rbd/create".
    std::chrono::milliseconds wait_for;  ///< How long a request waits for the result before it gets 202.
    Permission permission;

    /// Checks every field of what a client sent and returns the normal form. Needs no cluster.
    /// @throws BadRequest naming the field
    nlohmann::json (*decode)(const nlohmann::json& given, const Limits& limits);

    /// The dashboard's metadata, key for key; values are echoed.
    nlohmann::json (*metadata)(const nlohmann::json& arguments);

    Touches (*touches)(const nlohmann::json& arguments);

    /// Does it and returns the result (null for all of the dashboard's).
    /// @throws Error  as described for each operation in docs/operations.md
    nlohmann::json (*run)(OperationContext& context, const nlohmann::json& arguments);

    /// What an attempt after an interrupted one does, in one line.
    std::string_view interrupted;

    /// The image whose id is looked up when the task is accepted and goes into every attempt as `image_id`, so that a
    /// destructive operation never hits another image that got the name meanwhile; none for other operations.
    ImageSpec (*bound_image)(const nlohmann::json& arguments) = nullptr;

    /// The image of one that names it by its id alone; none for other operations. That id and `bound_image`'s are what
    /// the queue keeps in order beside the names in `touches`, and what tells how long the work is by nature.
    ImageIdSpec (*image_by_id)(const nlohmann::json& arguments) = nullptr;

    /// What may be left when its process is ended in the midst of it for good (a cancel by force, a deadline).
    std::string_view left_behind = "what it had done so far stays";
};

/// The image that the arguments name by its id, whether the client gave it or it was found out at acceptance; none when
/// they have only its name.
std::optional<ImageIdSpec> image_id_of(const Operation& operation, const nlohmann::json& arguments);

/// The operations by name.
class OperationRegistry {
  public:
    explicit OperationRegistry(std::vector<const Operation*> operations);

    /// nullptr when there is none.
    const Operation* find(std::string_view name) const noexcept;
    const std::vector<const Operation*>& all() const noexcept { return operations_; }

    /// All that this build can do.
    static const OperationRegistry& builtin();

  private:
    std::vector<const Operation*> operations_;
};

extern const Operation create_operation;
extern const Operation delete_operation;
extern const Operation delete_plan_operation;
extern const Operation snapshot_create_operation;
extern const Operation snapshot_edit_operation;
extern const Operation snapshot_delete_operation;
extern const Operation snapshot_purge_operation;
extern const Operation snapshot_rollback_operation;
extern const Operation clone_operation;
extern const Operation trash_move_operation;
extern const Operation trash_restore_operation;
extern const Operation trash_remove_operation;
extern const Operation trash_purge_operation;
extern const Operation flatten_operation;
extern const Operation edit_operation;
extern const Operation copy_operation;
extern const Operation deep_copy_operation;
extern const Operation resize_operation;
extern const Operation sparsify_operation;
extern const Operation object_map_rebuild_operation;
extern const Operation migration_prepare_operation;
extern const Operation migration_execute_operation;
extern const Operation migration_commit_operation;
extern const Operation migration_abort_operation;
extern const Operation namespace_create_operation;
extern const Operation namespace_delete_operation;
extern const Operation mirroring_site_name_edit_operation;
extern const Operation mirroring_pool_edit_operation;
extern const Operation mirroring_peer_add_operation;
extern const Operation mirroring_peer_edit_operation;
extern const Operation mirroring_peer_delete_operation;
extern const Operation mirroring_bootstrap_import_operation;

}  // namespace taskd::rbd
