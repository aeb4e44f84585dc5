#include "cli/command_family.hpp"
#include "cli/target.hpp"

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

/// VARIABLE VALUE pairs of `ceph osd pool set` as members of the body.
void add_settings(nlohmann::json& body, const std::vector<std::string>& settings) {
    for (const auto& setting : settings) {
        const auto equals = setting.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == setting.size())
            throw BadRequest("--set", "'" + setting + "' is not VARIABLE=VALUE, such as size=3");
        body[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
}

class PoolCommands final : public CommandFamily {
  public:
    void add_to(CLI::App& app, CLI::App&, Invocation& invocation) override {
        auto* pool = app.add_subcommand("pool", "Creates, edits and removes pools as tasks");
        pool->require_subcommand(1, 1);
        add_create(*pool, invocation);
        add_edit(*pool, invocation);
        add_remove(*pool, invocation);
    }

  private:
    void add_create(CLI::App& pool, Invocation& invocation) {
        auto* create = pool.add_subcommand("create", "Create a pool");
        create->add_option("pool", name_, "Its name")->type_name("POOL")->required();
        create->add_option("pg_num", pg_num_, "Placement groups")->type_name("PG_NUM")->required();
        create->add_option("type", type_, "replicated or erasure [default: replicated]")
            ->type_name("TYPE")
            ->check(CLI::IsMember({"replicated", "erasure"}).description(""));
        create->add_option("--erasure-code-profile", profile_, "Of an erasure coded pool")->type_name("PROFILE");
        create->add_option("--rule", rule_, "CRUSH rule")->type_name("RULE");
        add_settable(*create);
        create->footer("Example:\n  ceph-task pool create vms 32 --application rbd --set size=3\n");
        create->callback([this, &invocation] { invocation = waiting_.submit({create_request()}); });
    }
    void add_edit(CLI::App& pool, Invocation& invocation) {
        auto* edit = pool.add_subcommand("edit", "Change a pool");
        edit->add_option("pool", name_, "Its name")->type_name("POOL")->required();
        edit->add_option("--rename", new_name_, "Its new name")->type_name("POOL");
        add_settable(*edit);
        edit->footer("Example:\n  ceph-task pool edit vms --set pg_num=64 --set pg_autoscale_mode=off\n");
        edit->callback([this, &invocation] { invocation = waiting_.submit({edit_request()}); });
    }
    void add_remove(CLI::App& pool, Invocation& invocation) {
        auto* remove = pool.add_subcommand("rm", "Remove a pool and ALL data in it");
        remove->alias("delete");
        remove->add_option("pool", name_, "Its name")->type_name("POOL")->required();
        remove->add_option("again", again_, "Its name again")->type_name("POOL")->required();
        remove->add_flag("--yes-i-really-really-mean-it", really_, "There is no way back")->required();
        waiting_.add_to(*remove);
        remove->footer("Example:\n  ceph-task pool rm vms vms --yes-i-really-really-mean-it\n");
        remove->callback([this, &invocation] { invocation = waiting_.submit({remove_request()}); });
    }
    void add_settable(CLI::App& command) {
        command
            .add_option("--application", applications_, "All applications that it is for, repeated: rbd, rgw, cephfs")
            ->type_name("NAME")
            ->allow_extra_args(false);
        command.add_option("--set", settings_, "A variable of `ceph osd pool set`, repeated")
            ->type_name("VARIABLE=VALUE")
            ->allow_extra_args(false);
        command.add_flag("--ec-overwrites", ec_overwrites_, "Images may have their data in it (erasure coded)");
        command.add_option("--max-bytes", max_bytes_, "Quota; 0 is none")->type_name("BYTES");
        command.add_option("--max-objects", max_objects_, "Quota; 0 is none")->type_name("COUNT");
        command.add_flag("--yes-i-really-mean-it", really_, "For what the monitors warn of");
        waiting_.add_to(command);
    }

    nlohmann::json settable() const {
        nlohmann::json body = nlohmann::json::object();
        add_settings(body, settings_);
        if (!applications_.empty()) body["application_metadata"] = applications_;
        if (ec_overwrites_) body["flags"] = {"ec_overwrites"};
        if (!max_bytes_.empty()) body["quota_max_bytes"] = max_bytes_;
        if (!max_objects_.empty()) body["quota_max_objects"] = max_objects_;
        if (really_) body["yes_i_really_mean_it"] = true;
        return body;
    }
    Submission create_request() const {
        nlohmann::json body = settable();
        body.update({{"pool", name_}, {"pg_num", pg_num_}, {"pool_type", type_}});
        if (!profile_.empty()) body["erasure_code_profile"] = profile_;
        if (!rule_.empty()) body["rule_name"] = rule_;
        return {.method = "POST", .target = "/api/pool", .body = std::move(body), .label = "pool create " + name_};
    }
    Submission edit_request() const {
        nlohmann::json body = settable();
        if (!new_name_.empty()) body["pool"] = new_name_;
        return {.method = "PUT",
                .target = "/api/pool/" + path_parameter(name_),
                .body = std::move(body),
                .label = "pool edit " + name_};
    }
    Submission remove_request() const {
        if (name_ != again_) throw BadRequest("pool", "'" + again_ + "' is not the same name again");
        return {.method = "DELETE", .target = "/api/pool/" + path_parameter(name_), .label = "pool rm " + name_};
    }

    std::string name_, again_, new_name_, pg_num_, type_ = "replicated", profile_, rule_, max_bytes_, max_objects_;
    std::vector<std::string> applications_, settings_;
    bool ec_overwrites_ = false, really_ = false;
    WaitOptions waiting_;
};

}  // namespace

std::unique_ptr<CommandFamily> make_pool_commands() {
    return std::make_unique<PoolCommands>();
}

}  // namespace taskd::cli
