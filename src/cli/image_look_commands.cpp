#include "cli/command_family.hpp"
#include "cli/target.hpp"
#include "http/uri.hpp"

#include <utility>

#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

using What = LookAtImages::What;

/// Those that only look.
class ImageLookCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto* list = add_pool_command(rbd, "ls", "List the images of a pool");
        list->alias("list");
        list->add_flag("-l,--long", long_, "With sizes, parents and snapshots");
        list->footer("Examples:\n  ceph-task rbd ls\n  ceph-task rbd ls -l vms/tenant-1\n");
        list->callback([this, &invocation] { invocation = images(long_ ? What::images : What::names); });

        auto* info = add_image_command(rbd, "info", "Show what an image is");
        info->footer("Example:\n  ceph-task rbd info rbd/vm-1\n");
        info->callback([this, &invocation] { invocation = image(What::info); });

        auto* usage = rbd.add_subcommand("du", "Show how much of images and snapshots is used, where object maps tell");
        usage->alias("disk-usage");
        usage->add_option("spec", spec_, "[<pool>/[<namespace>/]]<image> [default: all of the pool]")
            ->type_name("SPEC");
        where_.add_to(*usage);
        usage->footer("Examples:\n  ceph-task rbd du rbd/vm-1\n  ceph-task rbd du -p vms\n");
        usage->callback([this, &invocation] {
            invocation = spec_.empty() && where_.image.empty() ? images(What::usage) : image(What::usage);
        });

        auto* snapshots = add_image_command(command_group(rbd, "snap", "Snapshots"), "ls", "List an image's snapshots");
        snapshots->alias("list");
        snapshots->footer("Example:\n  ceph-task rbd snap ls rbd/vm-1\n");
        snapshots->callback([this, &invocation] { invocation = image(What::snapshots); });

        auto* trash = add_pool_command(command_group(rbd, "trash", "Images in the trash"), "ls", "List a pool's trash");
        trash->alias("list");
        trash->add_flag("-l,--long", long_, "With times and origin");
        trash->footer("Example:\n  ceph-task rbd trash ls vms\n");
        trash->callback(
            [this, &invocation] { invocation = in_pool("/api/block/image/trash?pool_name=", What::trash, "1.0"); });

        auto* spaces = command_group(rbd, "namespace", "Namespaces of pools")
                           .add_subcommand("ls", "List a pool's namespaces and how many images each has");
        spaces->alias("list");
        spaces->add_option("pool", spec_, "[default: rbd]")->type_name("POOL");
        spaces->add_option("-p,--pool", where_.pool, "Pool name [default: rbd]")->type_name("POOL");
        spaces->footer("Example:\n  ceph-task rbd namespace ls vms\n");
        spaces->callback([this, &invocation] {
            const auto [pool, ns] = pool_and_namespace();
            invocation =
                LookAtImages{What::namespaces, "/api/block/pool/" + path_parameter(pool) + "/namespace", "1.0"};
        });
    }

  private:
    CLI::App* add_pool_command(CLI::App& parent, const std::string& name, const std::string& what) {
        auto* command = parent.add_subcommand(name, what);
        command->add_option("pool-spec", spec_, "<pool>[/<namespace>] [default: rbd]")->type_name("SPEC");
        command->add_option("-p,--pool", where_.pool, "Pool name [default: rbd]")->type_name("POOL");
        command->add_option("--namespace", where_.name_space, "Namespace name")->type_name("NAMESPACE");
        return command;
    }
    CLI::App* add_image_command(CLI::App& parent, const std::string& name, const std::string& what) {
        auto* command = parent.add_subcommand(name, what);
        command->add_option("image-spec", spec_, "[<pool>/[<namespace>/]]<image>")->type_name("SPEC");
        where_.add_to(*command);
        return command;
    }

    std::pair<std::string, std::string> pool_and_namespace() const {
        const auto slash = spec_.find('/');
        auto pool = spec_.substr(0, slash);
        auto ns = slash == std::string::npos ? std::string() : spec_.substr(slash + 1);
        if (!pool.empty() && !where_.pool.empty() && pool != where_.pool)
            throw BadRequest("--pool", "'" + where_.pool + "' contradicts '" + spec_ + "'");
        if (!ns.empty() && !where_.name_space.empty() && ns != where_.name_space)
            throw BadRequest("--namespace", "'" + where_.name_space + "' contradicts '" + spec_ + "'");
        if (ns.find('/') != std::string::npos) throw BadRequest("pool-spec", "'" + spec_ + "' has too many parts");
        if (pool.empty()) pool = where_.pool.empty() ? "rbd" : where_.pool;
        return {pool, ns.empty() ? where_.name_space : ns};
    }

    LookAtImages in_pool(const std::string& path, What what, const std::string& version) const {
        auto [pool, ns] = pool_and_namespace();
        return {what, path + http::percent_encode(pool), version, std::move(ns), long_};
    }
    LookAtImages images(What what) const {
        auto look = in_pool("/api/block/image?limit=-1&pool_name=", what, "2.0");
        if (what != What::usage) look.target += "&omit_usage=true";
        return look;
    }
    LookAtImages image(What what) const {
        const auto spec = image_spec(spec_, where_.pool, where_.name_space, where_.image).text();
        return {what, "/api/block/image/" + path_parameter(spec) + (what == What::usage ? "" : "?omit_usage=true"),
                "1.0"};
    }

    std::string spec_;
    ImageOptions where_;
    bool long_ = false;
};

}  // namespace

std::unique_ptr<CommandFamily> make_image_look_commands() {
    return std::make_unique<ImageLookCommands>();
}

}  // namespace taskd::cli
