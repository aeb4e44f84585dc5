#include "cli/command_line.hpp"

#include "cli/command_family.hpp"
#include "cli/completion.hpp"
#include "cli/render.hpp"
#include "cli/submissions.hpp"
#include "cli/target.hpp"
#include "core/utf8.hpp"
#include "http/default_endpoint.hpp"

#include <algorithm>
#include <cstdint>
#include <sstream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

constexpr const char* exit_codes = R"(Exit codes:
  0 the task succeeded (or was accepted, with --no-wait)    3 waiting ended by --timeout, the task goes on
  1 the task failed                                         4 the daemon cannot be reached
  2 bad usage or a request the daemon refused             130 interrupted, the task goes on

Environment:
  CEPH_TASKD_URL    where the daemon is, instead of --url
  CEPH_TASKD_CA     whom to trust, instead of --ca
  CEPH_TASKD_TOKEN  a token of the Ceph dashboard, for a daemon that asks for one
  NO_COLOR          no colors when set

Examples:
  ceph-task rbd create rbd/vm-1 --size 10G
  ceph-task rbd rm rbd/vm-1 rbd/vm-2
  ceph-task command -- osd pool ls detail
  ceph-task ls 'rbd/*' --executing
  ceph-task watch
  ceph-task top
)";

/// CLI11's model of the command line together with the variables it fills in.
struct Parser {
    CLI::App app{"Makes, lists, watches and cancels tasks of ceph-taskd, the task manager for Ceph.", "ceph-task"};
    std::string url, socket, ca_file, format = "table";
    bool no_color = false, no_progress = false;
    WaitOptions waiting;
    ImageOptions image;
    CreateArguments create;
    std::vector<std::string> specs;
    bool purge_snapshots = false;
    std::string image_id{};
    std::vector<std::string> words;
    std::string osd, pg, mon, input_file;
    bool mgr = false;
    List list;
    bool only_executing = false, only_finished = false;
    Show show;
    Watch watch;
    std::int64_t watch_timeout = -1;
    Top top;
    Cancel cancel;
    std::vector<std::unique_ptr<CommandFamily>> families = make_command_families();
    Invocation invocation;

    Parser();
    void add_global_options();
    void add_rbd();
    void add_command();
    void add_looking();
    Submit create_invocation() const;
    Submit remove_invocation() const;
    Submit command_invocation() const;
};

Parser::Parser() {
    app.require_subcommand(1, 1);
    app.fallthrough();  // the options of the program are also taken after the command
    app.footer(exit_codes);
    add_global_options();
    add_rbd();
    add_command();
    add_looking();
}

void Parser::add_global_options() {
    app.add_option("--url", url, "The daemon: https://HOST:PORT, http://HOST:PORT or unix:/PATH")->type_name("URL");
    app.add_option("--ca", ca_file,
                   "PEM file of the authorities, or of the daemon's own certificate, for https [default: the system's]")
        ->type_name("FILE");
    app.add_option("--socket", socket,
                   "The daemon's Unix socket [default: " + std::string(http::default_socket_path) + "]")
        ->type_name("PATH");
    app.add_option("--format", format, "How to print: table or json (one document on standard output)")
        ->type_name("table|json")
        ->check(CLI::IsMember({"table", "json"}).description(""));
    app.add_flag("--no-color", no_color, "No colors, also on a terminal");
    app.add_flag("--no-progress", no_progress, "No progress bar and no progress lines");
}

