#pragma once

#include <string>

#include <CLI/App.hpp>

namespace taskd::cli {

/// A script for bash that completes the commands and options of this model of a command line, so that it never lacks
/// one.
std::string bash_completion(const CLI::App& app);

}  // namespace taskd::cli
