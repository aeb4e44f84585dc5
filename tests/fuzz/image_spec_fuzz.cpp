#include "core/utf8.hpp"
#include "fuzz/fuzzer.hpp"
#include "rbd/image_spec.hpp"

#include <taskd/error.hpp>

/// A spec of an image by name or id, a name for a new one.
namespace taskd::fuzz {
namespace {

template <class Spec>
void try_spec(std::string_view input) {
    try {
        const auto spec = Spec::parse(input);
        require(!spec.pool.empty(), "a spec has a pool");
        require(Spec::parse(spec.format()) == spec, "a spec that is written and read again is the same", spec.format());
        require(spec.format().size() <= input.size(), "writing a spec adds nothing");
    } catch (const BadRequest& refusal) {
        require(is_valid_utf8(refusal.what()), "what is wrong with a spec can be told in JSON");
    }
}

void try_new_name(std::string_view input) {
    try {
        rbd::check_new_name(input, "name");
    } catch (const BadRequest&) {
        return;
    }
    const auto spec = rbd::ImageSpec::parse("pool/" + std::string(input));
    require(spec.pool == "pool" && spec.ns.empty() && spec.name == input, "a new name can be addressed");
}

}  // namespace

void try_input(std::string_view input) {
    try_spec<rbd::ImageSpec>(input);
    try_spec<rbd::ImageIdSpec>(input);
    try_new_name(input);
    require(rbd::is_utf8(input) == is_valid_utf8(input), "there is one idea of what UTF-8 is");
    const auto shown = rbd::shown(input);
    require(shown == valid_utf8(input), "there is one idea of how to show what is not UTF-8");
    require(rbd::is_utf8(shown) && rbd::shown(shown) == shown, "what is shown is UTF-8");
    require(rbd::is_meant(shown, input, "id"), "an image is meant by what is shown of its name");
}

}  // namespace taskd::fuzz
