#include "fuzz/fuzzer.hpp"

#include <cstddef>
#include <cstdlib>
#include <iostream>

#include <spdlog/spdlog.h>

namespace taskd::fuzz {

void require(bool holds, std::string_view property, std::string_view detail) {
    if (holds) return;
    std::cerr << "does not hold: " << property << (detail.empty() ? "" : ": ") << detail << '\n' << std::flush;
    std::abort();
}

FirstLine first_line(std::string_view input) noexcept {
    const auto end = input.find('\n');
    if (end == std::string_view::npos) return {input, {}};
    return {input.substr(0, end), input.substr(end + 1)};
}

std::optional<nlohmann::json> json_of(std::string_view text) {
    constexpr int deepest = 32;
    bool too_deep = false;
    const auto limit_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        too_deep = too_deep || depth > deepest;
        return !too_deep;
    };
    auto value = nlohmann::json::parse(text, limit_depth, false);
    if (too_deep || value.is_discarded()) return std::nullopt;
    return value;
}

}  // namespace taskd::fuzz

// The names are libFuzzer's.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    spdlog::set_level(spdlog::level::off);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    taskd::fuzz::try_input({reinterpret_cast<const char*>(data), size});
    return 0;
}
