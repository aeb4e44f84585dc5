#pragma once

#include <utility>  // Boost 1.74's awaitable.hpp uses std::exchange without including it
//
#include <boost/asio/awaitable.hpp>

namespace taskd::http {

namespace net = boost::asio;

}  // namespace taskd::http