void Parser::add_rbd() {
    CLI::App* rbd = app.add_subcommand("rbd", "Creates and removes RBD images as tasks, in the words of rbd(8)");
    rbd->require_subcommand(1, 1);

    CLI::App* make = rbd->add_subcommand("create", "Create an empty image");
    make->add_option("image-spec", create.spec, "[<pool>/[<namespace>/]]<image>")->type_name("SPEC");
    image.add_to(*make);
    make->add_option("-s,--size", create.size, "Image size in B/K/M/G/T/P [default: M]")->type_name("SIZE")->required();
    add_layout_options(*make, create);
    make->add_option("--config", create.configuration, "Configuration of the image, such as rbd_qos_iops_limit=100")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    waiting.add_to(*make);
    make->footer(
        "Examples:\n  ceph-task rbd create rbd/vm-1 --size 10G\n"
        "  ceph-task rbd create -p rbd --image vm-1 -s 1024 --image-feature layering,exclusive-lock\n");
    make->callback([this] { invocation = create_invocation(); });

    CLI::App* remove = rbd->add_subcommand("rm", "Delete images; an image with snapshots is refused");
    remove->alias("remove");
    remove->add_option("image-spec", specs, "[<pool>/[<namespace>/]]<image>, one or more")->type_name("SPEC...");
    image.add_to(*remove);
    remove->add_flag("--purge-snapshots", purge_snapshots, "Remove the image's snapshots too, also protected ones");
    remove
        ->add_option("--image-id", image_id,
                     "The id that the image must have; it may stand in the spec too, for a name that cannot")
        ->type_name("ID");
    waiting.add_to(*remove);
    remove->footer(
        "Examples:\n  ceph-task rbd rm rbd/vm-1\n"
        "  ceph-task rbd rm rbd/vm-1 rbd/vm-2 --purge-snapshots --timeout 600\n");
    remove->callback([this] { invocation = remove_invocation(); });
    for (auto& family : families) family->add_to(app, *rbd, invocation);
}

void Parser::add_command() {
    CLI::App* command = app.add_subcommand("command", "Sends a command to the cluster as a task");
    command->add_option("words", words, "The command in JSON, or after -- in the words of the ceph tool")
        ->type_name("JSON | -- WORDS")
        ->required();
    CLI::Option_group* target = command->add_option_group("Target",
                                                          "Who gets it, when it is not the monitors or the "
                                                          "manager, as the command's description says");
    target->add_option("--osd", osd, "An OSD")->type_name("N");
    target->add_flag("--mgr", mgr, "The active manager");
    target->add_option("--pg", pg, "The primary of a placement group")->type_name("PGID");
    target->add_option("--mon", mon, "One monitor")->type_name("ID");
    target->require_option(0, 1);
    command->add_option("-i,--in-file", input_file, "Text to send along; - is standard input")->type_name("FILE");
    waiting.add_to(*command);
    command->footer(
        "Examples:\n  ceph-task command -- osd pool ls detail\n"
        "  ceph-task command --osd 3 -- dump_historic_ops\n"
        "  ceph-task command '{\"prefix\": \"osd pool ls\", \"format\": \"json\"}'\n");
    command->callback([this] { invocation = command_invocation(); });
}

void Parser::add_looking() {
    CLI::App* ls = app.add_subcommand("ls", "Lists tasks, executing ones first");
    ls->alias("list");
    ls->add_option("glob", list.name_glob, "Only tasks whose name matches, such as 'rbd/*'")->type_name("GLOB");
    ls->add_flag("--executing", only_executing, "Only tasks that have not finished");
    ls->add_flag("--finished", only_finished, "Only tasks that have finished");
    ls->footer("Example:\n  ceph-task ls 'rbd/*' --executing\n");
    ls->callback([this] {
        if (only_executing && only_finished) throw UsageError("--executing and --finished exclude each other");
        list.executing = !only_finished;
        list.finished = !only_executing;
        invocation = list;
    });

    CLI::App* one = app.add_subcommand("show", "Shows everything known of a task");
    one->add_option("task", show.id_or_glob, "Its id, or a glob for the names of several")
        ->type_name("ID|GLOB")
        ->required();
    one->footer("Examples:\n  ceph-task show 01HF7YAT31QF4KX9CNPSR1K2VW\n  ceph-task show rbd/create\n");
    one->callback([this] { invocation = show; });

    CLI::App* follow = app.add_subcommand("watch", "Follows a task until it ends, or the list until nothing executes");
    follow->add_option("task", watch.id_or_glob, "Its id, or a glob for the names of several")->type_name("ID|GLOB");
    WaitOptions::add_timeout(*follow, watch_timeout);
    follow->footer("Examples:\n  ceph-task watch 01HF7YAT31QF4KX9CNPSR1K2VW\n  ceph-task watch 'rbd/*'\n");
    follow->callback([this] {
        watch.timeout = WaitOptions::seconds(watch_timeout);
        invocation = watch;
    });

    CLI::App* live = app.add_subcommand("top", "Shows the tasks, with progress and the time left, until interrupted");
    live->add_option("glob", top.name_glob, "Only tasks whose name matches, such as 'rbd/*'")->type_name("GLOB");
    live->add_option("-n,--iterations", top.looks, "End after so many looks, a second apart")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    live->footer("Examples:\n  ceph-task top\n  ceph-task top 'rbd/*' -n 10\n");
    live->callback([this] { invocation = top; });

    CLI::App* stop = app.add_subcommand("cancel", "Asks a task to stop");
    stop->add_option("task", cancel.id, "Its id")->type_name("ID")->required();
    stop->add_flag("--force", cancel.force, "Also end the worker process that runs it, if it does not stop");
    stop->footer("Example:\n  ceph-task cancel 01HF7YAT31QF4KX9CNPSR1K2VW\n");
    stop->callback([this] { invocation = cancel; });

    CLI::App* sum = app.add_subcommand("summary", "Shows the cluster's health and how many tasks there are");
    sum->footer("Example:\n  ceph-task summary --format json\n");
    sum->callback([this] { invocation = Summary{}; });

    CLI::App* completion = app.add_subcommand("completion", "Prints what makes bash complete these commands");
    completion->footer("Example:\n  source <(ceph-task completion)\n");
    completion->callback([this] { invocation = Print{bash_completion(app)}; });

    CLI::App* version = app.add_subcommand("version", "Shows the version of this program");
    version->footer("Example:\n  ceph-task version\n");
    version->callback([this] {
        const bool as_json = format == "json";
        invocation = Print{as_json ? "{\"version\": \"" TASKD_VERSION "\"}\n" : "ceph-task " TASKD_VERSION "\n"};
    });
}

