#include "cli/completion.hpp"

#include <vector>

namespace taskd::cli {
namespace {

/// What may follow the words of a command.
struct Place {
    std::string path;  ///< "ceph-task rbd create"
    std::vector<std::string> commands;
    std::vector<std::string> options;
};

void add_options(const CLI::App& app, std::vector<std::string>& options) {
    for (const auto* option : app.get_options({})) {
        for (const auto& name : option->get_lnames()) options.push_back("--" + name);
        for (const auto& name : option->get_snames()) options.push_back("-" + name);
    }
    // Groups of options are nested commands without a name.
    for (const auto* group : app.get_subcommands({}))
        if (group->get_name().empty()) add_options(*group, options);
}

void add_places(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
    Place place{path, {}, {}};
    add_options(app, place.options);
    std::vector<std::pair<const CLI::App*, std::string>> below;
    for (const auto* command : app.get_subcommands({})) {
        if (command->get_name().empty()) continue;
        auto names = command->get_aliases();
        names.insert(names.begin(), command->get_name());
        for (const auto& name : names) {
            place.commands.push_back(name);
            below.emplace_back(command, path + ' ' + name);
        }
    }
    places.push_back(std::move(place));
    for (const auto& [command, longer] : below) add_places(*command, longer, places);
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    std::vector<Place> places;
    add_places(app, app.get_name(), places);
    const std::string everywhere = joined(places.front().options, " ");

    std::vector<std::string> paths;
    std::string cases;
    for (const auto& place : places) {
        if (&place != &places.front()) paths.push_back('"' + place.path + '"');
        cases += "        \"" + place.path + "\") words=\"" + joined(place.commands, " ");
        if (&place != &places.front()) cases += (place.commands.empty() ? "" : " ") + joined(place.options, " ");
        cases += "\" ;;\n";
    }
    return "# bash completion of " + app.get_name() +
           ": source it, or put it into bash-completion's folder.\n"
           "_ceph_task() {\n"
           "    local path=" +
           app.get_name() +
           " words= word\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        case \"$path $word\" in\n"
           "            " +
           joined(paths, " | \\\n            ") +
           ") path=\"$path $word\" ;;\n"
           "        esac\n"
           "    done\n"
           "    case $path in\n" +
           cases +
           "    esac\n"
           "    # The words of the command itself first: the options of the program fit everywhere.\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words " +
           everywhere +
           "\" -- \"${COMP_WORDS[COMP_CWORD]}\" | sort -u)\n"
           "}\n"
           "complete -o default -F _ceph_task " +
           app.get_name() + "\n";
}

}  // namespace taskd::cli
