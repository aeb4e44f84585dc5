#include "core/utf8.hpp"
#include "fuzz/fuzzer.hpp"
#include "http/uri.hpp"

#include <algorithm>

/// The target of a request: its escapes, its path, its query.
namespace taskd::fuzz {
namespace {

bool is_text(std::string_view text) {
    return text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

void try_escapes(std::string_view input) {
    const auto encoded = http::percent_encode(input);
    require(http::percent_decode(encoded) == input, "what was percent-encoded decodes to itself");
    const auto lenient = http::percent_decode_leniently(input);
    require(lenient.size() <= input.size(), "decoding makes nothing longer");
    if (const auto strict = http::percent_decode(input))
        require(*strict == lenient, "both ways of decoding agree where there is no bad escape");
    (void)http::decode_all_but_slashes(input);
}

void try_path(std::string_view input) {
    std::string path;
    http::normalise_path(input, path);
    std::string again;
    http::normalise_path(path, again);
    require(again == path, "a normalised path is normal", path);
    require(path.find("//") == std::string::npos, "a normalised path has no empty segment", path);
    if (!http::is_well_formed_path(path)) return;
    for (std::string_view rest = path; !rest.empty();) {
        const auto segment = rest.substr(0, rest.find('/'));
        require(is_text(http::decode_path_parameter(segment)), "a parameter of a well-formed path is text", segment);
        rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
    }
}

void try_query(std::string_view input) {
    const auto query = http::parse_query(http::query_of(input));
    if (!query) return;
    std::string encoded;
    for (const auto& [name, value] : *query) {
        require(is_text(name) && is_text(value), "names and values of a query are text");
        encoded += http::percent_encode(name) + '=' + http::percent_encode(value) + '&';
    }
    require(http::parse_query(encoded) == *query, "a query that was encoded again is the same", encoded);
}

}  // namespace

void try_input(std::string_view input) {
    try_escapes(input);
    try_path(input);
    try_query(input);
}

}  // namespace taskd::fuzz
