#pragma once

#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace taskd::api {

inline constexpr std::string_view event_stream_type = "text/event-stream";

/// The version of an endpoint, which clients ask for in `Accept: application/vnd.ceph.api.v1.0+json`.
struct Version {
    int major = 1;
    int minor = 0;
    std::string_view accepts_too = {};  ///< A type beside those of JSON that clients may ask this endpoint for.

    /// "application/vnd.ceph.api.v1.0+json"
    std::string media_type() const;
};

/// Nothing when the request may have this endpoint, else the 415 to answer.
/// The majors must be equal and the client's minor not above the endpoint's. No Accept, `*/*`, which curl sends, and
/// `application/json` get the endpoint's version; anything else is refused as the dashboard does.
/// @source  dashboard-contract.md 0.4; P76 of the field faults
std::optional<http::Response> refuse_version(const http::Request& request, Version endpoint);

}  // namespace taskd::api
