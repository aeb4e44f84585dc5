#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::cli {

// Everything here is pure: values in, text out.

/// The text with every control character (and every broken UTF-8 byte) replaced by '?', so that a task's name cannot
/// steer the terminal of who looks at it.
std::string printable(std::string_view text);

/// Columns that a terminal uses for UTF-8 text: none for combining marks, two for wide characters.
std::size_t display_width(std::string_view text);

/// The text cut to this many columns, with "…" where something was cut off.
std::string truncated(std::string_view text, std::size_t columns);

/// "0.3 s", "12 s", "3:05", "2:03:05", "3 d 04:05".
std::string format_duration(double seconds);

/// "[=====>    ]", exactly `columns` wide (at least 3), for 0 to 100 percent; other numbers are clamped.
std::string bar(int percent, std::size_t columns);

/// Guesses the remaining time of a task from how its progress moved while it was watched.
class EtaEstimator {
  public:
    /// @param at_seconds  When this was seen, on any clock that does not step.
    void observe(double at_seconds, int percent);
    /// Seconds from the last observation; nothing before the progress has moved for two seconds.
    std::optional<double> remaining() const;

  private:
    std::optional<double> first_at_;
    int first_percent_ = 0;
    double last_at_ = 0;
    int last_percent_ = 0;
    double moved_at_ = 0;
};

/// What one progress line shows.
struct ProgressView {
    std::string label;  ///< "rbd/delete rbd/vm-1"
    std::string state;  ///< "running", "queued: waits for …", "no answer, trying again"
    int percent = 0;
    double elapsed_s = 0;
    std::optional<double> eta_s{};
    std::size_t position = 1;  ///< Which of `total` tasks this is.
    std::size_t total = 1;
};

/// The line with a bar for a terminal that is so many columns wide; never wider than `columns`, no control characters.
std::string progress_bar_line(const ProgressView& view, std::size_t columns);

/// The line without a bar for files and pipes.
std::string progress_plain_line(const ProgressView& view);

/// State of a task in words, from the daemon's object: "queued", "running", "stalled", "done", "failed", with the
/// reason after a colon when there is one.
std::string state_text(const nlohmann::json& task);

/// "rbd/delete rbd/vm-1": name and subject, printable.
std::string task_label(const nlohmann::json& task);

/// What a failed task says, in one line without control characters; never empty.
std::string failure_text(const nlohmann::json& exception);

enum class Color { none, red, green, yellow, dim };

struct Cell {
    std::string text;
    Color color = Color::none;
    bool right = false;  ///< Right-aligned.
};

using Row = std::vector<Cell>;

/// Lines of equal columns, two spaces apart; the last column of a row is cut to fit `columns` (0: never cut). Escape
/// codes only if `color`. Every row must have as many cells as the first.
std::string table(const std::vector<Row>& rows, std::size_t columns, bool color);

/// The list of tasks as a table with a heading, or "No tasks." when there are none.
/// @param listing  The answer of `GET /api/task?detail=1`.
std::string task_table(const nlohmann::json& listing, std::size_t columns, bool color);

/// One "key: value" line for all that a task object has.
std::string task_details(const nlohmann::json& task, bool color);

/// The answer of `GET /api/summary` for people.
std::string summary_text(const nlohmann::json& summary, bool color);

}  // namespace taskd::cli