Submit Parser::create_invocation() const {
    CreateArguments arguments = create;
    arguments.pool = image.pool;
    arguments.name_space = image.name_space;
    arguments.image = image.image;
    return waiting.submit({create_image(arguments)});
}

Submit Parser::remove_invocation() const {
    std::vector<Submission> tasks;
    const std::vector<std::string> images = specs.empty() ? std::vector<std::string>{""} : specs;
    if (!image_id.empty() && images.size() > 1) throw UsageError("--image-id is of one image");
    for (const std::string& spec : images) {
        Submission task = remove_image(spec, image.pool, image.name_space, image.image, purge_snapshots, image_id);
        if (std::ranges::find(tasks, task) == tasks.end()) tasks.push_back(std::move(task));
    }
    return waiting.submit(std::move(tasks));
}

Submit Parser::command_invocation() const {
    std::string target;
    if (mgr) target = "mgr";
    if (!osd.empty()) target = "osd." + (osd.starts_with("osd.") ? osd.substr(4) : osd);
    if (!pg.empty()) target = "pg " + pg;
    if (!mon.empty()) target = "mon." + (mon.starts_with("mon.") ? mon.substr(4) : mon);
    Submit submit = waiting.submit({cluster_command(target, words)});
    submit.prints_output = true;
    submit.input.file = input_file;
    return submit;
}

std::string endpoint_of(const Parser& parser, const Environment& environment) {
    if (!parser.url.empty() && !parser.socket.empty()) throw UsageError("--url and --socket exclude each other");
    if (!parser.url.empty()) return parser.url;
    if (!parser.socket.empty()) return "unix:" + parser.socket;
    const char* url = environment("CEPH_TASKD_URL");
    if (url != nullptr && *url != '\0') return url;
    return "unix:" + std::string(http::default_socket_path);
}

std::string ca_file_of(const Parser& parser, const Environment& environment) {
    if (!parser.ca_file.empty()) return parser.ca_file;
    const char* file = environment("CEPH_TASKD_CA");
    return file == nullptr ? "" : file;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments, const Environment& environment) {
    Parser parser;
    CommandLine result;
    for (const std::string& argument : arguments) {
        if (!is_valid_utf8(argument)) throw UsageError("'" + printable(argument) + "' is not UTF-8");
    }
    try {
        parser.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 wants them reversed
    } catch (const CLI::CallForHelp&) {
        result.invocation = Print{parser.app.help()};
        return result;
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    } catch (const BadRequest& error) {
        throw UsageError(error.what());
    }
    result.endpoint = endpoint_of(parser, environment);
    result.ca_file = ca_file_of(parser, environment);
    result.format = parser.format == "json" ? Format::json : Format::table;
    const char* no_color = environment("NO_COLOR");
    result.color = !parser.no_color && (no_color == nullptr || *no_color == '\0');
    result.progress = !parser.no_progress;
    result.invocation = std::move(parser.invocation);
    return result;
}

}  // namespace taskd::cli
