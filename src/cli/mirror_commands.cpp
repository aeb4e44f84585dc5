#include "cli/command_family.hpp"
#include "cli/target.hpp"

#include <utility>
#include <variant>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

/// `rbd mirror image …` and `rbd mirror snapshot schedule …`
class MirrorImageCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto& mirror = command_group(rbd, "mirror", "Mirroring to another cluster");
        auto& image = command_group(mirror, "image", "Mirroring of an image");
        add_enable(image, invocation);
        add(image, "disable", "Mirror an image no longer", {{"enable_mirror", false}}, invocation);
        add_promote(image, invocation);
        add(image, "demote", "Make an image non-primary, so that another cluster's can be promoted",
            {{"primary", false}}, invocation);
        add(image, "resync", "Copy an image that is not primary anew", {{"resync", true}}, invocation);
        auto& snapshot = command_group(mirror, "snapshot", "Mirror snapshots");
        auto& schedule = command_group(snapshot, "schedule", "When they are taken");
        add_schedule(schedule, invocation);
        add_no_schedule(schedule, invocation);
    }

  private:
    CLI::App& add_bare(CLI::App& parent, const std::string& name, const std::string& what) {
        auto* command = parent.add_subcommand(name, what);
        command->add_option("image-spec", spec_, "[<pool>/[<namespace>/]]<image>")->type_name("SPEC");
        image_.add_to(*command);
        waiting_.add_to(*command);
        return *command;
    }
    void add(CLI::App& image, const std::string& verb, const std::string& what, const json& body,
             Invocation& invocation) {
        add_bare(image, verb, what).callback([=, this, &invocation] {
            invocation = waiting_.submit({edit("rbd mirror image " + verb, body)});
        });
    }
    void add_enable(CLI::App& image, Invocation& invocation) {
        auto& command = add_bare(image, "enable", "Mirror an image");
        command.add_option("mode", mode_, "journal or snapshot [default: journal]")->type_name("MODE");
        command.footer("Example:\n  ceph-task rbd mirror image enable rbd/vm-1 snapshot\n");
        command.callback([this, &invocation] {
            // With --image the only positional is the mode.
            if (!image_.image.empty() && mode_.empty() && !spec_.empty()) mode_ = std::exchange(spec_, "");
            const auto mode = mode_.empty() ? "journal" : mode_;
            if (mode != "journal" && mode != "snapshot")
                throw BadRequest("mode", "'" + mode + "' is neither journal nor snapshot");
            invocation =
                waiting_.submit({edit("rbd mirror image enable", {{"enable_mirror", true}, {"mirror_mode", mode}})});
        });
    }
    void add_promote(CLI::App& image, Invocation& invocation) {
        auto& command = add_bare(image, "promote", "Make an image primary: it can be written to");
        command.add_flag("--force", force_, "Although that of the other cluster was not demoted");
        command.callback([this, &invocation] {
            json body{{"primary", true}};
            if (force_) body["force"] = true;
            invocation = waiting_.submit({edit("rbd mirror image promote", std::move(body))});
        });
    }
    void add_schedule(CLI::App& schedule, Invocation& invocation) {
        auto* command = schedule.add_subcommand("add", "Take mirror snapshots of an image every so often");
        command->add_option("interval", interval_, "Such as 10m, 2h or 1d")->type_name("INTERVAL")->required();
        image_.add_to(*command);
        waiting_.add_to(*command);
        command->footer("Example:\n  ceph-task rbd mirror snapshot schedule add --image vm-1 2h\n");
        command->callback([this, &invocation] {
            invocation =
                waiting_.submit({edit("rbd mirror snapshot schedule add", {{"schedule_interval", interval_}})});
        });
    }
    void add_no_schedule(CLI::App& schedule, Invocation& invocation) {
        auto* command = schedule.add_subcommand("remove", "Take mirror snapshots of an image no longer by itself");
        command->alias("rm");
        image_.add_to(*command);
        waiting_.add_to(*command);
        command->callback([this, &invocation] {
            invocation = waiting_.submit({edit("rbd mirror snapshot schedule remove", {{"remove_scheduling", true}})});
        });
    }

    Submission edit(const std::string& label, json body) const {
        const auto image = image_spec(spec_, image_.pool, image_.name_space, image_.image).text();
        return {.method = "PUT",
                .target = "/api/block/image/" + path_parameter(image),
                .body = std::move(body),
                .label = label + ' ' + image};
    }

    std::string spec_, mode_, interval_;
    bool force_ = false;
    ImageOptions image_;
    WaitOptions waiting_;
};

