#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace taskd::rbd::wire {

/// A moment as Ceph encodes it (utime_t): UTC.
struct Time {
    std::uint32_t seconds = 0;  ///< Since 1970.
    std::uint32_t nanoseconds = 0;

    bool operator==(const Time&) const = default;
};

/// Takes values of Ceph's encoding from the front of `bytes`: little endian, texts and lists with their length in 4
/// bytes before them. After the first thing that does not fit every value is 0 or empty and `ok()` false, so a caller
/// takes all it wants and asks once.
/// @source  Ceph `src/include/encoding.h`; docs/rbd-wire-format.md
class Decoder {
  public:
    explicit Decoder(std::string_view bytes) noexcept : bytes_(bytes) {}

    std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(integer(1)); }
    std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(integer(4)); }
    std::uint64_t u64() noexcept { return integer(8); }
    std::int64_t i64() noexcept { return static_cast<std::int64_t>(integer(8)); }
    std::string text() { return std::string(bytes(u32())); }
    Time time() noexcept {
        const auto seconds = u32();
        return {seconds, u32()};
    }
    /// The next `size` bytes; they live as long as what is decoded.
    std::string_view bytes(std::size_t size) noexcept;

    /// The number of a list's elements, each of which takes at least `smallest` bytes: a count that cannot be is a
    /// fault, and nobody reserves memory for it.
    std::uint32_t count(std::size_t smallest) noexcept;

    /// What ENCODE_START and ENCODE_FINISH enclose: a version, the oldest version that a reader must know, a length.
    /// What a newer version has behind what we know is skipped.
    /// @param known  The newest version that we know: a struct that needs more is a fault.
    struct Enclosed;
    Enclosed enclosed(std::uint8_t known) noexcept;

    bool ok() const noexcept { return ok_; }
    std::size_t left() const noexcept { return bytes_.size(); }

  private:
    std::uint64_t integer(std::size_t size) noexcept;
    void fail() noexcept;

    std::string_view bytes_;
    bool ok_ = true;
};

struct Decoder::Enclosed {
    std::uint8_t version = 0;
    Decoder content;
};

/// Makes the input of a class method.
class Encoder {
  public:
    Encoder& u8(std::uint8_t value) { return integer(value, 1); }
    Encoder& u32(std::uint32_t value) { return integer(value, 4); }
    Encoder& u64(std::uint64_t value) { return integer(value, 8); }
    Encoder& i64(std::int64_t value) { return integer(static_cast<std::uint64_t>(value), 8); }
    Encoder& text(std::string_view value) {
        u32(static_cast<std::uint32_t>(value.size()));
        bytes_.append(value);
        return *this;
    }

    const std::string& bytes() const noexcept { return bytes_; }

  private:
    Encoder& integer(std::uint64_t value, std::size_t size);

    std::string bytes_;
};

}  // namespace taskd::rbd::wire
