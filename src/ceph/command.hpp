#pragma once

#include "ceph/command_output.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <taskd/error.hpp>

namespace taskd::ceph {

/// Which daemon a command goes to.
struct CommandTarget {
    enum class Kind { mon, mgr, osd, pg };

    Kind kind = Kind::mon;
    std::string id;  ///< mon: empty (any) or a name; osd: a number; pg: "1.2a"; mgr: empty (the active one).

    /// Takes "mon", "mon.a", "mgr", "osd.3", "pg 1.2a" and "pg.1.2a". @throws BadRequest("target", …)
    static CommandTarget parse(std::string_view text);
    /// What `parse` takes; of the two forms for a placement group "pg 1.2a".
    std::string text() const;
    /// "mon", "mgr", "osd", "pg": the component of its errors.
    std::string component() const;
    /// Its number, when `kind` is osd.
    int osd() const { return std::stoi(id); }

    bool operator==(const CommandTarget&) const = default;
};

/// What a daemon answered. Bytes as they came: `output` and `status` may hold anything.
struct CommandResult {
    int return_code = 0;  ///< 0 or a negative errno.
    std::string status;   ///< The line that the CLI writes to stderr.
    std::string output;
};

/// `{"return_code", "status", "output", "output_format": "json"|"text"}` and, when the output was longer than `most`,
/// `"truncated": true, "output_size": bytes`. Valid UTF-8 throughout, whatever the daemon sent.
nlohmann::json to_view(const CommandResult& result, const nlohmann::json& command,
                       std::size_t most = default_output_cap);

/// A command's prefix for texts: "osd pool create"; "?" where it has none.
std::string prefix_of(const nlohmann::json& command);

/// Why a command failed: `[errno 22] <status> (mon command 'osd foo')`, or librados' words where the daemon gave none.
/// @param return_code  Negative errno.
/// @param extra        The view of the result; null when there was none.
Error command_error(int return_code, std::string_view status, const CommandTarget& target,
                    const nlohmann::json& command, nlohmann::json extra);

}  // namespace taskd::ceph
