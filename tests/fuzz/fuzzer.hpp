#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::fuzz {

/// What each fuzzer is: gives the input to what it is about, and ends the process when something does not hold that
/// must hold for every input.
/// @throws  Nothing: an exception that comes out is a fault too.
void try_input(std::string_view input);

/// Ends the process, so that libFuzzer keeps the input, unless `holds`.
/// @param property  What must be, as the name of a test would say it.
void require(bool holds, std::string_view property, std::string_view detail = {});

/// The text up to the first line break and what is behind that; without one all of it, and nothing.
struct FirstLine {
    std::string_view line;
    std::string_view rest;
};
FirstLine first_line(std::string_view input) noexcept;

/// Nothing when it is no JSON, or nested deeper than the HTTP interface takes.
std::optional<nlohmann::json> json_of(std::string_view text);

}  // namespace taskd::fuzz
