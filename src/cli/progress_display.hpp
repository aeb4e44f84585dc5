#pragma once

#include "cli/render.hpp"
#include "cli/surroundings.hpp"

#include <optional>
#include <string>

#include <taskd/clock.hpp>

namespace taskd::cli {

/// Shows how far a task is: one line that is drawn again and again on a terminal, lines on change elsewhere.
class ProgressDisplay {
  public:
    ProgressDisplay(const Console& console, bool enabled);

    /// On a terminal draws at most ten times a second; elsewhere prints when the state changed or 5 % were made.
    void show(const ProgressView& view, SteadyTime now);
    /// Takes the line off the terminal, before anything else is printed.
    void clear();

  private:
    void show_line(const ProgressView& view, SteadyTime now);

    const Console& console_;
    bool enabled_;
    bool on_screen_ = false;
    std::optional<SteadyTime> drawn_at_;
    std::optional<ProgressView> printed_;
};

}  // namespace taskd::cli
