#include "ceph/caps_check.hpp"

#include "ceph/aio.hpp"
#include "ceph/command_caller.hpp"
#include "ceph/command_sender.hpp"
#include "ceph/error.hpp"
#include "core/mutex.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <optional>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using Kind = CommandTarget::Kind;
using Verdict = CapFinding::Verdict;

constexpr std::size_t most_pools = 64;
/// For commands under way when the check is stopped: the monitors' answer in milliseconds.
constexpr std::chrono::milliseconds stop_grace{500};
/// No object of ours or librbd's.
constexpr const char* no_object = "taskd.caps-check.no-such-object";

/// Longer than the monitors take for a configuration key (`mon_config_key_max_entry_size`, 64 KiB, for an operator to
/// raise), so never kept. Made when it is sent: what is as long, copied again and again, would be felt at each start.
std::string too_long() {
    return std::string(std::size_t{1} << 20, 'x');
}

/// What has been answered of several questions. Shared with the callbacks, which may come after the asker has gone.
template <class Answer>
class Answers {
  public:
    explicit Answers(std::size_t count) : answers_(count), open_(count) {}

    void give(std::size_t number, Answer answer) {
        const MutexLock lock(mutex_);
        answers_[number] = std::move(answer);
        --open_;
        changed_.notify_all();
    }

    /// Those that came until `end`, or until a stop is requested.
    std::vector<std::optional<Answer>> wait(std::chrono::steady_clock::time_point end, const std::stop_token& stop) {
        const std::stop_callback wake(stop, [this] {
            const MutexLock lock(mutex_);
            changed_.notify_all();
        });
        const MutexLock lock(mutex_);
        while (open_ > 0 && !stop.stop_requested())
            if (changed_.wait_until(mutex_, end) == std::cv_status::timeout) break;
        return answers_;
    }

  private:
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<std::optional<Answer>> answers_ TASKD_GUARDED_BY(mutex_);
    std::size_t open_ TASKD_GUARDED_BY(mutex_);
};

std::chrono::steady_clock::time_point after(std::chrono::milliseconds bound) {
    return std::chrono::steady_clock::now() + bound;
}

CommandSender make_sender(const std::shared_ptr<Cluster>& cluster, std::chrono::milliseconds bound) {
    CommandLimits limits;
    limits.max_threads = 4;
    limits.deadline = bound;
    limits.stop_grace = stop_grace;
    return CommandSender(std::make_shared<LibradosCaller>([cluster] { return cluster; }), limits);
}

/// Whether a daemon let the command pass. Monitors and mgr refuse with EACCES before they look at it.
void judge(CapFinding& finding, const std::optional<CommandAnswer>& answer) {
    if (!answer) {
        finding.problem = "no answer in time";
    } else if (answer->error) {
        finding.problem = error_text(answer->error);
    } else {
        finding.verdict = answer->result.return_code == -EACCES ? Verdict::missing : Verdict::held;
    }
}

/// Whether an OSD let an operation pass that reads, writes and calls a class, of an object that is not there.
void judge(CapFinding& finding, const std::optional<int>& rc) {
    if (!rc)
        finding.problem = "no answer in time";
    else if (*rc == -EPERM || *rc == -EACCES)
        finding.verdict = Verdict::missing;
    else if (*rc == 0 || *rc == -ENOENT)
        finding.verdict = Verdict::held;
    else
        finding.problem = rados_error_text(*rc);
}

std::vector<CapFinding> distinct(const std::vector<Cap>& caps) {
    std::vector<CapFinding> findings;
    for (const auto& cap : caps) {
        const auto same = std::find_if(findings.begin(), findings.end(), [&](const auto& finding) {
            return finding.cap.where == cap.where && finding.cap.grant == cap.grant;
        });
        if (same == findings.end())
            findings.push_back({cap, std::string(cap.role), {}, Verdict::unknown, {}});
        else
            same->roles.append(", ").append(cap.role);
    }
    return findings;
}

struct PoolList {
    std::vector<std::string> names;
    std::string problem;  ///< Why there is none.
};

/// The pools for images, and that of the journal.
PoolList pools_of(const std::optional<CommandAnswer>& answer, const CapsScope& scope) {
    // Without the map of the OSDs librados would wait for one that it is not given.
    if (!answer || answer->error || answer->result.return_code < 0)
        return {{}, "the map of the OSDs cannot be read, for which mon 'profile rbd' is needed"};
    PoolList pools{{scope.state_pool}, {}};
    const auto add = [&](const std::string& name) {
        if (pools.names.size() < most_pools &&
            std::find(pools.names.begin(), pools.names.end(), name) == pools.names.end())
            pools.names.push_back(name);
    };
    for (const auto& name : scope.image_pools) add(name);
    if (!scope.image_pools.empty()) return pools;
    const auto all = json::parse(answer->result.output, nullptr, false);
    if (!all.is_array()) return pools;
    for (const auto& pool : all)
        if (pool.is_object() && pool.value("application_metadata", json::object()).contains("rbd"))
            add(pool.value("pool_name", scope.state_pool));
    return pools;
}

