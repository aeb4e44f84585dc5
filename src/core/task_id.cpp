#include "core/task_id.hpp"

#include <cstdint>
#include <random>

namespace taskd {
namespace {

constexpr char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Writes `digits` base-32 digits of `value` to `place`, most significant first, and returns the place after them.
char* write_digits(char* place, std::uint64_t value, int digits) {
    for (int digit = digits - 1; digit >= 0; --digit) *place++ = alphabet[(value >> (5 * digit)) & 31U];
    return place;
}

}  // namespace

std::string make_task_id(WallTime now) {
    thread_local std::mt19937_64 random{[] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(), device(), device()};
        return std::mt19937_64(seed);
    }()};
    const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());

    std::string id(26, '0');
    char* place = write_digits(id.data(), static_cast<std::uint64_t>(since_epoch.count()), 10);
    place = write_digits(place, random(), 8);
    write_digits(place, random(), 8);
    return id;
}

}  // namespace taskd
