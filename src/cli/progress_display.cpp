#include "cli/progress_display.hpp"

#include <ostream>

namespace taskd::cli {

ProgressDisplay::ProgressDisplay(const Console& console, bool enabled) : console_(console), enabled_(enabled) {}

void ProgressDisplay::show(const ProgressView& view, SteadyTime now) {
    if (!enabled_) return;
    if (console_.err_is_terminal) return show_line(view, now);

    const bool same_task = printed_ && printed_->label == view.label && printed_->state == view.state;
    if (same_task && view.percent >= printed_->percent && view.percent < printed_->percent + 5) return;
    printed_ = view;
    console_.err << progress_plain_line(view) << '\n' << std::flush;
}

void ProgressDisplay::show_line(const ProgressView& view, SteadyTime now) {
    if (drawn_at_ && now - *drawn_at_ < std::chrono::milliseconds(100)) return;
    drawn_at_ = now;
    on_screen_ = true;
    // One column stays free: a terminal wraps when the last one is written.
    const std::size_t columns = console_.columns();
    console_.err << '\r' << progress_bar_line(view, columns > 1 ? columns - 1 : 1) << "\x1b[K" << std::flush;
}

void ProgressDisplay::clear() {
    if (!on_screen_) return;
    on_screen_ = false;
    drawn_at_.reset();
    console_.err << "\r\x1b[K" << std::flush;
}

}  // namespace taskd::cli
