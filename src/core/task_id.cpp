#include "core/task_id.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace taskd {
namespace {

constexpr std::uint64_t forty_bits = (std::uint64_t{1} << 40U) - 1;
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Each two digits of base 32, by their value.
constexpr auto pairs = [] {
    std::array<std::array<char, 2>, 1024> made{};
    for (std::size_t value = 0; value < made.size(); ++value)
        made[value] = {alphabet[value / alphabet.size()], alphabet[value % alphabet.size()]};
    return made;
}();

/// Writes an even number of base-32 digits of `value` to `place`, most significant first.
/// @returns the place after them
char* write_digits(char* place, std::uint64_t value, int digits) {
    for (int digit = digits - 2; digit >= 0; digit -= 2)
        for (const char letter : pairs[(value >> (5 * digit)) & 1023U]) *place++ = letter;
    return place;
}

}  // namespace

std::string make_task_id(WallTime now) {
    thread_local std::mt19937_64 random{[] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(), device(), device()};
        return std::mt19937_64(seed);
    }()};
    thread_local std::uint64_t last_time = 0;
    thread_local std::uint64_t high = 0;  // 40 bits each
    thread_local std::uint64_t low = 0;
    const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const auto time = static_cast<std::uint64_t>(since_epoch.count());
    // Within a millisecond the next one is one more, so that the ids of a thread sort as they were made.
    if (time != last_time || (++low & forty_bits) == 0) {
        last_time = time;
        high = random();
        low = random();
    }

    std::string id(26, '0');
    char* place = write_digits(id.data(), time, 10);
    place = write_digits(place, high, 8);
    write_digits(place, low, 8);
    return id;
}

}  // namespace taskd