/// One operation under way, with what librados points to until it ends.
struct Probe {
    explicit Probe(Ioctx pool) : io(std::move(pool)) {
        // The OSD looks at all that it needs (reading, writing, classes) before it begins, and then stops at the first.
        rados_write_op_assert_exists(op.get());
        rados_write_op_setxattr(op.get(), "taskd", "", 0);
        rados_write_op_exec(op.get(), "rbd", "metadata_set", "", 0, nullptr);
    }

    Ioctx io;
    WriteOperation op{rados_create_write_op()};
};

struct StartedProbe {
    std::shared_ptr<Probe> probe;  ///< Null: there is no such pool.
    Completion completion;
};

StartedProbe start_probe(const Cluster& cluster, const std::string& pool, const std::function<void(int rc)>& answered) {
    try {
        auto probe = std::make_shared<Probe>(cluster.open_ioctx(pool));
        auto completion = start_aio(
            "test the caps for pool " + pool,
            [&](rados_completion_t started) {
                return rados_aio_write_op_operate(probe->op.get(), probe->io.handle(), started, no_object, nullptr, 0);
            },
            [probe, answered](int rc) { answered(rc); });
        return {std::move(probe), std::move(completion)};
    } catch (const Error& error) {
        answered(-error.errno_value());
        return {};
    }
}

/// One finding for each pool, in place of one for all of them.
void check_osds(const Cluster& cluster, const PoolList& pools, std::chrono::milliseconds bound,
                const std::stop_token& stop, const CapFinding& asked, std::vector<CapFinding>& findings) {
    const auto answers = std::make_shared<Answers<int>>(pools.names.size());
    std::vector<StartedProbe> started;
    for (std::size_t n = 0; n < pools.names.size(); ++n)
        started.push_back(start_probe(cluster, pools.names[n], [answers, n](int rc) { answers->give(n, rc); }));
    const auto given = answers->wait(after(bound), stop);
    for (std::size_t n = 0; n < pools.names.size(); ++n) {
        if (!given[n]) rados_aio_cancel(started[n].probe->io.handle(), started[n].completion.get());
        CapFinding finding = asked;
        finding.pool = pools.names[n];
        if (started[n].probe)
            judge(finding, given[n]);
        else
            finding.problem = "there is no such pool";
        findings.push_back(std::move(finding));
    }
}

}  // namespace

std::string CapFinding::text() const {
    return CommandTarget{cap.where, {}}.component() + " '" + (pool.empty() ? cap.grant : osd_profile(pool)) + "'";
}

bool CapsReport::has_all() const {
    return std::all_of(findings.begin(), findings.end(),
                       [](const auto& finding) { return finding.verdict == Verdict::held; });
}

json to_view(const CapsReport& report) {
    json missing = json::array();
    json unknown = json::array();
    for (const auto& finding : report.findings) {
        if (finding.verdict == Verdict::missing)
            missing.push_back({{"cap", finding.text()}, {"roles", finding.roles}, {"reason", finding.cap.reason}});
        else if (finding.verdict == Verdict::unknown)
            unknown.push_back({{"cap", finding.text()}, {"roles", finding.roles}, {"problem", finding.problem}});
    }
    return {{"user", report.user}, {"missing", missing}, {"unknown", unknown}};
}

CapsReport check_caps(const std::shared_ptr<Cluster>& cluster, const std::vector<Cap>& caps, const CapsScope& scope,
                      std::chrono::milliseconds bound, const std::stop_token& stop) {
    auto asked = distinct(caps);
    CommandSender sender = make_sender(cluster, bound);
    const auto answers = std::make_shared<Answers<CommandAnswer>>(asked.size() + 1);
    const auto ask = [&](std::size_t number, Kind where, const json& command, std::string input) {
        sender.send({where, {}}, command, std::move(input),
                    [answers, number](CommandAnswer answer) { answers->give(number, std::move(answer)); });
    };
    ask(asked.size(), Kind::mon, {{"prefix", "osd pool ls"}, {"detail", "detail"}, {"format", "json"}}, {});
    // The monitors first: a mgr that does not answer would keep all threads.
    for (const auto where : {Kind::mon, Kind::mgr, Kind::osd})
        for (std::size_t n = 0; n < asked.size(); ++n) {
            const auto& cap = asked[n].cap;
            if (cap.where != where) continue;
            if (cap.probe.is_null())
                answers->give(n, {});  // the OSDs' turn comes later
            else
                ask(n, where, cap.probe, cap.probe_is_too_long ? too_long() : std::string());
        }
    const auto given = answers->wait(after(bound), stop);
    const auto pools = pools_of(given.back(), scope);

    CapsReport report{cluster->options().name, {}};
    for (std::size_t n = 0; n < asked.size(); ++n) {
        if (!asked[n].cap.probe.is_null()) {
            judge(asked[n], given[n]);
        } else if (!pools.problem.empty()) {
            asked[n].problem = pools.problem;
        } else {
            check_osds(*cluster, pools, bound, stop, asked[n], report.findings);
            continue;
        }
        report.findings.push_back(asked[n]);
    }
    return report;
}

}  // namespace taskd::ceph
