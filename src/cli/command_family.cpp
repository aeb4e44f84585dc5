#include "cli/command_family.hpp"

#include <utility>

#include <taskd/error.hpp>

namespace taskd::cli {

void WaitOptions::add_to(CLI::App& app) {
    app.add_flag("--no-wait", no_wait, "Print the task's id once it is accepted and exit");
    add_timeout(app, timeout);
}

void WaitOptions::add_timeout(CLI::App& app, std::int64_t& timeout) {
    app.add_option("--timeout", timeout, "Wait no longer than this; the task goes on, and the exit code is 3")
        ->type_name("SECONDS")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 31).description(""));
}

std::optional<std::chrono::seconds> WaitOptions::seconds(std::int64_t timeout) {
    return timeout < 0 ? std::nullopt : std::optional(std::chrono::seconds(timeout));
}

Submit WaitOptions::submit(std::vector<Submission> tasks) const {
    return {.tasks = std::move(tasks), .wait = !no_wait, .timeout = seconds(timeout)};
}

void ImageOptions::add_to(CLI::App& app) {
    app.add_option("-p,--pool", pool, "Pool name [default: rbd]")->type_name("POOL");
    app.add_option("--namespace", name_space, "Namespace name")->type_name("NAMESPACE");
    app.add_option("--image", image, "Image name, instead of the spec")->type_name("IMAGE");
}

void add_layout_options(CLI::App& app, CreateArguments& layout) {
    app.add_option("--object-size", layout.object_size, "Object size in B/K/M [4K <= size <= 32M]")->type_name("SIZE");
    app.add_option("--image-feature", layout.features,
                   "Image features, repeated or separated by commas: layering, "
                   "exclusive-lock, object-map, fast-diff, deep-flatten, "
                   "journaling")
        ->type_name("NAMES")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--stripe-unit", layout.stripe_unit, "Stripe unit in B/K/M")->type_name("SIZE");
    app.add_option("--stripe-count", layout.stripe_count, "Stripe count")->type_name("N");
    app.add_option("--data-pool", layout.data_pool, "Data pool")->type_name("POOL");
}

void take_snapshot(std::string& spec, std::string& snapshot) {
    const auto at = spec.rfind('@');
    if (at == std::string::npos) return;
    auto name = spec.substr(at + 1);
    if (name.empty()) throw BadRequest("image-spec", "'" + spec + "' names no snapshot after '@'");
    if (!snapshot.empty() && snapshot != name)
        throw BadRequest("--snap", "'" + snapshot + "' contradicts '" + name + "' in the image spec");
    snapshot = std::move(name);
    spec.erase(at);
}

CLI::App& command_group(CLI::App& parent, const std::string& name, const std::string& what) {
    for (auto* known : parent.get_subcommands([&name](const CLI::App* command) { return command->get_name() == name; }))
        return *known;
    auto* group = parent.add_subcommand(name, what);
    group->require_subcommand(1, 1);
    return *group;
}

std::vector<std::unique_ptr<CommandFamily>> make_command_families() {
    std::vector<std::unique_ptr<CommandFamily>> families;
    families.push_back(make_image_commands());
    families.push_back(make_copy_commands());
    families.push_back(make_pool_commands());
    families.push_back(make_image_look_commands());
    families.push_back(make_snapshot_commands());
    families.push_back(make_trash_commands());
    families.push_back(make_namespace_commands());
    families.push_back(make_mirror_image_commands());
    families.push_back(make_mirror_pool_commands());
    return families;
}

}  // namespace taskd::cli
