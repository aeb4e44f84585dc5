// The sides of tests/bench/cluster/run.py that have to be fast. Prints JSON; made for that program, not for people.

#include "ceph/cluster.hpp"
#include "subjects.hpp"

#include <chrono>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
    using namespace taskd::bench;

    CLI::App app("Compares tasks with bare calls of librados and librbd");
    taskd::ceph::ClusterOptions options;
    Turns turns{5, 1000};
    std::string socket;
    std::string beside;
    std::size_t first = 0;
    app.add_option("--conf", options.conf, "Of the cluster");
    app.add_option("--socket", socket, "Of the daemon");
    app.add_option("--beside", beside, "Of the server with a fixed answer: HOST:PORT");
    app.add_option("--turns", turns.turns, "Of each side");
    app.add_option("--count", turns.count, "Things in a turn");
    app.add_option("--first", first, "Number of the first thing");
    app.require_subcommand(1);
    app.add_subcommand("commands")->callback([&] { compare_commands(options, turns); });
    app.add_subcommand("object-writes")->callback([&] { compare_object_writes(options, turns); });
    const auto images = [&](BareRemoval removal) {
        return [&, removal] { compare_images(options, socket, turns, removal); };
    };
    app.add_subcommand("images")->callback(images(BareRemoval::one_call));
    app.add_subcommand("images-by-trash")->callback(images(BareRemoval::by_trash));
    app.add_subcommand("submit")->callback([&] { submit_images(socket, first, turns.count); });
    app.add_subcommand("ask")->callback([&] { ask_commands(socket, first, turns.count); });
    app.add_subcommand("probe")->callback([&] { probe_summary(socket, beside); });
    app.add_subcommand("connect")->callback([&] {
        const auto began = std::chrono::steady_clock::now();
        const auto cluster = taskd::ceph::Cluster::connect(options);
        std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() << '\n';
    });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        return app.exit(end);
    } catch (const std::exception& failure) {
        std::cerr << "cluster_bench: " << failure.what() << '\n';
        return 1;
    }
    return 0;
}
