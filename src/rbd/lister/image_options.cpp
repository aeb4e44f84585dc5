#include "rbd/lister/image_options.hpp"

#include "ceph/cluster.hpp"
#include "rbd/error.hpp"

#include <array>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// librados can tell the value of an option, but not which there are.
constexpr std::array<const char*, 77> option_names{"rbd_atime_update_interval",
                                                   "rbd_balance_parent_reads",
                                                   "rbd_balance_snap_reads",
                                                   "rbd_blkin_trace_all",
                                                   "rbd_blocklist_expire_seconds",
                                                   "rbd_blocklist_on_break_lock",
                                                   "rbd_cache",
                                                   "rbd_cache_block_writes_upfront",
                                                   "rbd_cache_max_dirty",
                                                   "rbd_cache_max_dirty_age",
                                                   "rbd_cache_max_dirty_object",
                                                   "rbd_cache_policy",
                                                   "rbd_cache_size",
                                                   "rbd_cache_target_dirty",
                                                   "rbd_cache_writethrough_until_flush",
                                                   "rbd_clone_copy_on_read",
                                                   "rbd_compression_hint",
                                                   "rbd_concurrent_management_ops",
                                                   "rbd_default_map_options",
                                                   "rbd_default_snapshot_quiesce_mode",
                                                   "rbd_disable_zero_copy_writes",
                                                   "rbd_discard_granularity_bytes",
                                                   "rbd_enable_alloc_hint",
                                                   "rbd_invalidate_object_map_on_timeout",
                                                   "rbd_io_scheduler",
                                                   "rbd_io_scheduler_simple_max_delay",
                                                   "rbd_journal_commit_age",
                                                   "rbd_journal_max_concurrent_object_sets",
                                                   "rbd_journal_max_payload_bytes",
                                                   "rbd_journal_object_flush_age",
                                                   "rbd_journal_object_flush_bytes",
                                                   "rbd_journal_object_flush_interval",
                                                   "rbd_journal_object_max_in_flight_appends",
                                                   "rbd_journal_object_writethrough_until_flush",
                                                   "rbd_localize_parent_reads",
                                                   "rbd_localize_snap_reads",
                                                   "rbd_mirroring_delete_delay",
                                                   "rbd_mirroring_max_mirroring_snapshots",
                                                   "rbd_mirroring_replay_delay",
                                                   "rbd_mirroring_resync_after_disconnect",
                                                   "rbd_move_parent_to_trash_on_remove",
                                                   "rbd_move_to_trash_on_remove",
                                                   "rbd_move_to_trash_on_remove_expire_seconds",
                                                   "rbd_mtime_update_interval",
                                                   "rbd_non_blocking_aio",
                                                   "rbd_parent_cache_enabled",
                                                   "rbd_persistent_cache_mode",
                                                   "rbd_persistent_cache_path",
                                                   "rbd_persistent_cache_size",
                                                   "rbd_plugins",
                                                   "rbd_qos_bps_burst",
                                                   "rbd_qos_bps_burst_seconds",
                                                   "rbd_qos_bps_limit",
                                                   "rbd_qos_iops_burst",
                                                   "rbd_qos_iops_burst_seconds",
                                                   "rbd_qos_iops_limit",
                                                   "rbd_qos_read_bps_burst",
                                                   "rbd_qos_read_bps_burst_seconds",
                                                   "rbd_qos_read_bps_limit",
                                                   "rbd_qos_read_iops_burst",
                                                   "rbd_qos_read_iops_burst_seconds",
                                                   "rbd_qos_read_iops_limit",
                                                   "rbd_qos_schedule_tick_min",
                                                   "rbd_qos_write_bps_burst",
                                                   "rbd_qos_write_bps_burst_seconds",
                                                   "rbd_qos_write_bps_limit",
                                                   "rbd_qos_write_iops_burst",
                                                   "rbd_qos_write_iops_burst_seconds",
                                                   "rbd_qos_write_iops_limit",
                                                   "rbd_quiesce_notification_attempts",
                                                   "rbd_read_from_replica_policy",
                                                   "rbd_readahead_disable_after_bytes",
                                                   "rbd_readahead_max_bytes",
                                                   "rbd_readahead_trigger_requests",
                                                   "rbd_request_timed_out_seconds",
                                                   "rbd_skip_partial_discard",
                                                   "rbd_sparse_read_threshold_bytes"};

/// What `rados_conf_get` gives, false when there is no such option.
bool get_conf(rados_t client, const char* name, std::string& value) {
    std::array<char, 4096> text{};
    if (rados_conf_get(client, name, text.data(), text.size()) < 0) return false;
    value = text.data();
    return true;
}

}  // namespace

ImageOptions::ImageOptions(std::shared_ptr<ceph::Cluster> cluster) : cluster_(std::move(cluster)) {
    rados_t raw = nullptr;
    if (const int rc = rados_create(&raw, nullptr); rc < 0) throw rbd_error(rc, "error reading options");
    scratch_.reset(raw);
}

std::vector<ImageOption> ImageOptions::effective(const Overrides& pool, const Overrides& image) const {
    std::vector<ImageOption> options;
    options.reserve(option_names.size());
    for (const char* name : option_names) {
        ImageOption option{name, {}, ImageOption::Source::config};
        if (!get_conf(cluster_->handle(), name, option.value)) continue;
        if (const auto found = pool.find(option.name); found != pool.end()) {
            option.value = found->second;
            option.source = ImageOption::Source::pool;
        }
        if (const auto found = image.find(option.name); found != image.end() && accepts(option.name, found->second)) {
            option.value = found->second;
            option.source = ImageOption::Source::image;
        }
        options.push_back(std::move(option));
    }
    return options;
}

std::string ImageOptions::conf(const std::string& name) const {
    return cluster_->conf(name);
}

bool ImageOptions::accepts(const std::string& option, const std::string& value) const {
    const MutexLock lock(mutex_);
    return rados_conf_set(scratch_.get(), option.c_str(), value.c_str()) >= 0;
}

}  // namespace taskd::rbd