/// `rbd mirror pool …`
class MirrorPoolCommands final : public CommandFamily {
  public:
    void add_to(CLI::App&, CLI::App& rbd, Invocation& invocation) override {
        auto& pool =
            command_group(command_group(rbd, "mirror", "Mirroring to another cluster"), "pool", "Mirroring of a pool");
        add_enable(pool, invocation);
        add(pool, "disable", "Mirror nothing of a pool any longer").callback([this, &invocation] {
            invocation = waiting_.submit({mode("rbd mirror pool disable", "disabled")});
        });
        auto* info = pool.add_subcommand("info", "Show how a pool is mirrored and with whom");
        add_pool_to(*info);
        info->callback([this, &invocation] { invocation = LookAtMirroring{pool_name()}; });
        auto& peer = command_group(pool, "peer", "Other clusters");
        add_peer(peer, invocation);
        add_peer_changes(peer, invocation);
        auto& bootstrap = command_group(peer, "bootstrap", "Peers by a token of the other cluster");
        add_token(bootstrap, invocation);
        add_import(bootstrap, invocation);
    }

  private:
    void add_pool_to(CLI::App& command) {
        command.add_option("pool-name", name_, "[default: rbd]")->type_name("POOL");
        command.add_option("-p,--pool", pool_, "The same")->type_name("POOL");
    }
    CLI::App& add(CLI::App& parent, const std::string& name, const std::string& what) {
        auto* command = parent.add_subcommand(name, what);
        add_pool_to(*command);
        waiting_.add_to(*command);
        return *command;
    }
    void add_enable(CLI::App& pool, Invocation& invocation) {
        auto& command = add(pool, "enable", "Mirror images of a pool");
        command.add_option("mode", word_, "pool, all with the journaling feature, or image, those that are enabled")
            ->type_name("MODE");
        command.footer("Example:\n  ceph-task rbd mirror pool enable rbd image\n");
        command.callback([this, &invocation] {
            shift_words(word_);
            if (word_ != "pool" && word_ != "image")
                throw BadRequest("mode", "'" + word_ + "' is neither pool nor image");
            invocation = waiting_.submit({mode("rbd mirror pool enable", word_)});
        });
    }
    void add_peer(CLI::App& peer, Invocation& invocation) {
        auto& command = add(peer, "add", "Add a cluster");
        command.add_option("remote-cluster-spec", word_, "[<client>@]<site>")->type_name("SPEC");
        command.footer("Example:\n  ceph-task rbd mirror pool peer add rbd client.rbd-mirror-peer@site-b\n");
        command.callback([this, &invocation] {
            shift_words(word_);
            const auto at = word_.find('@');
            const auto site = at == std::string::npos ? word_ : word_.substr(at + 1);
            auto client = at == std::string::npos ? std::string("client.admin") : word_.substr(0, at);
            if (site.empty()) throw BadRequest("remote-cluster-spec", "names no cluster: [<client>@]<site>");
            if (!client.starts_with("client.") || client == "client.")
                throw BadRequest("remote-cluster-spec", "'" + client + "' is not client.<id>");
            request(invocation, "POST", path() + "/peer",
                    {{"cluster_name", site}, {"client_id", client.substr(std::string("client.").size())}},
                    "rbd mirror pool peer add " + pool_name() + ' ' + word_);
        });
    }
    void add_peer_changes(CLI::App& peer, Invocation& invocation) {
        auto& remove = add(peer, "remove", "Remove a cluster");
        remove.alias("rm");
        remove.add_option("uuid", word_, "Of the peer, as `rbd mirror pool info` tells it")->type_name("UUID");
        remove.callback([this, &invocation] {
            shift_words(word_);
            request(invocation, "DELETE", path_of_peer(), nullptr,
                    "rbd mirror pool peer remove " + pool_name() + ' ' + word_);
        });
        auto& set = add(peer, "set", "Change how a cluster is reached");
        set.add_option("uuid", word_, "Of the peer")->type_name("UUID");
        set.add_option("key", key_, "client, site-name or mon-host")->type_name("KEY");
        set.add_option("value", value_, "Its value")->type_name("VALUE");
        set.footer("Example:\n  ceph-task rbd mirror pool peer set rbd UUID mon-host 10.0.0.1\n");
        set.callback([this, &invocation] {
            shift_words(word_, key_, value_);
            request(invocation, "PUT", path_of_peer(), change_of_peer(),
                    "rbd mirror pool peer set " + pool_name() + ' ' + word_ + ' ' + key_);
        });
    }
    void add_token(CLI::App& bootstrap, Invocation& invocation) {
        auto& command = add(bootstrap, "create", "Print a token for the other cluster; it holds a key");
        command.callback([this, &invocation] {
            request(invocation, "POST", path() + "/bootstrap/token", json::object(),
                    "rbd mirror pool peer bootstrap create " + pool_name());
            std::get<Submit>(invocation).printed_member = "token";
        });
    }
    void add_import(CLI::App& bootstrap, Invocation& invocation) {
        auto& command = add(bootstrap, "import", "Take a token of the other cluster");
        command.add_option("token-path", word_, "File with the token; - is standard input")->type_name("FILE");
        command.add_option("--token-path", token_path_, "The same")->type_name("FILE");
        command.add_option("--direction", direction_, "rx-only or rx-tx")
            ->type_name("DIRECTION")
            ->capture_default_str()
            ->check(CLI::IsMember({"rx-only", "rx-tx"}).description(""));
        command.footer("Example:\n  ceph-task rbd mirror pool peer bootstrap import rbd token.txt\n");
        command.callback([this, &invocation] {
            if (token_path_.empty()) {
                shift_words(word_);
                token_path_ = word_;
            }
            request(invocation, "POST", path() + "/bootstrap/peer",
                    {{"direction", direction_ == "rx-only" ? "rx" : "rx-tx"}},
                    "rbd mirror pool peer bootstrap import " + pool_name());
            std::get<Submit>(invocation).input = {.file = token_path_, .member = "token", .is_a_word = true};
        });
    }

