#include "cli/command_family.hpp"
#include "cli/target.hpp"

#include <utility>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

constexpr const char* snapshot_form = "[<pool>/[<namespace>/]]<image>@<snapshot>";

/// `rbd snap …` and `rbd clone`.
class SnapshotCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto& snap = command_group(rbd, "snap", "Snapshots of images");
        add_create(snap, invocation);
        add_remove(snap, invocation);
        add_rename(snap, invocation);
        add_protection(snap, "protect", "Protect a snapshot from removal, so that it can be cloned", true, invocation);
        add_protection(snap, "unprotect", "Allow a snapshot to be removed", false, invocation);
        add_rollback(snap, invocation);
        add_purge(snap, invocation);
        add_clone(rbd, invocation);
    }

  private:
    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& what) {
        auto* command = parent.add_subcommand(name, what);
        command->add_option("snap-spec", spec_, snapshot_form)->type_name("SNAP-SPEC");
        image_.add_to(*command);
        command->add_option("--snap", snapshot_, "Snapshot name, instead of the one in the spec")->type_name("SNAP");
        waiting_.add_to(*command);
        return *command;
    }
    void add_create(CLI::App& snap, Invocation& invocation) {
        auto& command = add(snap, "create", "Create a snapshot");
        command.alias("add");
        command.add_flag("--mirror", mirror_, "Of mirroring, where the image is mirrored by snapshots");
        command.footer("Example:\n  ceph-task rbd snap create rbd/vm-1@before\n");
        command.callback([this, &invocation] {
            const auto image = target();
            submit(invocation, {.method = "POST",
                                .target = path(image) + "/snap",
                                .body = {{"snapshot_name", snapshot_}, {"mirrorImageSnapshot", mirror_}},
                                .label = label("create", image)});
        });
    }
    void add_remove(CLI::App& snap, Invocation& invocation) {
        auto& command = add(snap, "rm", "Remove a snapshot; a protected one is refused");
        command.alias("remove");
        command.add_flag("--force", force_, "Flatten its clones and unprotect it first");
        command.footer("Example:\n  ceph-task rbd snap rm rbd/vm-1@before\n");
        command.callback([this, &invocation] {
            const auto image = target();
            submit(invocation, {.method = "DELETE",
                                .target = snapshot_path(image) + (force_ ? "?force=true" : ""),
                                .label = label("rm", image)});
        });
    }
    void add_rename(CLI::App& snap, Invocation& invocation) {
        auto& command = add(snap, "rename", "Rename a snapshot");
        command.add_option("dest-snap-spec", destination_, "The same image with the new name")
            ->type_name("DEST-SNAP-SPEC");
        command.add_option("--dest-snap", new_name_, "The new name")->type_name("SNAP");
        command.footer("Example:\n  ceph-task rbd snap rename rbd/vm-1@before rbd/vm-1@monday\n");
        command.callback([this, &invocation] {
            const auto image = target();
            take_snapshot(destination_, new_name_);
            if (new_name_.empty()) throw BadRequest("dest-snap-spec", "no new name is given");
            if (!destination_.empty() && image_spec(destination_, "", "", "") != image)
                throw BadRequest("dest-snap-spec", "'" + destination_ + "' is another image");
            submit(invocation, edit(image, "rename", {{"new_snap_name", new_name_}}));
        });
    }
    void add_protection(CLI::App& snap, const std::string& name, const std::string& what, bool on,
                        Invocation& invocation) {
        add(snap, name, what).callback([this, name, on, &invocation] {
            submit(invocation, edit(target(), name, {{"is_protected", on}}));
        });
    }
    void add_rollback(CLI::App& snap, Invocation& invocation) {
        auto& command = add(snap, "rollback", "Give an image the size and the data of a snapshot");
        command.alias("revert");
        command.add_flag("--force", force_, "Although a client has the image open");
        command.footer("Example:\n  ceph-task rbd snap rollback rbd/vm-1@before\n");
        command.callback([this, &invocation] {
            const auto image = target();
            auto body = nlohmann::json::object();
            if (force_) body["force"] = true;
            submit(invocation, {.method = "POST",
                                .target = snapshot_path(image) + "/rollback",
                                .body = std::move(body),
                                .label = label("rollback", image)});
        });
    }
    void add_purge(CLI::App& snap, Invocation& invocation) {
        auto* command = snap.add_subcommand("purge", "Remove all snapshots of an image; with a protected one, none");
        command->add_option("image-spec", spec_, "[<pool>/[<namespace>/]]<image>")->type_name("SPEC");
        image_.add_to(*command);
        auto* keep = command->add_flag("--keep-protected", keep_, "Remove the others, as `rbd snap purge` does");
        command->add_flag("--force", force_, "Remove protected ones too")->excludes(keep);
        waiting_.add_to(*command);
        command->callback([this, &invocation] {
            const auto image = image_spec(spec_, image_.pool, image_.name_space, image_.image);
            submit(invocation, {.method = "POST",
                                .target = path(image) + "/snap/purge",
                                .body = {{"protected", keep_    ? "keep"
                                                       : force_ ? "remove"
                                                                : "refuse"}},
                                .label = "rbd snap purge " + image.text()});
        });
    }
    void add_clone(CLI::App& rbd, Invocation& invocation) {
        auto& command = add(rbd, "clone", "Clone a snapshot into a new image");
        command.add_option("dest-image-spec", destination_, "[<pool>/[<namespace>/]]<image>")->type_name("DEST");
        command.add_option("--dest-pool", dest_.pool, "Destination pool [default: rbd]")->type_name("POOL");
        command.add_option("--dest-namespace", dest_.name_space, "Destination namespace")->type_name("NAMESPACE");
        command.add_option("--dest", dest_.image, "Destination image, instead of the spec")->type_name("IMAGE");
        command.add_option("--config", layout_.configuration, "Configuration, such as rbd_qos_iops_limit=100")
            ->type_name("KEY=VALUE")
            ->allow_extra_args(false);
        add_layout_options(command, layout_);
        command.footer("Example:\n  ceph-task rbd clone rbd/vm-1@before rbd/vm-2\n");
        command.callback([this, &invocation] {
            const auto image = target();
            const auto child = image_spec(destination_, dest_.pool, dest_.name_space, dest_.image);
            auto body = layout_members(layout_);
            body.update({{"child_pool_name", child.pool}, {"child_image_name", child.image}});
            if (!child.name_space.empty()) body["child_namespace"] = child.name_space;
            submit(invocation, {.method = "POST",
                                .target = snapshot_path(image) + "/clone",
                                .body = std::move(body),
                                .label = "rbd clone " + image.text() + '@' + snapshot_ + ' ' + child.text()});
        });
    }

    /// The image of the snapshot, whose name is in `snapshot_` then.
    ImageSpec target() {
        take_snapshot(spec_, snapshot_);
        auto image = image_spec(spec_, image_.pool, image_.name_space, image_.image);
        if (snapshot_.empty()) throw BadRequest("snap-spec", "no snapshot is named");
        return image;
    }
    static std::string path(const ImageSpec& image) { return "/api/block/image/" + path_parameter(image.text()); }
    std::string snapshot_path(const ImageSpec& image) const {
        return path(image) + "/snap/" + path_parameter(snapshot_);
    }
    std::string label(const std::string& verb, const ImageSpec& image) const {
        return "rbd snap " + verb + ' ' + image.text() + '@' + snapshot_;
    }
    Submission edit(const ImageSpec& image, const std::string& verb, nlohmann::json body) const {
        return {.method = "PUT", .target = snapshot_path(image), .body = std::move(body), .label = label(verb, image)};
    }
    void submit(Invocation& invocation, Submission submission) const {
        invocation = waiting_.submit({std::move(submission)});
    }

    std::string spec_, snapshot_, destination_, new_name_;
    bool mirror_ = false, force_ = false, keep_ = false;
    ImageOptions image_, dest_;
    CreateArguments layout_;
    WaitOptions waiting_;
};

