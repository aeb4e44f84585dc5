#include "fuzz/fuzzer.hpp"
#include "rbd/operation.hpp"

#include <vector>

#include <taskd/task_manager.hpp>

/// The list of tasks by a glob, against the plainest matcher there is.
namespace taskd::fuzz {
namespace {

/// `*` and `?` only.
bool matches(std::string_view glob, std::string_view name) {
    std::vector<bool> reached(name.size() + 1);  // which beginnings of the name the glob so far matches
    reached[0] = true;
    for (const char wanted : glob) {
        std::vector<bool> next(name.size() + 1);
        for (std::size_t at = 0; at <= name.size(); ++at) {
            if (wanted == '*')
                next[at] = reached[at] || (at > 0 && next[at - 1]);
            else
                next[at] = at > 0 && reached[at - 1] && (wanted == '?' || wanted == name[at - 1]);
        }
        reached = std::move(next);
    }
    return reached.back();
}

/// The names of the tasks that the list has: as many as it keeps for ever.
constexpr std::size_t most_kept = 10;

TaskManager& tasks() {
    static TaskManager manager;
    static const bool is_filled = [] {
        std::size_t left = most_kept;
        for (const auto* operation : rbd::OperationRegistry::builtin().all())
            if (left-- > 0)
                manager.run(std::string(operation->name), nullptr, [] { return nullptr; })->wait();
            else
                break;
        return true;
    }();
    (void)is_filled;
    return manager;
}

std::vector<std::string> listed(std::string_view glob) {
    std::vector<std::string> names;
    const auto list = tasks().list_json(glob);
    for (const auto* part : {"executing_tasks", "finished_tasks"})
        for (const auto& task : list.at(part)) names.push_back(task.at("name").get<std::string>());
    return names;
}

}  // namespace

void try_input(std::string_view input) {
    // From a query, which has no such byte.
    const auto glob = input.substr(0, input.find('\0'));
    static const auto all = listed({});
    require(all.size() == most_kept, "without a glob all tasks are listed");
    const auto names = listed(glob);
    if (glob.empty() || glob.find('[') != std::string_view::npos) return;
    std::vector<std::string> expected;
    for (const auto& name : all)
        if (matches(glob, name)) expected.push_back(name);
    require(names == expected, "what matches is listed and nothing else", glob);
}

}  // namespace taskd::fuzz
