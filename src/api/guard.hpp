#pragma once

#include "api/rights.hpp"
#include "api/services.hpp"
#include "http/router.hpp"

#include <memory>
#include <string>

namespace taskd::api {

/// Stands before a route: finds out who calls, refuses who may not (401, 403) before anything is looked at, and has a
/// line of the audit written for each request that changes something.
/// Where nobody is to be asked (`Services::authority` is null) everybody may do everything.
/// @source dashboard-contract.md 1.2, 1.6
http::Route guarded(Access access, Right right, http::Route route);

/// What is answered who may not.
http::Response forbidden_response();

/// Who sends the request, as the guard found out.
const auth::User& caller_of(const http::Request& request);

/// The same as of now, for an answer that goes on for long; null when the token is void by now.
std::shared_ptr<const auth::User> caller_now(const Services& services, const http::Request& request);

/// The token that a request carries: of its cookie, else of its `Authorization: Bearer`; empty when there is none.
/// @source dashboard-contract.md 1.2
std::string token_of(const http::Request& request);

}  // namespace taskd::api
