#include "daemon/restored_list.hpp"

#include <algorithm>

#include <taskd/error.hpp>

namespace taskd::daemon {

std::vector<ceph::FinishedRecord> still_listed(const std::vector<ceph::KeptTask>& kept, const Retention& retention,
                                               WallTime now) {
    const auto oldest = format_utc(now - std::chrono::duration_cast<WallTime::duration>(retention.ttl));
    std::vector<ceph::FinishedRecord> listed;
    for (auto task = kept.rbegin(); task != kept.rend() && listed.size() < retention.most_listed; ++task) {
        if (listed.size() >= retention.keep && task->end_time < oldest) break;
        try {
            listed.push_back({task->id, task->view()});
        } catch (const BadRequest&) {
            continue;  // who reads the history tells of it
        }
    }
    std::reverse(listed.begin(), listed.end());
    return listed;
}

}  // namespace taskd::daemon
