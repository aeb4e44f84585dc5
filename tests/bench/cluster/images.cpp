#include "ceph/cluster.hpp"
#include "comparison.hpp"
#include "http/client.hpp"
#include "rbd/directory.hpp"
#include "subjects.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <rbd/librbd.h>

namespace taskd::bench {
namespace {

constexpr std::size_t clients = 32;
constexpr std::uint64_t image_bytes = 1 << 20;

std::string image_name(std::size_t number) {
    return "bench-" + std::to_string(number);
}

/// A client of the daemon that waits for each of its tasks.
class Requester {
  public:
    explicit Requester(http::Endpoint endpoint) : client_(std::move(endpoint)) {}

    void create(const std::string& name) {
        const nlohmann::json body{{"pool_name", "rbd"}, {"name", name}, {"size", image_bytes}};
        request("POST", "/api/block/image", body.dump(), 201);
    }
    void remove(const std::string& name) { request("DELETE", "/api/block/image/rbd%2F" + name, "", 204); }
    void ask(const std::string&) {
        const nlohmann::json body{{"target", "mon"}, {"command", {{"prefix", "osd pool ls"}}}};
        send("POST", "/api/command", body.dump(), {}, 200);
    }
    void create_later(const std::string& name) {
        const nlohmann::json body{{"pool_name", "rbd"}, {"name", name}, {"size", image_bytes}};
        send("POST", "/api/block/image", body.dump(), {{"Prefer", "respond-async"}}, 202);
    }

  private:
    void request(std::string_view method, const std::string& target, const std::string& body, int wanted) {
        auto answer = send(method, target, body, {}, wanted);
        if (answer.status != 202) return;
        const std::string id(answer.header("X-Task-Id").value_or(""));
        for (;;) {
            answer = send("GET", "/api/task/" + id + "?wait=30", "", {}, 200);
            const auto task = nlohmann::json::parse(answer.body);
            if (task.at("state") != "finished") continue;
            if (!task.at("success")) throw std::runtime_error("task failed: " + answer.body);
            return;
        }
    }
    http::ClientResponse send(std::string_view method, const std::string& target, const std::string& body,
                              std::vector<http::NameValue> headers, int wanted) {
        if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
        auto answer = client_.request(method, target, headers, body, std::chrono::minutes(2));
        if (answer.status != wanted && answer.status != 202)
            throw std::runtime_error(target + ": " + std::to_string(answer.status) + " " + answer.body);
        return answer;
    }

    http::Client client_;
};

/// As `share_out`, each thread over a connection of its own.
void through_http(const http::Endpoint& endpoint, std::size_t threads, std::size_t first, std::size_t count,
                  void (Requester::*call)(const std::string& name)) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> running;
    for (std::size_t thread = 0; thread < threads; ++thread)
        running.emplace_back([&, first, count] {
            Requester requester(endpoint);
            for (std::size_t n = next++; n < count; n = next++) (requester.*call)(image_name(first + n));
        });
}

void check(int rc, const char* call) {
    if (rc < 0) throw std::runtime_error(std::string(call) + ": " + std::to_string(rc));
}

/// Without what `ceph::Cluster` sets for the daemon's sake: nothing of ours is in the bare calls.
std::unique_ptr<void, ceph::RadosShutdown> connect_as_anybody(const ceph::ClusterOptions& options) {
    rados_t raw = nullptr;
    check(rados_create2(&raw, options.cluster.c_str(), options.name.c_str(), 0), "rados_create2");
    std::unique_ptr<void, ceph::RadosShutdown> cluster(raw);
    check(rados_conf_read_file(raw, options.conf.c_str()), "rados_conf_read_file");
    check(rados_connect(raw), "rados_connect");
    return cluster;
}

void remove_in_one_call(rados_ioctx_t pool, const std::string& name) {
    check(rbd_remove(pool, name.c_str()), "rbd_remove");
}

void remove_by_trash(rados_ioctx_t pool, const std::string& name) {
    const auto id = rbd::id_of_image(pool, name).value();
    check(rbd_trash_move(pool, name.c_str(), 0), "rbd_trash_move");
    check(rbd_trash_remove(pool, id.c_str(), true), "rbd_trash_remove");
}

}  // namespace

void compare_images(const ceph::ClusterOptions& options, const std::string& socket, const Turns& turns,
                    BareRemoval removal) {
    const auto cluster = connect_as_anybody(options);
    rados_ioctx_t io = nullptr;
    check(rados_ioctx_create(cluster.get(), "rbd", &io), "rados_ioctx_create");
    const ceph::Ioctx pool(io);
    const auto endpoint = http::Endpoint::unix_socket(socket);
    const auto remove = removal == BareRemoval::one_call ? remove_in_one_call : remove_by_trash;

    compare(
        turns,
        [&](std::size_t first, std::size_t count) {
            through_http(endpoint, clients, first, count, &Requester::create);
            through_http(endpoint, clients, first, count, &Requester::remove);
        },
        [&](std::size_t first, std::size_t count) {
            share_out(clients, first, count, [&](std::size_t number) {
                int order = 0;
                check(rbd_create(pool.handle(), image_name(number).c_str(), image_bytes, &order), "rbd_create");
            });
            share_out(clients, first, count, [&](std::size_t number) { remove(pool.handle(), image_name(number)); });
        });
}

void submit_images(const std::string& socket, std::size_t first, std::size_t count) {
    through_http(http::Endpoint::unix_socket(socket), 4, first, count, &Requester::create_later);
}

void ask_commands(const std::string& socket, std::size_t first, std::size_t count) {
    // So many that the monitors and the journal are busy: a million of them are asked.
    through_http(http::Endpoint::unix_socket(socket), 256, first, count, &Requester::ask);
}

}  // namespace taskd::bench