    /// With --pool no positional is the pool, and each of them is one further on.
    template <class... Words>
    void shift_words(std::string& first, Words&... others) {
        if (!pool_.empty() && !name_.empty()) {
            auto moved = std::exchange(name_, "");
            std::swap(first, moved);
            (std::swap(others, moved), ...);
            if (!moved.empty()) throw BadRequest("pool-name", "is given twice");
        }
        if (first.empty() || (... || others.empty())) throw BadRequest("pool-name", "an argument is missing");
    }
    std::string pool_name() const {
        if (!name_.empty() && !pool_.empty() && name_ != pool_)
            throw BadRequest("--pool", "'" + pool_ + "' contradicts '" + name_ + "'");
        if (!name_.empty()) return name_;
        return pool_.empty() ? "rbd" : pool_;
    }
    std::string path() const { return "/api/block/mirroring/pool/" + path_parameter(pool_name()); }
    std::string path_of_peer() const { return path() + "/peer/" + path_parameter(word_); }
    Submission mode(const std::string& label, const std::string& mode) const {
        return {.method = "PUT", .target = path(), .body = {{"mirror_mode", mode}}, .label = label + ' ' + pool_name()};
    }
    json change_of_peer() const {
        if (key_ == "client") {
            if (!value_.starts_with("client.")) throw BadRequest("value", "'" + value_ + "' is not client.<id>");
            return {{"client_id", value_.substr(std::string("client.").size())}};
        }
        if (key_ == "site-name") return {{"cluster_name", value_}};
        if (key_ == "mon-host") return {{"mon_host", value_}};
        throw BadRequest("key", "'" + key_ + "' is not one of client, site-name, mon-host");
    }
    void request(Invocation& invocation, const std::string& method, std::string target, json body,
                 std::string label) const {
        invocation = waiting_.submit(
            {{.method = method, .target = std::move(target), .body = std::move(body), .label = std::move(label)}});
    }

    std::string name_, pool_, word_, key_, value_, token_path_, direction_ = "rx-tx";
    WaitOptions waiting_;
};

}  // namespace

std::unique_ptr<CommandFamily> make_mirror_image_commands() {
    return std::make_unique<MirrorImageCommands>();
}

std::unique_ptr<CommandFamily> make_mirror_pool_commands() {
    return std::make_unique<MirrorPoolCommands>();
}

}  // namespace taskd::cli
