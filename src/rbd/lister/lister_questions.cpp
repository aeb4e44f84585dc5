#include "ceph/command_sender.hpp"
#include "rbd/lister/lister_impl.hpp"
#include "rbd/removal_by_trash.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>
#include <rbd/librbd.h>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// A question about the namespaces of pools, on its way.
template <class Value>
struct Question {
    Lister::Impl& lister;
    std::string pool;
    Answered<Value> done;
    Lister::Impl::Pools pools{};
    Value value{};
    int rc = 0;
};

/// Tells what was found, unless the one pool did not.
template <class Value>
void answer(const std::shared_ptr<Question<Value>>& question) {
    if (question->rc < 0) return question->done({{}, question->lister.error_of(question->pool, question->rc)});
    question->done({std::move(question->value)});
}

// ---- trash

using Trash = std::vector<TrashAnswer>;
using TrashPointer = std::shared_ptr<Question<Trash>>;

/// What a pool has in its trash, namespace by namespace.
struct PoolTrash {
    PoolTrash(TrashPointer of, std::shared_ptr<const Pool> where, std::size_t at, std::shared_ptr<void> whole)
        : until(std::move(whole)), question(std::move(of)), pool(std::move(where)), place(at) {}
    ~PoolTrash();
    PoolTrash(const PoolTrash&) = delete;
    PoolTrash& operator=(const PoolTrash&) = delete;

    const std::shared_ptr<void> until;  ///< Of the whole answer.
    const TrashPointer question;
    const std::shared_ptr<const Pool> pool;
    const std::size_t place;  ///< In the answer.
    std::map<std::string, std::shared_ptr<const DirectoryIndex::Trash>> found;
    int rc = 0;
};

void add_entries(TrashAnswer& answer, const std::string& ns, const DirectoryIndex::Trash& trash) {
    for (const auto& [id, entry] : trash)
        if (!is_being_removed(entry))
            answer.entries.push_back({ns, id, entry.name, entry.source, entry.deleted, entry.deferred_until});
}

PoolTrash::~PoolTrash() {
    auto& answer = question->value[place];
    if (rc < 0) {
        answer.error = -rc;
        answer.problem = question->lister.problem_of(pool->name(), rc);
    }
    for (const auto& [ns, trash] : found)
        if (!ns.empty() && trash) add_entries(answer, ns, *trash);
    if (const auto& unnamed = found[""]) add_entries(answer, "", *unnamed);
}

void read_trash(const std::shared_ptr<PoolTrash>& trash, const std::string& ns) {
    trash->question->lister.index.trash(*trash->pool, ns, [trash, ns](int rc, auto content) {
        if (rc < 0) trash->rc = rc;
        trash->found[ns] = std::move(content);
    });
}

void read_pool_trash(const TrashPointer& question, const std::shared_ptr<const Pool>& pool,
                     const std::shared_ptr<void>& until) {
    question->value.push_back({pool->name(), {}, 0, {}});
    const auto trash = std::make_shared<PoolTrash>(question, pool, question->value.size() - 1, until);
    read_trash(trash, "");
    question->lister.index.namespaces(*pool, [trash](int rc, const std::vector<std::string>& namespaces) {
        if (rc < 0) trash->rc = rc;
        for (const auto& ns : namespaces) read_trash(trash, ns);
    });
}

// ---- namespaces

using Namespaces = std::vector<NamespaceAnswer>;

void count_images(const std::shared_ptr<Question<Namespaces>>& question, const std::shared_ptr<const Pool>& pool,
                  const std::vector<std::string>& namespaces) {
    const auto until = when_released([question] { answer(question); });
    for (const auto& ns : namespaces) question->value.push_back({ns, 0});
    for (std::size_t at = 0; at < namespaces.size(); ++at) {
        const auto& ns = namespaces[at];
        question->lister.index.names(*pool, ns, [question, until, at](int rc, const auto& names) {
            if (rc < 0) question->rc = rc;
            if (names) question->value[at].images += names->size();
        });
        question->lister.index.trash(*pool, ns, [question, until, at](int rc, const auto& trash) {
            if (rc < 0) question->rc = rc;
            if (!trash) return;
            for (const auto& [id, entry] : *trash)
                if (is_being_removed(entry)) ++question->value[at].images;
        });
    }
}

// ---- schedules of mirror snapshots

/// What is not of the form expected counts as absent.
Outcome<NextSnapshots> next_snapshots_of(const ceph::CommandAnswer& answer) {
    if (answer.error) return {{}, answer.error};
    NextSnapshots schedules;
    const auto told = nlohmann::json::parse(answer.result.output, nullptr, false);
    const auto images = told.is_object() ? told.find("scheduled_images") : told.end();
    if (images == told.end() || !images->is_array()) return {};
    for (const auto& image : *images)
        if (image.is_object() && image.contains("image") && image["image"].is_string())
            schedules[image["image"].get<std::string>()] = image;
    return {std::move(schedules)};
}

// ---- mirroring

