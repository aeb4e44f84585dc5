#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::cli {

/// Tells from one list of tasks to the next what there is to say. Pure.
class ListFollower {
  public:
    struct News {
        std::vector<std::string> progress{};  ///< A line for every executing task whose state changed or that made 5 %.
        std::vector<std::string> ended{};     ///< A line for every task that was executing and is no more.
        std::string first_executing{};        ///< Id of one to wait for; empty when nothing executes or has an id.
        bool executing = false;               ///< Something executes.
    };

    /// @param listing  The answer of `GET /api/task?detail=1`.
    News take(const nlohmann::json& listing);

  private:
    struct Seen {
        std::string label;
        std::string state;
        int percent = 0;
    };
    std::map<std::string, Seen> executing_;
};

}  // namespace taskd::cli