/// `rbd trash …`
class TrashCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto& trash = command_group(rbd, "trash", "Images that were deleted but can be restored");
        add_move(trash, invocation);
        add_restore(trash, invocation);
        add_remove(trash, invocation);
        add_purge(trash, invocation);
    }

  private:
    void add_move(CLI::App& trash, Invocation& invocation) {
        auto* command = trash.add_subcommand("mv", "Move an image to the trash");
        command->alias("move");
        command->add_option("image-spec", spec_, "[<pool>/[<namespace>/]]<image>")->type_name("SPEC");
        image_.add_to(*command);
        command->add_option("--delay", delay_, "Keep it from `trash purge` for so long")
            ->type_name("SECONDS")
            ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 31).description(""));
        command->add_flag("--force", force_, "Although a client has it open");
        waiting_.add_to(*command);
        command->footer("Example:\n  ceph-task rbd trash mv rbd/vm-1 --delay 604800\n");
        command->callback([this, &invocation] {
            const auto image = image_spec(spec_, image_.pool, image_.name_space, image_.image);
            nlohmann::json body{{"delay", delay_}};
            if (force_) body["force"] = true;
            submit(invocation, {.method = "POST",
                                .target = "/api/block/image/" + path_parameter(image.text()) + "/move_trash",
                                .body = std::move(body),
                                .label = "rbd trash mv " + image.text()});
        });
    }
    CLI::App& add(CLI::App& trash, const std::string& name, const std::string& what) {
        auto* command = trash.add_subcommand(name, what);
        command->add_option("image-id", spec_, "[<pool>/[<namespace>/]]<image-id>")->type_name("ID-SPEC");
        command->add_option("-p,--pool", image_.pool, "Pool name [default: rbd]")->type_name("POOL");
        command->add_option("--namespace", image_.name_space, "Namespace name")->type_name("NAMESPACE");
        command->add_option("--image-id", image_.image, "Image id, instead of the spec")->type_name("ID");
        waiting_.add_to(*command);
        return *command;
    }
    void add_restore(CLI::App& trash, Invocation& invocation) {
        auto& command = add(trash, "restore", "Give an image back");
        command.add_option("--image", name_, "Its new name [default: the one it had]")->type_name("IMAGE");
        command.footer("Example:\n  ceph-task rbd trash restore rbd/10ab6b8b4567 --image vm-1\n");
        command.callback([this, &invocation] {
            const auto entry = target();
            submit(invocation, {.method = "POST",
                                .target = path(entry) + "/restore",
                                .body = {{"new_image_name", name_}},
                                .label = "rbd trash restore " + entry});
        });
    }
    void add_remove(CLI::App& trash, Invocation& invocation) {
        auto& command = add(trash, "rm", "Remove an image for good");
        command.alias("remove");
        command.add_flag("--force", force_, "Although its time has not come");
        command.add_flag("--purge-snapshots", purge_snapshots_, "Remove its snapshots too, also protected ones");
        command.footer("Example:\n  ceph-task rbd trash rm rbd/10ab6b8b4567\n");
        command.callback([this, &invocation] {
            const auto entry = target();
            std::string query;
            if (force_) query += "?force=true";
            if (purge_snapshots_) query += std::string(query.empty() ? "?" : "&") + "snapshots=remove";
            submit(invocation, {.method = "DELETE", .target = path(entry) + query, .label = "rbd trash rm " + entry});
        });
    }
    void add_purge(CLI::App& trash, Invocation& invocation) {
        auto* command = trash.add_subcommand("purge", "Remove all images whose time has come");
        command->add_option("pool-spec", spec_, "The pool [default: rbd]")->type_name("POOL");
        auto* pool = command->add_option("-p,--pool", image_.pool, "The same")->type_name("POOL");
        command->add_flag("--all-pools", all_pools_, "Of all pools for images")->excludes(pool);
        waiting_.add_to(*command);
        command->callback([this, &invocation] {
            if (!spec_.empty() && (all_pools_ || !image_.pool.empty()))
                throw BadRequest("pool-spec", "and an option that names the pools exclude each other");
            const auto& given = spec_.empty() ? image_.pool : spec_;
            auto body = nlohmann::json::object();
            if (!all_pools_) body["pool_name"] = given.empty() ? "rbd" : given;
            submit(invocation, {.method = "POST",
                                .target = "/api/block/image/trash/purge",
                                .body = body,
                                .label = "rbd trash purge " + body.value("pool_name", std::string("of all pools"))});
        });
    }

    std::string target() const { return image_spec(spec_, image_.pool, image_.name_space, image_.image).text(); }
    static std::string path(const std::string& entry) { return "/api/block/image/trash/" + path_parameter(entry); }
    void submit(Invocation& invocation, Submission submission) const {
        invocation = waiting_.submit({std::move(submission)});
    }

    std::string spec_, name_;
    std::uint64_t delay_ = 0;
    bool force_ = false, purge_snapshots_ = false, all_pools_ = false;
    ImageOptions image_;
    WaitOptions waiting_;
};

