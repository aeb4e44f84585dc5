#include "daemon/access_command.hpp"

#include "auth/access_store.hpp"
#include "auth/token.hpp"
#include "ceph/cluster.hpp"
#include "daemon/change_lock.hpp"
#include "daemon/options.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

/// What arrives after it changes nothing but a lock that ends by itself.
constexpr std::chrono::seconds osd_timeout{5};

std::string read_input(const std::string& path) {
    if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    // As `ceph`, which ends with 1.
    if (!file) throw Error(ErrorKind::bad_request, EPERM, "auth", "cannot read '" + path + "'");
    return text;
}

/// Without it the command goes on: who must lock somebody out need not wait for the OSDs.
std::unique_ptr<ChangeLock> lock_changes(const std::shared_ptr<ceph::Cluster>& cluster, const std::string& pool) {
    try {
        return std::make_unique<ChangeLock>(cluster, pool);
    } catch (const Error& error) {
        if (error.errno_value() == EBUSY) throw;
        std::fprintf(stderr, "without a lock, so what somebody else changes at this moment may be lost: %s\n",
                     error.what());
        return nullptr;
    }
}

std::string run(const AccessAction& action) {
    auto options = action.cluster.options();
    options.osd_op_timeout = osd_timeout;
    const auto cluster = ceph::Cluster::connect(options);
    ceph::LibradosCaller caller([handle = cluster] { return handle; });
    auth::AccessStore store(caller);
    const auto lock = action.changes ? lock_changes(cluster, action.cluster.pool()) : nullptr;
    auto document = store.read();
    const auto before = document.text();
    auto output = action.run(document, auth::numeric_date_now());
    if (document.text() == before) return output;
    if (lock) lock->renew();
    store.write(document);
    return output;
}

int fail(const Error& error) {
    const int code = error.errno_value() == 0 ? EXIT_FAILURE : error.errno_value();
    const char* name = ::strerrorname_np(code);
    std::fprintf(stderr, "Error %s: %s\n", name == nullptr ? std::to_string(code).c_str() : name, error.what());
    return code;
}

}  // namespace

int access_command(AccessFamily family, int argc, const char* const* argv) {
    spdlog::set_level(spdlog::level::off);  // what matters of it is in the errors
    try {
        std::printf("%s\n", run(parse_access_action(family, argc, argv, read_input)).c_str());
        return EXIT_SUCCESS;
    } catch (const Finished& finished) {
        std::fprintf(finished.exit_code == 0 ? stdout : stderr, "%s\n", finished.text.c_str());
        return finished.exit_code;
    } catch (const Error& error) {
        return fail(error);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "Error: %s\n", error.what());
        return EXIT_FAILURE;
    }
}

}  // namespace taskd::daemon
