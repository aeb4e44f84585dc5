#pragma once

#include "cli/render.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::cli {

/// What `ceph-task top` shows: how many tasks there are, those that execute with a bar and the time left, and what
/// ended last. Remembers from look to look how each task moved. Touches no terminal.
class TopScreen {
  public:
    /// @param listing     The answer of `GET /api/task?detail=1`.
    /// @param at_seconds  When it was asked for, on a clock that does not step.
    /// @returns At most `rows` lines without their ends, none wider than `columns`.
    std::vector<std::string> draw(const nlohmann::json& listing, double at_seconds, std::size_t columns,
                                  std::size_t rows);

  private:
    std::string executing_line(const nlohmann::json& task);

    std::map<std::string, EtaEstimator> moves_;  ///< By task id, of those that execute.
};

}  // namespace taskd::cli
