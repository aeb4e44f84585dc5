#pragma once

#include "cli/command_line.hpp"
#include "cli/submissions.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace taskd::cli {

/// How a command that makes tasks waits for them.
struct WaitOptions {
    bool no_wait = false;
    std::int64_t timeout = -1;

    void add_to(CLI::App& app);
    static void add_timeout(CLI::App& app, std::int64_t& timeout);
    static std::optional<std::chrono::seconds> seconds(std::int64_t timeout);
    Submit submit(std::vector<Submission> tasks) const;
};

/// The words that `rbd` has for an image beside the positional spec.
struct ImageOptions {
    std::string pool, name_space, image;

    void add_to(CLI::App& app);
};

/// rbd's options for how an image is made.
void add_layout_options(CLI::App& app, CreateArguments& layout);

/// Takes the snapshot of `IMAGE@SNAPSHOT` out of the spec.
/// @throws BadRequest (no name after the '@', another one in `snapshot`)
void take_snapshot(std::string& spec, std::string& snapshot);

/// A command that only groups others, such as `rbd snap`: declared by the family that needs it first.
CLI::App& command_group(CLI::App& parent, const std::string& name, const std::string& what);

/// Commands that belong together: declares them to CLI11 and holds the variables that CLI11 fills in.
class CommandFamily {
  public:
    CommandFamily() = default;
    virtual ~CommandFamily() = default;
    CommandFamily(const CommandFamily&) = delete;
    CommandFamily& operator=(const CommandFamily&) = delete;

    /// @param app         Of the whole program.
    /// @param rbd         Its command `rbd`.
    /// @param invocation  Set by the callback of the command that was given. It and this outlive the parsing.
    virtual void add_to(CLI::App& app, CLI::App& rbd, Invocation& invocation) = 0;
};

std::unique_ptr<CommandFamily> make_image_commands();
std::unique_ptr<CommandFamily> make_copy_commands();
std::unique_ptr<CommandFamily> make_pool_commands();
std::unique_ptr<CommandFamily> make_image_look_commands();
std::unique_ptr<CommandFamily> make_snapshot_commands();
std::unique_ptr<CommandFamily> make_trash_commands();
std::unique_ptr<CommandFamily> make_namespace_commands();
std::unique_ptr<CommandFamily> make_mirror_image_commands();
std::unique_ptr<CommandFamily> make_mirror_pool_commands();

/// All of them but those that command_line.cpp has.
std::vector<std::unique_ptr<CommandFamily>> make_command_families();

}  // namespace taskd::cli
