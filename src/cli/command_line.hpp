#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::cli {

enum class Format { table, json };

/// One request that makes a task.
struct Submission {
    std::string method;
    std::string target;
    nlohmann::json body = nullptr;  ///< null: none
    std::string label;              ///< How messages call it before the task has a name: "rbd rm rbd/vm-1".

    bool operator==(const Submission&) const = default;
};

/// Makes tasks and, unless told otherwise, waits for them.
struct Submit {
    std::vector<Submission> tasks;
    bool wait = true;
    std::optional<std::chrono::seconds> timeout{};
    bool prints_output = false;  ///< The result is what the user wants to see, not that it is done.
    /// What the user wants to see in place of that it is done: this member of the result, a text. Empty: not.
    std::string printed_member{};
    /// A text to send along.
    struct Input {
        std::string file{};            ///< "-" is standard input, empty is none.
        std::string member = "input";  ///< Of the body.
        bool is_a_word = false;        ///< The end of its line does not belong to it.
    };
    Input input{};
};

struct List {
    std::string name_glob{};
    bool executing = true;
    bool finished = true;
};

struct Show {
    std::string id_or_glob;
};

struct Watch {
    std::string id_or_glob{};  ///< Empty: everything.
    std::optional<std::chrono::seconds> timeout{};
};

/// Shows the tasks again and again, until the user ends it.
struct Top {
    std::string name_glob{};
    std::size_t looks = 0;  ///< How often; 0: without end.
};

struct Cancel {
    std::string id;
    bool force = false;
};

struct Summary {};

/// Shows images, or what else there is beside them.
struct LookAtImages {
    enum class What { names, images, info, snapshots, usage, trash, namespaces };

    What what;
    std::string target;        ///< Path and query of the request.
    std::string version;       ///< Of the endpoint: "2.0".
    std::string name_space{};  ///< Which of the pool's images to show, where it has several.
    bool long_form = false;
};

/// Shows how a pool is mirrored.
struct LookAtMirroring {
    std::string pool;
};

/// Prints a text: help and version.
struct Print {
    std::string text;
};

using Invocation = std::variant<Submit, List, Show, Watch, Top, Cancel, Summary, LookAtImages, LookAtMirroring, Print>;

struct CommandLine {
    std::string endpoint;   ///< "unix:/path", "http://host:port" or "https://host:port"
    std::string ca_file{};  ///< Whom to trust, with https; empty: the system's authorities.
    Format format = Format::table;
    bool color = true;
    bool progress = true;
    Invocation invocation;
};

/// The arguments make no sense; `what()` is one line that says which and why.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Reads an environment variable; null when it is not set.
using Environment = std::function<const char*(const char* name)>;

/// Reads the command line. Pure: touches no file, no network and no environment but `environment`.
///
/// @param arguments  Without the program's name.
/// @throws UsageError
CommandLine parse_command_line(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace taskd::cli
