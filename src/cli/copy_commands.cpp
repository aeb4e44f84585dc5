#include "cli/command_family.hpp"
#include "cli/target.hpp"

#include <utility>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

/// Those that make an image of another one.
class CopyCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto& copy = add_copy(rbd, "cp", "Copy an image or a snapshot", "/copy", "rbd cp", invocation);
        copy.alias("copy");
        copy.footer("Example:\n  ceph-task rbd cp rbd/vm-1@before rbd/vm-2\n");
        auto* deep = rbd.add_subcommand("deep", "Copies with snapshots");
        deep->require_subcommand(1, 1);
        auto& deep_copy =
            add_copy(*deep, "cp", "Copy an image with its snapshots", "/deep_copy", "rbd deep cp", invocation);
        deep_copy.alias("copy");
        deep_copy.add_flag("--flatten", flatten_, "Fill a clone with its parent's data");
        deep_copy.footer("Example:\n  ceph-task rbd deep cp rbd/vm-1 ssd/vm-1\n");
        add_migration(rbd, invocation);
    }

  private:
    CLI::App& add_copy(CLI::App& parent, const std::string& name, const std::string& what, const std::string& path,
                       const std::string& label, Invocation& invocation) {
        auto* command = parent.add_subcommand(name, what);
        command->add_option("source-image-or-snap-spec", spec_, "[<pool>/[<namespace>/]]<image>[@<snapshot>]")
            ->type_name("SOURCE");
        add_destination(*command);
        command->add_option("--snap", snapshot_, "Snapshot of the source")->type_name("SNAPSHOT");
        command->add_option("--config", layout_.configuration, "Configuration, such as rbd_qos_iops_limit=100")
            ->type_name("KEY=VALUE")
            ->allow_extra_args(false);
        command->callback([=, this, &invocation] {
            take_snapshot(spec_, snapshot_);
            const auto [from, to] = source_and_destination();
            auto body = body_to(to);
            if (!snapshot_.empty()) body["snapshot_name"] = snapshot_;
            invocation = waiting_.submit({post(from, path, label, std::move(body))});
        });
        return *command;
    }

    void add_destination(CLI::App& command) {
        command.add_option("dest-image-spec", destination_, "[<pool>/[<namespace>/]]<image>")->type_name("DEST");
        image_.add_to(command);
        command.add_option("--dest-pool", dest_.pool, "Destination pool [default: rbd]")->type_name("POOL");
        command.add_option("--dest-namespace", dest_.name_space, "Destination namespace")->type_name("NAMESPACE");
        command.add_option("--dest", dest_.image, "Destination image, instead of the spec")->type_name("IMAGE");
        add_layout_options(command, layout_);
        waiting_.add_to(command);
    }

    void add_migration(CLI::App& rbd, Invocation& invocation) {
        auto* migration = rbd.add_subcommand("migration", "Moves an image while it is used");
        migration->require_subcommand(1, 1);
        auto* prepare = migration->add_subcommand("prepare", "Make the destination, which clients then open");
        prepare->add_option("source-image-spec", spec_, "[<pool>/[<namespace>/]]<image>")->type_name("SOURCE");
        add_destination(*prepare);
        prepare->add_flag("--flatten", flatten_, "Fill a clone with its parent's data");
        prepare->footer("Example:\n  ceph-task rbd migration prepare rbd/vm-1 ssd/vm-1\n");
        prepare->callback([this, &invocation] {
            const bool is_in_place = destination_.empty() && dest_.image.empty();
            const auto from = source();
            auto to = is_in_place ? from : destination(destination_);
            if (is_in_place && !dest_.pool.empty()) to = {dest_.pool, dest_.name_space, from.image};
            invocation = waiting_.submit({post(from, "/migration/prepare", "rbd migration prepare", body_to(to))});
        });
        for (const auto& [verb, what] :
             {std::pair<std::string, std::string>{"execute", "Copy the data from the source"},
              {"commit", "Remove the source; there is no way back"},
              {"abort", "Go back to the source"}})
            add_step(*migration, verb, what, invocation);
    }

    void add_step(CLI::App& migration, const std::string& verb, const std::string& what, Invocation& invocation) {
        auto* step = migration.add_subcommand(verb, what);
        step->add_option("image-spec", spec_, "[<pool>/[<namespace>/]]<image>, the destination")->type_name("SPEC");
        image_.add_to(*step);
        waiting_.add_to(*step);
        step->footer("Example:\n  ceph-task rbd migration " + verb + " ssd/vm-1\n");
        step->callback([=, this, &invocation] {
            invocation = waiting_.submit(
                {post(source(), "/migration/" + verb, "rbd migration " + verb, nlohmann::json::object())});
        });
    }

    ImageSpec source() const { return image_spec(spec_, image_.pool, image_.name_space, image_.image); }
    ImageSpec destination(const std::string& spec) const {
        return image_spec(spec, dest_.pool, dest_.name_space, dest_.image);
    }

    std::pair<ImageSpec, ImageSpec> source_and_destination() const {
        // With --image the only positional is the destination.
        const bool is_shifted = !image_.image.empty() && destination_.empty() && dest_.image.empty();
        if (!is_shifted) return {source(), destination(destination_)};
        return {image_spec("", image_.pool, image_.name_space, image_.image), destination(spec_)};
    }

    nlohmann::json body_to(const ImageSpec& to) const {
        auto body = layout_members(layout_);
        body["dest_pool_name"] = to.pool;
        body["dest_namespace"] = to.name_space.empty() ? nlohmann::json() : nlohmann::json(to.name_space);
        body["dest_image_name"] = to.image;
        if (flatten_) body["flatten"] = true;
        return body;
    }
    static Submission post(const ImageSpec& image, const std::string& path, const std::string& label,
                           nlohmann::json body) {
        return {.method = "POST",
                .target = "/api/block/image/" + path_parameter(image.text()) + path,
                .body = std::move(body),
                .label = label + ' ' + image.text()};
    }

    std::string spec_, destination_, snapshot_;
    ImageOptions image_, dest_;
    CreateArguments layout_;
    bool flatten_ = false;
    WaitOptions waiting_;
};

}  // namespace

std::unique_ptr<CommandFamily> make_copy_commands() {
    return std::make_unique<CopyCommands>();
}

}  // namespace taskd::cli
