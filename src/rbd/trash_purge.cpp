#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/error.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/namespaces.hpp"
#include "rbd/operation.hpp"
#include "rbd/pool_probe.hpp"
#include "rbd/progress.hpp"
#include "rbd/trash_removal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/trash/purge`: removes what may go from the trash of a pool, or of all pools. One that cannot be removed, or a
/// pool that does not answer, keeps nothing else from going.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::size_t most_told = 100;

json decode_trash_purge(const json& given, const Limits&) {
    const Arguments fields(given, {"pool_name"});
    json result = {{"pool_name", nullptr}};
    if (const auto pool = fields.optional_text("pool_name")) {
        check_existing_name(*pool, "pool_name");
        result["pool_name"] = *pool;
    }
    return result;
}

json metadata_of_trash_purge(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")}};
}

std::string pool_of(const json& arguments) {
    const auto& pool = arguments.at("pool_name");
    return pool.is_null() ? std::string{} : pool.get<std::string>();
}

Touches touches_of_trash_purge(const json& arguments) {
    return {pool_of(arguments), {}};
}

/// Those of the cluster that are for images.
std::vector<std::string> image_pools(const ceph::Cluster& cluster) {
    std::vector<std::string> pools;
    for (const auto& name : all_pools(cluster)) {
        try {
            const auto io = cluster.open_ioctx(name);
            std::array<char, 4096> applications{};
            std::size_t size = applications.size();
            if (rados_application_list(io.handle(), applications.data(), &size) < 0) continue;
            for (const char* one = applications.data(); *one != '\0'; one += std::string_view(one).size() + 1)
                if (std::string_view(one) == "rbd") pools.push_back(name);
        } catch (const Error&) {
            continue;  // deleted meanwhile
        }
    }
    return pools;
}

/// The ids of those whose time has come, without those whose removal has begun: somebody may be at it.
std::vector<std::string> expired(rados_ioctx_t pool) {
    std::vector<rbd_trash_image_info_t> raw(64);
    std::size_t count = raw.size();
    int rc = 0;
    while ((rc = rbd_trash_list(pool, raw.data(), &count)) == -ERANGE) raw.resize(count);
    if (rc < 0) throw rbd_error(rc, "error listing trash entries");
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i)
        if (raw[i].deferment_end_time <= now) ids.emplace_back(raw[i].id);
    rbd_trash_list_cleanup(raw.data(), count);
    return ids;
}

/// One run of the operation.
class Purge {
  public:
    Purge(OperationContext& context, std::string pool) : context_(context), pool_(std::move(pool)) {}

    void run() {
        context_.step("look for what may go");
        if (pool_.empty()) {
            for (const auto& pool : image_pools(context_.cluster()))
                attempt("pool '" + shown(pool) + "'", [&] { find(pool); });
        } else {
            find(pool_);
        }
        remove();
        if (!first_failure_) return;
        const auto& first = *first_failure_;
        auto text = std::string(first.what());
        if (failures_.size() + untold_ > 1)
            text += "; " + std::to_string(failures_.size() + untold_ - 1) + " more failed";
        if (removed_ > 0) text += "; " + std::to_string(removed_) + " were removed";
        throw Error(first.kind(), first.errno_value(), first.component(), text,
                    {{"removed", removed_}, {"failed", failures_}});
    }

  private:
    struct Entry {
        std::string spec;
        std::shared_ptr<ceph::Ioctx> io;
        TrashRemoval removal;
    };

    void find(const std::string& pool) {
        const auto& cluster = context_.cluster();
        auto io = std::make_shared<ceph::Ioctx>(cluster.open_ioctx(pool));
        if (const auto why = why_no_images(cluster, pool, ""); !why.empty())
            throw rbd_error(-ETIMEDOUT, "error listing trash entries", why);
        auto namespaces = list_namespaces(io->handle());
        namespaces.emplace_back();
        for (const auto& ns : namespaces) {
            const auto there = std::make_shared<ceph::Ioctx>(cluster.open_ioctx(pool, ns));
            for (auto& id : expired(there->handle())) look_at(ImageIdSpec{pool, ns, std::move(id)}, there);
        }
    }

    void look_at(const ImageIdSpec& spec, const std::shared_ptr<ceph::Ioctx>& io) {
        attempt(shown(spec.format()), [&] {
            TrashRemoval removal(context_, io->handle(), spec.id, TrashRemoval::Snapshots::refuse);
            removal.check(false);
            entries_.push_back({spec.format(), io, std::move(removal)});
        });
    }

    void remove() {
        std::uint64_t total = 0;
        for (const auto& entry : entries_) total += entry.removal.weight();
        Progress progress(context_, total);
        for (auto& entry : entries_) {
            context_.step("remove image " + shown(entry.spec));
            if (context_.stop_requested())
                throw rbd_error(-ECANCELED, deleting_from_trash,
                                std::to_string(removed_) + " of " + std::to_string(entries_.size()) + " were removed");
            attempt(shown(entry.spec), [&] {
                entry.removal.run(progress);
                ++removed_;
            });
        }
    }

    /// Does one part; its failure is kept for the end, but a stop ends all.
    template <typename Part>
    void attempt(const std::string& what, Part part) {
        try {
            part();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::cancelled) throw;
            // Gone between the look and now: what was to be has come to be.
            if (error.errno_value() == ENOENT && error.component() == "rbd") return;
            if (!first_failure_) first_failure_ = error;
            if (failures_.size() < most_told)
                failures_.push_back({{"what", what}, {"detail", error.what()}});
            else
                ++untold_;
        }
    }

    OperationContext& context_;
    std::string pool_;
    std::vector<Entry> entries_;
    std::size_t removed_ = 0;
    std::optional<Error> first_failure_;
    json failures_ = json::array();
    std::size_t untold_ = 0;
};

json run_trash_purge(OperationContext& context, const json& arguments) {
    Purge(context, pool_of(arguments)).run();
    return nullptr;
}

}  // namespace

const Operation trash_purge_operation{
    .name = "rbd/trash/purge",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::remove},
    .decode = decode_trash_purge,
    .metadata = metadata_of_trash_purge,
    .touches = touches_of_trash_purge,
    .run = run_trash_purge,
    .interrupted = "goes on with those that are left",
};

}  // namespace taskd::rbd
