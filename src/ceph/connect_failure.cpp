#include "ceph/connect_failure.hpp"

#include "ceph/cluster.hpp"
#include "ceph/error.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace taskd::ceph {
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// Ceph's lists of files: separated by commas, semicolons or blanks.
std::vector<std::string> file_list(const std::string& text) {
    std::vector<std::string> files;
    std::string file;
    for (const char c : text + ",") {
        if (c != ',' && c != ';' && c != ' ' && c != '\t') {
            file += c;
        } else if (!file.empty()) {
            files.push_back(std::move(file));
            file.clear();
        }
    }
    return files;
}

/// What a look at the keyring files tells about a failed connect.
struct Keyring {
    std::vector<std::string> paths;
    std::vector<std::string> readable;
    bool has_entity = false;
    bool key_elsewhere = false;  ///< Given by option `key` or `keyfile`.
    std::string newer_key_in;    ///< A file with a key of cipher aes256k, which only librados >= 20.2.4 can parse.
};

Keyring look_at_keyring(rados_t cluster, const std::string& entity) {
    Keyring keyring;
    keyring.paths = file_list(conf_value(cluster, "keyring"));
    keyring.key_elsewhere = !conf_value(cluster, "key").empty() || !conf_value(cluster, "keyfile").empty();
    for (const auto& path : keyring.paths) {
        std::ifstream file(path);
        if (!file) continue;
        keyring.readable.push_back(path);
        std::string line;
        while (std::getline(file, line)) {
            if (line.find("[" + entity + "]") != std::string::npos) keyring.has_entity = true;
            const auto key = line.find("key");
            if (key != std::string::npos && line.find("AgB", key) != std::string::npos) keyring.newer_key_in = path;
        }
    }
    return keyring;
}

std::string describe_monitors(rados_t cluster) {
    const std::string hosts = conf_value(cluster, "mon_host");
    return hosts.empty() ? "mon_host is not set" : "mon_host = " + hosts;
}

/// A cause that the keyring itself shows: errno and words, or errno 0. librados reports it as ENOENT, EACCES or EIO,
/// depending on which other authentication methods it may try.
std::pair<int, std::string> keyring_fault(const Keyring& keyring, const std::string& entity) {
    // One such key spoils its whole file for an older librados, whoever's key it is.
    if (!keyring.newer_key_in.empty())
        return {EIO, "this cluster's key needs librados >= 20.2.4: '" + keyring.newer_key_in +
                         "' holds one of the new kind"};
    if (keyring.key_elsewhere) return {0, {}};
    if (keyring.readable.empty())
        return {ENOENT,
                "no keyring for " + entity + ": tried " + (keyring.paths.empty() ? "none" : joined(keyring.paths))};
    if (!keyring.has_entity) return {ENOENT, "no key for " + entity + " in " + joined(keyring.readable)};
    return {0, {}};
}

std::string reason(int rc, rados_t cluster, const ClusterOptions& options, const Keyring& keyring) {
    const std::string source = keyring.readable.empty() ? "the configuration" : joined(keyring.readable);
    switch (-rc) {
        case EIO:
        case EPERM:
            return "the key for " + options.name + " in " + source + " is malformed or not the cluster's";
        case EACCES:
            return "the cluster does not know " + options.name + " or its key, read from " + source;
        case ENOENT:
        case EINVAL:
            return "the configuration gives no usable monitor address: " + describe_monitors(cluster);
        case ETIMEDOUT:
            return "no monitor answered in " + std::to_string(options.connect_timeout.count()) +
                   " s: " + describe_monitors(cluster);
        default:
            return "as " + options.name + ", " + describe_monitors(cluster);
    }
}

}  // namespace

std::vector<std::string> configuration_paths(const ClusterOptions& options) {
    if (!options.conf.empty()) return file_list(options.conf);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody in this program writes the environment.
    if (const char* from_environment = std::getenv("CEPH_CONF")) return file_list(from_environment);
    std::vector<std::string> paths{"/etc/ceph/" + options.cluster + ".conf"};
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (const char* home = std::getenv("HOME"))
        paths.push_back(std::string(home) + "/.ceph/" + options.cluster + ".conf");
    paths.push_back(options.cluster + ".conf");
    return paths;
}

Error configuration_failure(int rc, const ClusterOptions& options) {
    const std::string paths = joined(configuration_paths(options));
    return rados_error(rc,
                       (rc == -ENOENT ? "no configuration file: tried " : "error reading the configuration: ") + paths);
}

Error connect_failure(int rc, rados_t cluster, const ClusterOptions& options) {
    const std::string doing = "error connecting to the cluster: ";
    const Keyring keyring = look_at_keyring(cluster, options.name);
    if (rc == -ENOENT || rc == -EACCES || rc == -EIO || rc == -EPERM) {
        if (conf_value(cluster, "mon_host").empty() && rc == -ENOENT)
            return rados_error(rc, doing + reason(rc, cluster, options, keyring));
        if (const auto [code, fault] = keyring_fault(keyring, options.name); code != 0)
            return rados_error(code, doing + fault);
    }
    return rados_error(rc, doing + reason(rc, cluster, options, keyring));
}

}  // namespace taskd::ceph
