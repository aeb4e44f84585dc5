#include "daemon/caps_command.hpp"

#include "ceph/caps_check.hpp"
#include "ceph/cluster.hpp"
#include "daemon/cluster_words.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

constexpr const char* caps_description =
    "Prints the least caps that the Ceph user of ceph-taskd needs, as a command that makes such a user; with --check "
    "tests whether a user has them, and changes nothing.\n\n"
    "Examples:\n"
    "  ceph-taskd caps                                    of all roles, for the images of all pools\n"
    "  ceph-taskd caps --role front worker --image-pool rbd vms\n"
    "  ceph-taskd caps --check --id ceph-taskd            exit code 0 only when nothing is missing\n";

constexpr const char* usual_user = "client.ceph-taskd";

struct CapsWords {
    ClusterWords cluster;
    std::vector<std::string> roles;
    std::vector<std::string> image_pools;
    bool check = false;
};

void define(CLI::App& app, CapsWords& words) {
    words.cluster.define(app);
    app.add_option(
        "--role", words.roles,
        "Only these: front, worker, pools, mirroring, users, own-users, audit; the default is all of them; or "
        "user-admin, for who runs `ceph-taskd user` and `role`");
    app.add_option("--image-pool", words.image_pools,
                   "Pools of whose images it may take care; the default is all there are");
    app.add_flag("--check", words.check, "Connect as that user and test each of them");
    app.set_config("--config", "", "File of the daemon's options; those of no use here are passed over");
    app.allow_config_extras(CLI::config_extras_mode::ignore_all);
}

void print_needed(const std::string& user, const std::vector<ceph::Cap>& caps) {
    for (const auto& role : ceph::cap_roles()) {
        if (std::none_of(caps.begin(), caps.end(), [&](const auto& cap) { return cap.role == role.name; })) continue;
        std::printf("# %s: %s\n", std::string(role.name).c_str(), std::string(role.what).c_str());
        for (const auto& cap : caps)
            if (cap.role == role.name)
                std::printf("#   %s '%s': %s\n", ceph::CommandTarget{cap.where, {}}.component().c_str(),
                            cap.grant.c_str(), std::string(cap.reason).c_str());
    }
    std::printf("%s \\\n    -o /etc/ceph/ceph.%s.keyring\n", ceph::auth_command(user, caps).c_str(), user.c_str());
}

void print_finding(const ceph::CapFinding& finding) {
    using Verdict = ceph::CapFinding::Verdict;
    const auto role = " (" + finding.roles + ")";
    switch (finding.verdict) {
        case Verdict::held:
            std::printf("ok       %s%s\n", finding.text().c_str(), role.c_str());
            break;
        case Verdict::missing:
            std::printf("missing  %s%s: %s\n", finding.text().c_str(), role.c_str(),
                        std::string(finding.cap.reason).c_str());
            break;
        case Verdict::unknown:
            std::printf("unknown  %s%s: %s\n", finding.text().c_str(), role.c_str(), finding.problem.c_str());
            break;
    }
}

int check(const CapsWords& words, const std::vector<std::string>& roles) {
    spdlog::set_level(spdlog::level::off);  // what matters of it is in the findings
    const auto cluster = ceph::Cluster::connect(words.cluster.options());
    const auto& pool = words.cluster.pool();
    const ceph::CapsScope scope{pool.empty() ? cluster->conf("rbd_default_pool") : pool, words.image_pools};
    const auto report = ceph::check_caps(cluster, ceph::needed_caps(roles, scope), scope);
    for (const auto& finding : report.findings) print_finding(finding);
    std::printf("%s %s\n", report.user.c_str(), report.has_all() ? "has all of them" : "does not have all of them");
    return report.has_all() ? EXIT_SUCCESS : EXIT_FAILURE;
}

std::vector<std::string> roles_of(const CapsWords& words) {
    if (!words.roles.empty()) return words.roles;
    std::vector<std::string> all;
    for (const auto& role : ceph::cap_roles())
        if (role.is_daemons) all.emplace_back(role.name);
    return all;
}

}  // namespace

int caps_command(int argc, const char* const* argv) {
    CLI::App app(caps_description, "ceph-taskd caps");
    CapsWords words;
    define(app, words);
    try {
        app.parse(argc, argv);
        const auto roles = roles_of(words);
        if (words.check) return check(words, roles);
        const bool is_named = app.count("--name") + app.count("--id") > 0;
        const auto& pool = words.cluster.pool();
        print_needed(is_named ? words.cluster.options().name : usual_user,
                     ceph::needed_caps(roles, {pool.empty() ? "rbd" : pool, words.image_pools}));
        return EXIT_SUCCESS;
    } catch (const CLI::ParseError& end) {
        std::ostringstream out;
        std::ostringstream err;
        if (app.exit(end, out, err) == 0) return std::printf("%s\n", out.str().c_str()), EXIT_SUCCESS;
        std::fprintf(stderr, "ceph-taskd caps: %s\n", end.what());
        return 2;
    } catch (const BadRequest& mistake) {
        std::fprintf(stderr, "ceph-taskd caps: --%s\n", mistake.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ceph-taskd caps: %s\n", error.what());
        return EXIT_FAILURE;
    }
}

}  // namespace taskd::daemon
