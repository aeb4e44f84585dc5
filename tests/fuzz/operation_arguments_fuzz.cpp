#include "fuzz/fuzzer.hpp"
#include "rbd/operation.hpp"

#include <taskd/error.hpp>
#include <taskd/identity.hpp>

/// An operation's name in the first line, then its arguments; with another first line all of it, for every operation.
namespace taskd::fuzz {
namespace {

using nlohmann::json;

void try_arguments(const rbd::Operation& operation, const json& given) {
    const std::string name(operation.name);
    json arguments;
    try {
        arguments = operation.decode(given, {});
    } catch (const BadRequest&) {
        return;
    }
    require(operation.decode(arguments, {}) == arguments, "the normal form is normal", name + arguments.dump());
    require(json::parse(arguments.dump()) == arguments, "a journal keeps the arguments", name);
    const auto metadata = operation.metadata(arguments);
    (void)metadata.dump();
    (void)identity_of(metadata);
    const auto touches = operation.touches(arguments);
    // A pool without a name is the cluster's to refuse, as it is for the dashboard.
    for (const auto& image : touches.images)
        require(touches.pool.empty() || rbd::ImageSpec::parse(image).format() == image, "what is touched are images",
                name + " " + image);
    (void)rbd::image_id_of(operation, arguments);
    if (operation.bound_image != nullptr) {
        const auto image = operation.bound_image(arguments);
        require(rbd::ImageSpec::parse(image.format()) == image, "the bound image can be addressed", name);
    }
}

}  // namespace

void try_input(std::string_view input) {
    const auto [name, rest] = first_line(input);
    const auto& registry = rbd::OperationRegistry::builtin();
    const auto* const operation = registry.find(name);
    const auto given = json_of(operation != nullptr ? rest : input);
    if (!given) return;
    if (operation != nullptr) return try_arguments(*operation, *given);
    for (const auto* each : registry.all()) try_arguments(*each, *given);
}

}  // namespace taskd::fuzz
