#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// One argument of a command, as the daemon describes it.
struct CommandArgument {
    enum class Form { integer, number, boolean, text, choice, pgid, uuid };

    std::string name;
    std::string type;  ///< Ceph's name, for texts: "CephInt".
    Form form = Form::text;
    bool required = true;
    bool repeated = false;  ///< An array of such values.
    std::optional<double> least;
    std::optional<double> most;
    std::vector<std::string> choices;
    std::string good_characters;  ///< A bracket expression, "[A-Za-z0-9-_.]"; empty: any.
};

struct CommandSignature {
    std::vector<CommandArgument> arguments;
    std::string permission;  ///< "r", "rw", "rwx"; empty where the daemon does not say.
};

/// Checks that need no cluster: an object, `prefix` a non-empty string, `format` a string, every value a string,
/// number, boolean or an array of those, at most `most_bytes` as text. What a 16.2.15 monitor aborts on does not pass.
/// @throws BadRequest, which names the key.
void check_shape(const nlohmann::json& command, std::size_t most_bytes = 64UL * 1024);

/// The commands that a daemon knows and what they take.
///
/// A monitor of 16.2.15 aborts on some ill-typed commands, and its clients then send them to the next monitor. So a
/// command is sent only when it fits the table that the daemon itself gave out.
/// @thread  Immutable: any.
/// @source  `get_command_descriptions` as Ceph's ceph_argparse.py reads it.
class CommandTable {
  public:
    /// @param descriptions  The answer to `get_command_descriptions`.
    /// @throws Error (internal) when it is not of the known form.
    static CommandTable parse(std::string_view descriptions);

    bool knows(const std::string& prefix) const { return signatures_.contains(prefix); }
    std::size_t size() const noexcept { return signatures_.size(); }
    /// "r" when every form of the command only reads; empty when unknown.
    std::string permission(const std::string& prefix) const;

    /// The forms of a command; empty when unknown.
    const std::vector<CommandSignature>& forms(const std::string& prefix) const;

    /// Checks a command and gives it as it is to be sent: an integer where the daemon wants a floating-point number is
    /// made one (16.2.15 refuses `"expire": 60`), and `target`, which tells a client where to send, is left out.
    /// @throws BadRequest, which names the key.
    nlohmann::json check(const nlohmann::json& command) const;

  private:
    std::map<std::string, std::vector<CommandSignature>, std::less<>> signatures_;
};

}  // namespace taskd::ceph
