#pragma once

#include "cli/command_line.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace taskd::cli {

inline CommandLine parse(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment = {}) {
    return parse_command_line(arguments, [&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

template <typename Command>
Command parsed(const std::vector<std::string>& arguments) {
    return std::get<Command>(parse(arguments).invocation);
}

/// What a command line that makes one task sends.
inline Submission submission(const std::vector<std::string>& arguments) {
    return parsed<Submit>(arguments).tasks.at(0);
}

/// Empty where the command line is taken.
inline std::string refusal(const std::vector<std::string>& arguments) {
    try {
        parse(arguments);
        return "";
    } catch (const UsageError& error) {
        return error.what();
    }
}

}  // namespace taskd::cli
