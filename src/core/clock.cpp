#include "core/utf8.hpp"

#include <array>
#include <cstdio>

#include <taskd/clock.hpp>
#include <taskd/error.hpp>

namespace taskd {
namespace {

class SystemClock final : public Clock {
  public:
    WallTime wall() const override { return std::chrono::system_clock::now(); }
    SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& Clock::system() noexcept {
    static const SystemClock clock;
    return clock;
}

std::string format_utc(WallTime time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss since_midnight{floor<microseconds>(time - day)};
    std::array<char, 48> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(since_midnight.hours().count()), static_cast<int>(since_midnight.minutes().count()),
        static_cast<int>(since_midnight.seconds().count()), static_cast<int>(since_midnight.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

WallTime parse_utc(std::string_view text) {
    using namespace std::chrono;
    // Fixed positions, digits only: sscanf and its like also take signs and blanks.
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
    const auto is_digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    const auto refuse = [&] {
        throw BadRequest("time", "expected YYYY-MM-DDThh:mm:ss[.ffffff]Z, got '" + valid_utf8(text) + "'");
    };
    if (text.size() <= form.size() || text.back() != 'Z') refuse();
    for (std::size_t at = 0; at < form.size(); ++at)
        if (form[at] == 'd' ? !is_digit(at) : text[at] != form[at]) refuse();
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        for (const std::size_t end = at + digits; at < end; ++at) value = 10 * value + (text[at] - '0');
        return value;
    };

    int micros = 0;
    const std::size_t end = text.size() - 1;
    if (end > form.size()) {
        if (text[form.size()] != '.' || end == form.size() + 1) refuse();
        int unit = 100'000;  // becomes 0 after six digits: more of them are cut off
        for (std::size_t at = form.size() + 1; at < end; ++at, unit /= 10) {
            if (!is_digit(at)) refuse();
            micros += unit * (text[at] - '0');
        }
    }
    // Whole years that nanoseconds in 64 bits can tell.
    constexpr int first_year = 1678;
    constexpr int last_year = 2261;
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                              day{static_cast<unsigned>(number(8, 2))}};
    const int hour = number(11, 2);
    const int minute = number(14, 2);
    const int second = number(17, 2);
    if (!date.ok() || date.year() < year{first_year} || date.year() > year{last_year} || hour > 23 || minute > 59 ||
        second > 59)
        refuse();
    return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + microseconds{micros};
}

}  // namespace taskd
