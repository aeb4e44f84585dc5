#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

namespace taskd {

/// What kind of answer an error is. HTTP status, exit code and log level are functions of this alone.
enum class ErrorKind {
    refused,      ///< The cluster or librbd said no: errno and text tell why.
    not_found,    ///< The object that the request addresses does not exist.
    bad_request,  ///< Malformed input; the text names the field.
    conflict,     ///< Something else that is going on forbids it now.
    unavailable,  ///< Cannot be taken now; a later try may succeed.
    cancelled,    ///< Somebody asked for it to stop.
    internal,     ///< A fault of this program or a dead worker.
};

/// The text of a kind in JSON ("refused", "not_found", …), and back.
/// @throws std::invalid_argument on an unknown text.
std::string_view to_string(ErrorKind kind) noexcept;
ErrorKind error_kind_from(std::string_view text);

/// An operation failed: errno, the component that said so, and what was being done to which object.
/// `what()` is the whole sentence, in the dashboard's words: "[errno 17] RBD image already exists (error creating
/// image)".
class Error : public std::system_error {
  public:
    /// @param kind       How the caller should take it.
    /// @param code       Positive errno, 0 when there is none.
    /// @param component  "rbd", "rados", "pool", "mon", "taskd", …
    /// @param detail     The whole sentence.
    /// @param extra      More for a program to read (`{"blockers": {…}}`), null or an object.
    Error(ErrorKind kind, int code, std::string component, std::string detail, nlohmann::json extra = nullptr);

    ErrorKind kind() const noexcept { return kind_; }
    int errno_value() const noexcept { return code().value(); }
    const std::string& component() const noexcept { return component_; }
    const nlohmann::json& extra() const noexcept { return extra_; }
    const char* what() const noexcept override { return detail_.c_str(); }

  private:
    ErrorKind kind_;
    std::string component_;
    std::string detail_;
    nlohmann::json extra_;
};

/// Malformed input: `field` is where ("size", "body"), `problem` what is wrong with it.
class BadRequest : public Error {
  public:
    BadRequest(std::string_view field, std::string_view problem);

    const std::string& field() const noexcept { return field_; }

  private:
    std::string field_;
};

/// A bounded queue has no room; a later try may succeed.
class QueueFull : public Error {
  public:
    QueueFull(std::string_view queue, std::size_t capacity);
};

/// An error as data, for the journal and for the way from a worker to the front; `error_from_json` makes it an `Error`
/// again (what was a BadRequest or QueueFull comes back as an Error of the same kind).
/// Keys: kind, code (errno), component, detail, extra (absent when null). Always valid UTF-8.
/// @throws BadRequest ("error") out of `error_from_json` when it is no such object.
nlohmann::json error_to_json(std::exception_ptr error);
std::exception_ptr error_from_json(const nlohmann::json& error);

/// The text of any exception, never empty, always valid UTF-8.
std::string error_text(std::exception_ptr error);

}  // namespace taskd
