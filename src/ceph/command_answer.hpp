#pragma once

#include <exception>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {

/// A tag that no other command of this process has.
std::string unique_command_tag();

/// What a `command` notification says went wrong, or null: `value` is as CommandAnswers::event tells.
/// @throws nlohmann::json::exception when it has another form
std::exception_ptr failure_of_answer(const nlohmann::json& value, const std::string& target,
                                     const nlohmann::json& command);

}  // namespace taskd::ceph
