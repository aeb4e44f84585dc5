#include "cli/command_family.hpp"
#include "cli/size.hpp"
#include "cli/target.hpp"

#include <utility>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

/// Those that change one image.
class ImageCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        add_resize(rbd, invocation);
        add_rename(rbd, invocation);
        add_plain(rbd, "flatten", "Fill a clone with its parent's data, which makes it independent", "/flatten",
                  "rbd flatten", invocation);
        add_sparsify(rbd, invocation);
        add_features(rbd, invocation);
        auto* map = rbd.add_subcommand("object-map", "The map of an image's objects");
        map->require_subcommand(1, 1);
        add_rebuild(*map, invocation);
        add_config(rbd, invocation);
    }

  private:
    CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& what) {
        auto* command = parent.add_subcommand(name, what);
        command->add_option("image-spec", spec_, "[<pool>/[<namespace>/]]<image>")->type_name("SPEC");
        image_.add_to(*command);
        waiting_.add_to(*command);
        return *command;
    }

    void add_plain(CLI::App& parent, const std::string& name, const std::string& what, const std::string& path,
                   const std::string& label, Invocation& invocation) {
        auto& command = add_command(parent, name, what);
        command.footer("Example:\n  ceph-task " + label + " rbd/vm-1\n");
        command.callback([=, this, &invocation] { invocation = waiting_.submit({post(path, label, {})}); });
    }

    void add_resize(CLI::App& rbd, Invocation& invocation) {
        auto& resize = add_command(rbd, "resize", "Make an image larger or smaller");
        resize.add_option("-s,--size", size_, "Its new size in B/K/M/G/T/P [default: M]")
            ->type_name("SIZE")
            ->required();
        resize.add_flag("--allow-shrink", allow_shrink_, "Permit a smaller size: what lies beyond it is lost");
        resize.footer("Example:\n  ceph-task rbd resize rbd/vm-1 --size 20G\n");
        resize.callback([this, &invocation] {
            nlohmann::json body = {{"size", parse_size("--size", size_, mebibyte_unit)}};
            if (allow_shrink_) body["allow_shrink"] = true;
            invocation = waiting_.submit({post("/resize", "rbd resize", std::move(body))});
        });
    }

    void add_rename(CLI::App& rbd, Invocation& invocation) {
        auto& rename = add_command(rbd, "rename", "Rename an image within its pool");
        rename.alias("mv");
        rename.add_option("dest-image-spec", destination_, "[<pool>/[<namespace>/]]<image>, its new name")
            ->type_name("SPEC");
        rename.add_option("--dest", new_name_, "Its new name, instead of the spec")->type_name("IMAGE");
        rename.footer("Example:\n  ceph-task rbd rename rbd/vm-1 rbd/vm-2\n");
        rename.callback([this, &invocation] { invocation = waiting_.submit({rename_request()}); });
    }

    void add_sparsify(CLI::App& rbd, Invocation& invocation) {
        auto& sparsify = add_command(rbd, "sparsify", "Give back the space of zeros");
        sparsify.add_option("--sparse-size", size_, "Of the pieces that are looked at, in B/K/M [default: 4K]")
            ->type_name("SIZE");
        sparsify.footer("Example:\n  ceph-task rbd sparsify rbd/vm-1\n");
        sparsify.callback([this, &invocation] {
            nlohmann::json body = nlohmann::json::object();
            if (!size_.empty()) body["sparse_size"] = parse_size("--sparse-size", size_, byte_unit);
            invocation = waiting_.submit({post("/sparsify", "rbd sparsify", std::move(body))});
        });
    }

    void add_features(CLI::App& rbd, Invocation& invocation) {
        auto* feature = rbd.add_subcommand("feature", "Features of an image");
        feature->require_subcommand(1, 1);
        for (const std::string verb : {"enable", "disable"}) {
            auto& command =
                add_command(*feature, verb, verb == "enable" ? "Switch features on" : "Switch features off");
            command
                .add_option("features", features_,
                            verb == "enable" ? "exclusive-lock, object-map, fast-diff, journaling"
                                             : "exclusive-lock, object-map, fast-diff, journaling, deep-flatten")
                ->type_name("FEATURE...");
            command.footer("Example:\n  ceph-task rbd feature " + verb + " rbd/vm-1 object-map fast-diff\n");
            command.callback([=, this, &invocation] { invocation = waiting_.submit({feature_request(verb)}); });
        }
    }

    void add_rebuild(CLI::App& map, Invocation& invocation) {
        auto& rebuild = add_command(map, "rebuild", "Make an invalid map valid again");
        rebuild.add_option("--snap", snapshot_, "Of this snapshot; also as IMAGE@SNAPSHOT")->type_name("SNAPSHOT");
        rebuild.footer("Example:\n  ceph-task rbd object-map rebuild rbd/vm-1\n");
        rebuild.callback([this, &invocation] {
            nlohmann::json body = nlohmann::json::object();
            take_snapshot(spec_, snapshot_);
            if (!snapshot_.empty()) body["snapshot_name"] = snapshot_;
            invocation = waiting_.submit({post("/object_map/rebuild", "rbd object-map rebuild", std::move(body))});
        });
    }

    void add_config(CLI::App& rbd, Invocation& invocation) {
        auto* config = rbd.add_subcommand("config", "Configuration of an image");
        config->require_subcommand(1, 1);
        auto* image = config->add_subcommand("image", "Configuration of an image");
        image->require_subcommand(1, 1);
        for (const std::string verb : {"set", "remove"}) {
            const bool sets = verb == "set";
            auto& command = add_command(*image, verb, sets ? "Set an option" : "Go back to the pool's value");
            command.add_option("key", key_, "Such as rbd_qos_iops_limit")->type_name("KEY")->required();
            if (sets) command.add_option("value", value_, "Its value")->type_name("VALUE")->required();
            command.footer("Example:\n  ceph-task rbd config image " + verb + " rbd/vm-1 rbd_qos_iops_limit" +
                           (sets ? " 100\n" : "\n"));
            command.callback([=, this, &invocation] {
                const auto value = sets ? nlohmann::json(value_) : nlohmann::json();
                invocation = waiting_.submit({put("rbd config image " + verb, {{"configuration", {{key_, value}}}})});
            });
        }
    }

    std::string target() const { return image_spec(spec_, image_.pool, image_.name_space, image_.image).text(); }
    Submission post(const std::string& path, const std::string& label, nlohmann::json body) const {
        const auto image = target();
        return {.method = "POST",
                .target = "/api/block/image/" + path_parameter(image) + path,
                .body = body.is_null() ? nlohmann::json::object() : std::move(body),
                .label = label + ' ' + image};
    }
    Submission put(const std::string& label, nlohmann::json body) const {
        const auto image = target();
        return {.method = "PUT",
                .target = "/api/block/image/" + path_parameter(image),
                .body = std::move(body),
                .label = label + ' ' + image};
    }

    Submission rename_request() const {
        // With --image the only positional is the destination.
        const bool is_shifted = !image_.image.empty() && destination_.empty() && new_name_.empty();
        const auto from = image_spec(is_shifted ? "" : spec_, image_.pool, image_.name_space, image_.image);
        const auto& given = is_shifted ? spec_ : destination_;
        const bool is_bare = given.find('/') == std::string::npos;
        const auto to = image_spec(given, is_bare ? from.pool : "", is_bare ? from.name_space : "", new_name_);
        if (to.pool != from.pool || to.name_space != from.name_space)
            throw BadRequest("dest-image-spec", "'" + to.text() + "' is not in the pool and namespace of '" +
                                                    from.text() + "': use rbd migration or rbd cp");
        return {.method = "PUT",
                .target = "/api/block/image/" + path_parameter(from.text()),
                .body = {{"name", to.image}},
                .label = "rbd rename " + from.text()};
    }

    Submission feature_request(const std::string& verb) {
        // With --image all positionals are features.
        auto features = features_;
        if (!image_.image.empty() && !spec_.empty()) features.insert(features.begin(), std::exchange(spec_, ""));
        if (features.empty()) throw BadRequest("features", "none is given");
        return put("rbd feature " + verb, {{verb + "_features", feature_list("features", features)}});
    }

    std::string spec_, destination_, new_name_, size_, snapshot_, key_, value_;
    std::vector<std::string> features_;
    bool allow_shrink_ = false;
    ImageOptions image_;
    WaitOptions waiting_;
};

}  // namespace

std::unique_ptr<CommandFamily> make_image_commands() {
    return std::make_unique<ImageCommands>();
}

}  // namespace taskd::cli
