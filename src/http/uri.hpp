#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskd::http {

using NameValue = std::pair<std::string, std::string>;

/// Decodes %XX; nullopt when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

/// Decodes %XX and leaves a '%' that starts no escape as it is.
std::string percent_decode_leniently(std::string_view text);

/// The same, but an encoded slash stays "%2F", so that the text still tells the segments.
/// @source Cheroot, HTTPRequest.parse_request_uri: paths in the dashboard's error texts look like this.
std::string decode_all_but_slashes(std::string_view path);

/// Encodes everything but RFC 3986's unreserved characters, so that the result is one path segment or query value.
std::string percent_encode(std::string_view text);

/// What a client meant by one path segment: decoded twice, because the Ceph dashboard's router decodes a segment and
/// its controllers decode it once more, and its web page sends `rbd%252Fimg` as well as `rbd%2Fimg` for the image
/// `rbd/img`. So a name that itself holds an escape (an image called `a%41`) must be sent encoded twice (`a%252541`).
/// The second decoding leaves alone what is no escape (`100%25` is `100%`) and is dropped altogether where its result
/// would not be UTF-8 or would hold a NUL.
/// @param segment  Well-formed: `is_well_formed_path` held for the path that it is part of.
/// @source dashboard-contract.md 0.2; dashboard/controllers/_helpers.py (unquote of path parameters).
std::string decode_path_parameter(std::string_view segment);

/// Whether every escape is complete and the decoded text is UTF-8 without NUL (names go to C interfaces).
bool is_well_formed_path(std::string_view path);

/// The path of a request target as the router wants it: no query, no scheme and host, '//' collapsed and one trailing
/// slash dropped; still percent-encoded. "/" stays "/".
void normalise_path(std::string_view target, std::string& path);

/// Decodes `a=1&b=x+y`: '+' is a space, order and duplicates are kept, a bad escape stays as it is.
/// @returns nullopt when a name or value is not UTF-8 or holds a NUL.
std::optional<std::vector<NameValue>> parse_query(std::string_view query);

/// The part of a target after the first '?', empty when there is none.
std::string_view query_of(std::string_view target) noexcept;

}  // namespace taskd::http
