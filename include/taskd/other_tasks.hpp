#pragma once

#include <string_view>
#include <vector>

#include <taskd/clock.hpp>

namespace taskd {

/// A task that somebody else runs, to be listed among a manager's own. Its texts are the caller's, and are not kept.
struct OtherTask {
    std::string_view name;
    std::string_view identity;  ///< `identity_of` its metadata (identity.hpp); empty: it is like none of the manager's.
    WallTime begin_time;
    WallTime end_time;         ///< Of one that has finished.
    bool may_be_ours = false;  ///< Left out when a finished task of the manager's with that name and identity was under
                               ///< way at the same time: it is the same work, told by another.
    std::string_view text;     ///< As the list shows it.
};

/// Newest first: executing by begin, finished by end.
struct OtherTasks {
    std::vector<OtherTask> executing;  ///< Left out where the manager executes that name and identity itself.
    std::vector<OtherTask> finished;
};

}  // namespace taskd
