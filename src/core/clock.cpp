#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>

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
    int y = 0;
    unsigned mo = 0;
    unsigned d = 0;
    int h = 0;
    int mi = 0;
    int s = 0;
    int used = 0;
    const std::string copy(text);
    if (std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6)
        throw BadRequest("time", "expected YYYY-MM-DDThh:mm:ss[.ffffff]Z, got '" + copy + "'");
    long micros = 0;
    auto at = static_cast<std::size_t>(used);
    if (at < copy.size() && copy[at] == '.') {
        long unit = 100000;
        for (++at; at < copy.size() && copy[at] >= '0' && copy[at] <= '9'; ++at, unit /= 10)
            micros += unit * (copy[at] - '0');
    }
    const year_month_day date{year{y}, month{mo}, day{d}};
    if (!date.ok() || h > 23 || mi > 59 || s > 60 || copy.substr(at) != "Z")
        throw BadRequest("time", "expected YYYY-MM-DDThh:mm:ss[.ffffff]Z, got '" + copy + "'");
    return sys_days{date} + hours{h} + minutes{mi} + seconds{s} + microseconds{micros};
}

}  // namespace taskd
