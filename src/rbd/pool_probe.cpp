#include "rbd/pool_probe.hpp"

#include "ceph/aio.hpp"
#include "ceph/cluster.hpp"
#include "core/mutex.hpp"
#include "rbd/image_spec.hpp"

#include <condition_variable>
#include <ctime>
#include <memory>
#include <string_view>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// A healthy placement group answers in milliseconds, one that is re-peering in a second or two.
constexpr auto answers_within = std::chrono::seconds(5);

/// One question to a pool, with what librados points to until it is answered.
struct Question {
    explicit Question(ceph::Ioctx pool) : io(std::move(pool)) {}
    ceph::Ioctx io;
    std::uint64_t size = 0;
    std::time_t modified = 0;
};

/// Shared with the completions, which may come long after the asker has gone.
struct Answers {
    Mutex mutex;
    std::condition_variable_any changed;
    std::size_t awaited TASKD_GUARDED_BY(mutex) = 0;
    std::vector<bool> given TASKD_GUARDED_BY(mutex);
};

void note(Answers& answers, std::size_t number) {
    const MutexLock lock(answers.mutex);
    answers.given[number] = true;
    --answers.awaited;
    answers.changed.notify_all();
}

void ask(const std::shared_ptr<Answers>& answers, std::size_t number, const ceph::Cluster& cluster,
         const std::string& pool, const std::string& ns, const std::string& object) {
    try {
        const auto question = std::make_shared<Question>(cluster.open_ioctx(pool, ns));
        ceph::start_aio(
            "look at pool " + pool,
            [&](rados_completion_t completion) {
                return rados_aio_stat(question->io.handle(), object.c_str(), completion, &question->size,
                                      &question->modified);
            },
            [answers, question, number](int) { note(*answers, number); });
    } catch (const Error&) {
        note(*answers, number);  // deleted meanwhile: whoever needs it gets an answer
    }
}

std::string sentence(const std::vector<std::string>& pools) {
    if (pools.empty()) return {};
    std::string names;
    for (const auto& pool : pools) names.append(names.empty() ? "'" : ", '").append(shown(pool)).append("'");
    return (pools.size() > 1 ? "pools " : "pool ") + names + (pools.size() > 1 ? " do" : " does") +
           " not answer: placement groups are not active, see `ceph pg dump_stuck`";
}

}  // namespace

std::vector<std::string> all_pools(const ceph::Cluster& cluster) {
    std::vector<char> names(4096);
    for (;;) {
        const int size = rados_pool_list(cluster.handle(), names.data(), names.size());
        if (size < 0) return {};
        if (static_cast<std::size_t>(size) <= names.size()) break;
        names.resize(static_cast<std::size_t>(size));
    }
    std::vector<std::string> result;
    for (const char* name = names.data(); *name != '\0'; name += result.back().size() + 1) result.emplace_back(name);
    return result;
}

std::vector<std::string> silent_pools(const ceph::Cluster& cluster, const std::vector<std::string>& pools,
                                      const std::string& ns, const std::string& object,
                                      std::chrono::milliseconds bound) {
    const auto names = pools.empty() ? all_pools(cluster) : pools;
    const auto answers = std::make_shared<Answers>();
    {
        const MutexLock lock(answers->mutex);
        answers->awaited = names.size();
        answers->given.resize(names.size());
    }
    for (std::size_t i = 0; i < names.size(); ++i) ask(answers, i, cluster, names[i], ns, object);

    const auto end = std::chrono::steady_clock::now() + bound;
    const MutexLock lock(answers->mutex);
    while (answers->awaited > 0)
        if (answers->changed.wait_until(answers->mutex, end) == std::cv_status::timeout) break;
    std::vector<std::string> silent;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!answers->given[i]) silent.push_back(names[i]);
    return silent;
}

std::string why_no_children(const ceph::Cluster& cluster, const std::string& ns) {
    return sentence(silent_pools(cluster, {}, ns, "rbd_children", answers_within));
}

std::string why_no_images(const ceph::Cluster& cluster, const std::string& pool, const std::string& ns) {
    return sentence(silent_pools(cluster, {pool}, ns, "rbd_trash", answers_within));
}

std::string why_no_data(const ceph::Cluster& cluster, const std::string& pool) {
    return sentence(silent_pools(cluster, {pool}, "", "rbd_info", answers_within));
}

}  // namespace taskd::rbd