std::optional<std::vector<MirrorPeer>> decode_peers(std::string_view bytes) {
    constexpr std::size_t smallest_peer = 6 + 3 * 4 + 8;
    wire::Decoder decoder(bytes);
    std::vector<MirrorPeer> peers(decoder.count(smallest_peer));
    for (auto& peer : peers) {
        auto [version, content] = decoder.enclosed(2);
        peer.uuid = content.text();
        peer.site_name = content.text();
        peer.client_name = content.text();
        content.i64();  // a pool, never used
        if (version >= 2) {
            peer.direction = content.u8();
            peer.mirror_uuid = content.text();
        }
        if (!content.ok()) return std::nullopt;
    }
    if (!decoder.ok()) return std::nullopt;
    return peers;
}

void read_mirroring_of(const std::shared_ptr<Question<MirroringAnswer>>& question, const Pool& pool) {
    question->value.pool_id = pool.id();
    ReadOp op;
    op.exec("mirror_mode_get");
    op.exec("mirror_peer_list");
    question->lister.reader.read(pool.io(""), "rbd_mirroring", std::move(op), [question](ReadOp& answered) {
        if (answered.rc() < 0 && answered.rc() != -ENOENT) {
            question->rc = answered.rc();
            return answer(question);
        }
        wire::Decoder mode(answered.answer(0));
        question->value.mode = mode.u32();
        question->value.peers = decode_peers(answered.answer(1)).value_or(std::vector<MirrorPeer>{});
        answer(question);
    });
}

// ---- clients

/// The later of the two releases that an OSD map names.
Outcome<std::string> oldest_client_of(const ceph::CommandAnswer& answer) {
    if (answer.error) return {{}, answer.error};
    const auto map = nlohmann::json::parse(answer.result.output, nullptr, false);
    if (answer.result.return_code < 0 || !map.is_object())
        return {{},
                std::make_exception_ptr(
                    Error(ErrorKind::unavailable, EAGAIN, "mon", "[errno 11] the monitors do not tell the OSD map"))};
    const auto release = [&map](const char* name) {
        const auto found = map.find(name);
        return found != map.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    return {std::max(release("min_compat_client"), release("require_min_compat_client"))};
}

/// Makes a question, and asks it when the pools are known.
template <class Value>
void ask(Lister::Impl& lister, const std::string& pool, const Answered<Value>& answered,
         std::function<void(const std::shared_ptr<Question<Value>>&)> then) {
    const auto question = std::make_shared<Question<Value>>(Question<Value>{lister, pool, answered});
    lister.with_pools(
        [question, then = std::move(then)](const Lister::Impl::Pools& pools, const std::exception_ptr& error) {
            if (error) return question->done({{}, error});
            question->pools = pools;
            if (!question->pool.empty() && !pools->find(question->pool))
                return question->done({{}, question->lister.error_of(question->pool, -ENOENT)});
            then(question);
        });
}

}  // namespace

void Lister::oldest_client(Answered<std::string> done) {
    impl_->sender.send({}, {{"prefix", "osd dump"}, {"format", "json"}}, {},
                       [done = std::move(done)](const ceph::CommandAnswer& answer) { done(oldest_client_of(answer)); });
}

void Lister::trash(std::string pool, Answered<Trash> done) {
    impl_->take<Trash>(std::move(done), [impl = impl_.get(), pool = std::move(pool)](const Answered<Trash>& answered) {
        ask<Trash>(*impl, pool, answered, [](const TrashPointer& question) {
            const auto until = when_released([question] { answer(question); });
            for (const auto& [id, each] : question->pools->all())
                if (question->pool.empty() ? each->is_for_images() : each->name() == question->pool)
                    read_pool_trash(question, each, until);
        });
    });
}

void Lister::namespaces(std::string pool, Answered<Namespaces> done) {
    impl_->take<Namespaces>(
        std::move(done), [impl = impl_.get(), pool = std::move(pool)](const Answered<Namespaces>& answered) {
            ask<Namespaces>(*impl, pool, answered, [](const std::shared_ptr<Question<Namespaces>>& question) {
                const auto where = question->pools->find(question->pool);
                question->lister.index.namespaces(*where, [question, where](int rc, const auto& found) {
                    question->rc = rc;
                    count_images(question, where, found);
                });
            });
        });
}

void Lister::next_snapshots(Answered<NextSnapshots> done) {
    // Of all images, as the dashboard asks: of one, the mgr would open it.
    impl_->sender.send(
        {ceph::CommandTarget::Kind::mgr, {}}, {{"prefix", "rbd mirror snapshot schedule status"}, {"level_spec", ""}},
        {}, [done = std::move(done)](const ceph::CommandAnswer& answer) { done(next_snapshots_of(answer)); });
}

void Lister::mirroring(std::string pool, Answered<MirroringAnswer> done) {
    impl_->take<MirroringAnswer>(
        std::move(done), [impl = impl_.get(), pool = std::move(pool)](const Answered<MirroringAnswer>& answered) {
            ask<MirroringAnswer>(*impl, pool, answered, [](const std::shared_ptr<Question<MirroringAnswer>>& question) {
                read_mirroring_of(question, *question->pools->find(question->pool));
            });
        });
}

void Lister::image_pools(Answered<std::vector<std::string>> done) {
    using Names = std::vector<std::string>;
    impl_->take<Names>(std::move(done), [impl = impl_.get()](const Answered<Names>& answered) {
        ask<Names>(*impl, "", answered, [](const std::shared_ptr<Question<Names>>& question) {
            for (const auto& [id, pool] : question->pools->all())
                if (pool->is_for_images()) question->value.push_back(pool->name());
            answer(question);
        });
    });
}

}  // namespace taskd::rbd
