#include "cli/commands.hpp"
#include "cli/image_tables.hpp"

#include <ostream>

// The commands that look at images: rbd ls, info, snap ls, du, trash ls, namespace ls.

namespace taskd::cli {
namespace {

using nlohmann::json;

/// The images of a page of pools, or of one image, that are in the namespace asked for; complains about pools that did
/// not answer.
std::vector<json> values_of(Session& session, const json& answer, const LookAtImages& look, bool& complete) {
    std::vector<json> values;
    for (const auto& pool : answer) {
        if (!pool.is_object()) continue;
        if (const auto problem = pool.find("exception"); problem != pool.end() && problem->is_string()) {
            session.complain(problem->get<std::string>());
            complete = false;
        }
        for (const auto& value : pool.value("value", json::array()))
            if (value.is_object() && value.value("namespace", json()) == json(look.name_space)) values.push_back(value);
    }
    return values;
}

std::string text_of(Session& session, const LookAtImages& look, const json& answer, bool& complete) {
    const auto columns = session.columns();
    const bool color = session.color();
    switch (look.what) {
        case LookAtImages::What::names:
            return image_names(values_of(session, answer, look, complete));
        case LookAtImages::What::images:
            return image_table(values_of(session, answer, look, complete), columns, color);
        case LookAtImages::What::usage:
            return usage_table(answer.is_array() ? values_of(session, answer, look, complete) : std::vector{answer},
                               columns, color);
        case LookAtImages::What::trash:
            return trash_table(values_of(session, answer, look, complete), look.long_form, columns, color);
        case LookAtImages::What::info:
            return image_info(answer);
        case LookAtImages::What::snapshots:
            return snapshot_table(answer, columns, color);
        case LookAtImages::What::namespaces:
            return namespace_table(answer, columns, color);
    }
    return {};
}

}  // namespace

int run_look_at_images(Session& session, const LookAtImages& look) {
    int failure = 0;
    const auto answer = session.get_any(look.target, look.version, failure);
    if (!answer) return failure;
    bool complete = true;
    if (session.as_json()) {
        session.print_json(*answer);
    } else {
        session.surroundings().console.out << text_of(session, look, *answer, complete) << std::flush;
    }
    return complete ? 0 : exit_code(Outcome::failed);
}

}  // namespace taskd::cli
