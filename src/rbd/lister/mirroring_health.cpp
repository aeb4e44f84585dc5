#include "rbd/lister/mirroring_health.hpp"

#include "ceph/command_sender.hpp"
#include "rbd/lister/lister_impl.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

using nlohmann::json;
enum class Colour { none, good, warning, error };
using Modes = std::map<std::string, std::optional<std::uint32_t>>;

/// What a daemon tells of a pool.
struct PoolReport {
    std::string pool;
    bool leads = false;
    std::int64_t errors = 0;
    std::int64_t warnings = 0;
    Colour callouts = Colour::none;
};
using DaemonReport = std::vector<PoolReport>;

json member(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : json();
}

Colour worst_callout(const json& callouts) {
    auto worst = Colour::good;
    if (!callouts.is_object()) return worst;
    for (const auto& callout : callouts) {
        const auto level = member(callout, "level");
        if (level == "error") return Colour::error;
        if (level == "warning") worst = Colour::warning;
    }
    return worst;
}

std::vector<DaemonReport> reports_of(const json& status) {
    std::vector<DaemonReport> reports;
    const auto daemons = member(status, "rbd-mirror");
    if (!daemons.is_object()) return reports;
    for (const auto& daemon : daemons) {
        auto& report = reports.emplace_back();
        const auto text = member(member(daemon, "status"), "json");
        const auto pools = text.is_string() ? json::parse(text.get<std::string>(), nullptr, false) : json();
        if (!pools.is_object()) continue;
        const auto number = [](const json& value) { return value.is_number_integer() ? value.get<std::int64_t>() : 0; };
        for (const auto& pool : pools) {
            const auto name = member(pool, "name");
            report.push_back({name.is_string() ? name.get<std::string>() : "", member(pool, "leader") == true,
                              number(member(pool, "image_error_count")), number(member(pool, "image_warning_count")),
                              worst_callout(member(pool, "callouts"))});
        }
    }
    return reports;
}

Colour colour_of_pool(const std::string& name, std::uint32_t mode, const std::vector<DaemonReport>& daemons) {
    constexpr std::uint32_t last_known_mode = 2;
    auto colour = mode > last_known_mode ? Colour::warning : Colour::none;
    bool has_leader = false;
    for (const auto& daemon : daemons)
        for (const auto& report : daemon) {
            if (report.pool != name) continue;
            has_leader = has_leader || report.leads;
            if (report.errors > 0)
                colour = Colour::error;
            else if (colour != Colour::error && report.warnings > 0)
                colour = Colour::warning;
            else if (colour == Colour::none)
                colour = Colour::good;
        }
    if (colour == Colour::none) return Colour::error;  // no daemon knows the pool
    return has_leader ? colour : Colour::warning;
}

}  // namespace

MirroringHealth judge_mirroring(const Modes& modes, const json& status) {
    MirroringHealth health;
    const auto count = [&health](Colour colour) {
        if (colour == Colour::error) ++health.errors;
        if (colour == Colour::warning) ++health.warnings;
    };
    const auto daemons = reports_of(status);
    for (const auto& daemon : daemons) {
        auto worst = Colour::none;
        for (const auto& report : daemon) worst = std::max(worst, report.callouts);
        count(worst);
    }
    for (const auto& [name, mode] : modes) {
        if (!mode)
            count(Colour::warning);
        else if (*mode != 0)
            count(colour_of_pool(name, *mode, daemons));
    }
    return health;
}

namespace {

/// A look at all pools' modes, on its way.
struct Look {
    std::shared_ptr<Lister::Impl> lister;
    Modes modes{};
};

void finish(const std::shared_ptr<Look>& look) {
    const auto is_off = [](const auto& pool) { return pool.second == 0U; };
    if (std::all_of(look->modes.begin(), look->modes.end(), is_off)) {
        look->lister->tell_mirroring({});
        return;
    }
    try {
        look->lister->sender.send({ceph::CommandTarget::Kind::mgr, {}},
                                  {{"prefix", "service status"}, {"format", "json"}}, {},
                                  [look](const ceph::CommandAnswer& answer) {
                                      const auto status = answer.error || answer.result.return_code < 0
                                                              ? json()
                                                              : json::parse(answer.result.output, nullptr, false);
                                      look->lister->tell_mirroring(judge_mirroring(look->modes, status));
                                  });
    } catch (const Error&) {
        look->lister->tell_mirroring(judge_mirroring(look->modes, json()));
    }
}

}  // namespace

void Lister::Impl::tell_mirroring(const MirroringHealth& health) {
    const MutexLock lock(mirroring_mutex);
    mirroring = health;
    looks_at_mirroring = false;
}

void Lister::Impl::look_at_mirroring() {
    with_pools([this](const Pools& known, const std::exception_ptr& error) {
        if (error) {
            const MutexLock lock(mirroring_mutex);
            looks_at_mirroring = false;
            return;
        }
        const auto look = std::make_shared<Look>(Look{shared_from_this()});
        const auto until = when_released([look] { finish(look); });
        for (const auto& [id, pool] : known->all()) {
            if (!pool->is_for_images()) continue;
            read_mirror_mode(pool, "", [look, until, name = pool->name()](int rc, std::uint32_t mode) {
                look->modes[name] = rc < 0 ? std::nullopt : std::optional(mode);
            });
        }
    });
}

std::optional<MirroringHealth> Lister::mirroring_health() {
    constexpr std::chrono::seconds interval{5};
    const auto now = std::chrono::steady_clock::now();
    const MutexLock lock(impl_->mirroring_mutex);
    if (!impl_->looks_at_mirroring && now - impl_->mirroring_looked_at >= interval) {
        impl_->looks_at_mirroring = true;
        impl_->mirroring_looked_at = now;
        boost::asio::post(impl_->context, [impl = impl_.get()] { impl->look_at_mirroring(); });
    }
    return impl_->mirroring;
}

}  // namespace taskd::rbd
