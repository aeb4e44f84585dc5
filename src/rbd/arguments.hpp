#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// Reads the fields of what a client sent. A null field counts as absent, as for the dashboard.
///
/// Borrows the object; meant to live for one `decode`.
class Arguments {
  public:
    /// @param known  The fields there may be.
    /// @throws BadRequest "body" unless it is an object, or naming the first field that is not known
    Arguments(const nlohmann::json& given, std::initializer_list<std::string_view> known);

    /// nullptr when absent or null.
    const nlohmann::json* find(std::string_view field) const;

    /// @throws BadRequest when absent or no text
    std::string text(std::string_view field) const;
    std::optional<std::string> optional_text(std::string_view field) const;

    /// A whole number of 0 or more. Floats lose their fraction; text of decimal digits is taken too, as Python's
    /// `int()` takes it, when `text_too`.
    /// @throws BadRequest when absent, of another type, negative, or above `max`
    std::uint64_t number(std::string_view field, bool text_too, std::uint64_t max) const;
    std::optional<std::uint64_t> optional_number(std::string_view field,
                                                 std::uint64_t max = std::numeric_limits<std::int64_t>::max()) const;

    /// nullopt when absent. Text as in a query is taken too: true/yes/on/1/t/y and false/no/off/0/f/n in any case.
    /// @throws BadRequest when it is neither
    std::optional<bool> optional_flag(std::string_view field) const;

    /// One of these words, the first when absent.
    /// @throws BadRequest when it is another
    std::string choice(std::string_view field, std::initializer_list<std::string_view> words) const;

  private:
    const nlohmann::json& given_;
};

}  // namespace taskd::rbd
