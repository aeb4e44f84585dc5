#include "ceph/journal_store.hpp"

#include "ceph/aio.hpp"
#include "ceph/error.hpp"

#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

constexpr const char* owner_key = "owner";
constexpr const char* description_key = "owner_description";
constexpr std::uint64_t keys_at_a_time = 1000;

struct ReleaseReadOp {
    using pointer = rados_read_op_t;
    void operator()(rados_read_op_t op) const noexcept { rados_release_read_op(op); }
};

/// A write operation with the texts that it points to.
class WriteOp {
  public:
    rados_write_op_t get() const noexcept { return op_.get(); }

    void require(const std::string& key, const std::string& value) {
        rados_write_op_omap_cmp2(op_.get(), key.c_str(), LIBRADOS_CMPXATTR_OP_EQ, value.data(), key.size(),
                                 value.size(), nullptr);
    }
    void set(const std::map<std::string, std::string>& values) {
        if (values.empty()) return;
        std::vector<const char*> keys;
        std::vector<const char*> texts;
        std::vector<std::size_t> key_sizes;
        std::vector<std::size_t> text_sizes;
        for (const auto& [key, text] : values) {
            keys.push_back(key.data());
            key_sizes.push_back(key.size());
            texts.push_back(text.data());
            text_sizes.push_back(text.size());
        }
        rados_write_op_omap_set2(op_.get(), keys.data(), texts.data(), key_sizes.data(), text_sizes.data(),
                                 keys.size());
    }
    void remove(const std::vector<std::string>& names) {
        if (names.empty()) return;
        std::vector<const char*> keys;
        std::vector<std::size_t> sizes;
        for (const auto& name : names) {
            keys.push_back(name.data());
            sizes.push_back(name.size());
        }
        rados_write_op_omap_rm_keys2(op_.get(), keys.data(), sizes.data(), keys.size());
    }

  private:
    WriteOperation op_{rados_create_write_op()};
};

}  // namespace

RadosJournalStore::RadosJournalStore(std::shared_ptr<Cluster> cluster, Ioctx io, std::string object)
    : cluster_(std::move(cluster)), io_(std::move(io)), object_(std::move(object)) {}

void RadosJournalStore::apply(JournalBatch batch, std::function<void(int rc)> done) {
    // librados copies keys and values into the operation, so only the operation itself must live until the end.
    const auto op = std::make_shared<WriteOp>();
    op->require(owner_key, batch.owner_token);
    for (const auto& key : batch.must_be_absent) op->require(key, {});
    op->set(batch.set);
    op->remove(batch.remove);
    start_aio(
        "write journal " + object_,
        [&](rados_completion_t completion) {
            return rados_aio_write_op_operate(op->get(), io_.handle(), completion, object_.c_str(), nullptr, 0);
        },
        [op, done = std::move(done)](int rc) { done(rc); });
}

void RadosJournalStore::claim(const std::string& expected_owner, const std::string& new_owner,
                              const std::string& description) {
    WriteOp op;
    op.require(owner_key, expected_owner);
    op.set({{owner_key, new_owner}, {description_key, description}});
    // The comparison needs the object; making it is harmless to whoever has it.
    const WriteOperation create(rados_create_write_op());
    rados_write_op_create(create.get(), LIBRADOS_CREATE_IDEMPOTENT, nullptr);
    if (const int rc = rados_write_op_operate(create.get(), io_.handle(), object_.c_str(), nullptr, 0); rc < 0)
        throw rados_error(rc, "create journal " + object_);
    const int rc = rados_write_op_operate(op.get(), io_.handle(), object_.c_str(), nullptr, 0);
    if (rc == -ECANCELED)
        throw Error(ErrorKind::conflict, ECANCELED, "rados",
                    "the journal " + object_ + " belongs to another ceph-taskd");
    if (rc < 0) throw rados_error(rc, "claim journal " + object_);
}

std::pair<std::string, std::string> RadosJournalStore::owner() {
    const auto found = read(owner_key);
    const auto value = [&](const char* key) {
        const auto entry = found.find(key);
        return entry == found.end() ? std::string() : entry->second;
    };
    return {value(owner_key), value(description_key)};
}

std::map<std::string, std::string> RadosJournalStore::read(const std::string& prefix) {
    std::map<std::string, std::string> found;
    std::string after;
    for (unsigned char more = 1; more != 0;) {
        const std::unique_ptr<void, ReleaseReadOp> op(rados_create_read_op());
        rados_omap_iter_t values = nullptr;
        int rc_values = 0;
        rados_read_op_omap_get_vals2(op.get(), after.c_str(), prefix.c_str(), keys_at_a_time, &values, &more,
                                     &rc_values);
        const int rc = rados_read_op_operate(op.get(), io_.handle(), object_.c_str(), 0);
        if (rc == -ENOENT) return found;
        if (rc < 0) throw rados_error(rc, "read journal " + object_);
        char* key = nullptr;
        char* value = nullptr;
        std::size_t key_size = 0;
        std::size_t value_size = 0;
        while (rados_omap_get_next2(values, &key, &value, &key_size, &value_size) == 0 && key != nullptr) {
            after.assign(key, key_size);
            found.emplace_hint(found.end(), after, std::string(value, value_size));
        }
        rados_omap_get_end(values);
    }
    return found;
}

}  // namespace taskd::ceph