/// `rbd namespace …`
class NamespaceCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto& group = command_group(rbd, "namespace", "Namespaces of a pool");
        auto& create = add(group, "create", "Create a namespace");
        create.footer("Example:\n  ceph-task rbd namespace create rbd/tenant-1\n");
        create.callback([this, &invocation] {
            const auto [pool, name] = target();
            submit(invocation, {.method = "POST",
                                .target = path(pool),
                                .body = {{"namespace", name}},
                                .label = "rbd namespace create " + pool + '/' + name});
        });
        auto& remove = add(group, "rm", "Remove a namespace that has no images");
        remove.alias("remove");
        remove.callback([this, &invocation] {
            const auto [pool, name] = target();
            submit(invocation, {.method = "DELETE",
                                .target = path(pool) + '/' + path_parameter(name),
                                .label = "rbd namespace rm " + pool + '/' + name});
        });
    }

  private:
    CLI::App& add(CLI::App& group, const std::string& name, const std::string& what) {
        auto* command = group.add_subcommand(name, what);
        command->add_option("pool-spec", spec_, "[<pool>/]<namespace>")->type_name("SPEC");
        command->add_option("-p,--pool", pool_, "Pool name [default: rbd]")->type_name("POOL");
        command->add_option("--namespace", name_, "Namespace name, instead of the spec")->type_name("NAMESPACE");
        waiting_.add_to(*command);
        return *command;
    }
    /// Pool and namespace; `image_spec` knows how spec and options go together.
    std::pair<std::string, std::string> target() const {
        const auto parts = image_spec(spec_, pool_, "", name_);
        if (!parts.name_space.empty()) throw BadRequest("pool-spec", "'" + spec_ + "' is not [<pool>/]<namespace>");
        return {parts.pool, parts.image};
    }
    static std::string path(const std::string& pool) {
        return "/api/block/pool/" + path_parameter(pool) + "/namespace";
    }
    void submit(Invocation& invocation, Submission submission) const {
        invocation = waiting_.submit({std::move(submission)});
    }

    std::string spec_, pool_, name_;
    WaitOptions waiting_;
};

}  // namespace

std::unique_ptr<CommandFamily> make_snapshot_commands() {
    return std::make_unique<SnapshotCommands>();
}

std::unique_ptr<CommandFamily> make_trash_commands() {
    return std::make_unique<TrashCommands>();
}

std::unique_ptr<CommandFamily> make_namespace_commands() {
    return std::make_unique<NamespaceCommands>();
}

}  // namespace taskd::cli
