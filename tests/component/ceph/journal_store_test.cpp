#include "support/journal_store_contract.hpp"
#include "support/memory_journal_store.hpp"

namespace taskd::test {
namespace {

struct MemoryProvider {
    static std::shared_ptr<ceph::JournalStore> make() { return std::make_shared<MemoryJournalStore>(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JournalStoreContract, MemoryProvider);

}  // namespace
}  // namespace taskd::test
