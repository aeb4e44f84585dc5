#pragma once

#include "ceph/journal_store.hpp"

#include <cerrno>
#include <future>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::test {

/// What every JournalStore promises; `Provider::make()` gives a `std::shared_ptr<ceph::JournalStore>` of its own place,
/// in which nothing is yet.
template <class Provider>
class JournalStoreContract : public ::testing::Test {
  protected:
    /// Applies a batch and waits for its answer.
    int apply(ceph::JournalBatch batch) {
        auto answer = std::make_shared<std::promise<int>>();
        auto result = answer->get_future();
        store->apply(std::move(batch), [answer](int rc) { answer->set_value(rc); });
        return result.get();
    }
    static ceph::JournalBatch setting(std::string token, std::map<std::string, std::string> values) {
        return {std::move(token), std::move(values), {}, {}};
    }

    Provider provider;
    std::shared_ptr<ceph::JournalStore> store = provider.make();
};
TYPED_TEST_SUITE_P(JournalStoreContract);

TYPED_TEST_P(JournalStoreContract, IsNobodysAndEmptyAtFirst) {
    EXPECT_EQ(this->store->owner(), std::make_pair(std::string(), std::string()));
    EXPECT_TRUE(this->store->read("t.").empty());
}

TYPED_TEST_P(JournalStoreContract, BelongsToWhomClaimsIt) {
    this->store->claim("", "first", "it is me");

    EXPECT_EQ(this->store->owner(), std::make_pair(std::string("first"), std::string("it is me")));
}

TYPED_TEST_P(JournalStoreContract, CannotBeClaimedFromWhoDoesNotHaveIt) {
    this->store->claim("", "first", "it is me");

    try {
        this->store->claim("somebody", "second", "it is I");
        FAIL() << "claimed";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::conflict);
    }
    EXPECT_EQ(this->store->owner().first, "first");
}

TYPED_TEST_P(JournalStoreContract, RefusesTheBatchOfAFormerOwner) {
    this->store->claim("", "first", "");
    this->store->claim("first", "second", "");

    EXPECT_EQ(this->apply(this->setting("first", {{"t.1", "late"}})), -ECANCELED);
    EXPECT_TRUE(this->store->read("t.").empty());
}

TYPED_TEST_P(JournalStoreContract, InsertsOnlyWhatIsAbsentAndThenAllOrNothing) {
    this->store->claim("", "me", "");
    ASSERT_EQ(this->apply({"me", {{"t.1", "one"}}, {"t.1"}, {}}), 0);

    EXPECT_EQ(this->apply({"me", {{"t.1", "other"}, {"t.2", "two"}}, {"t.1", "t.2"}, {}}), -ECANCELED);
    EXPECT_THAT(this->store->read("t."), ::testing::ElementsAre(::testing::Pair("t.1", "one")));
}

TYPED_TEST_P(JournalStoreContract, ReplacesWhatNeedNotBeAbsent) {
    this->store->claim("", "me", "");
    ASSERT_EQ(this->apply(this->setting("me", {{"t.1", "one"}})), 0);
    ASSERT_EQ(this->apply(this->setting("me", {{"t.1", "again"}})), 0);

    EXPECT_THAT(this->store->read("t."), ::testing::ElementsAre(::testing::Pair("t.1", "again")));
}

TYPED_TEST_P(JournalStoreContract, SetsBeforeItRemoves) {
    this->store->claim("", "me", "");

    ASSERT_EQ(this->apply({"me", {{"t.1", "one"}, {"f.1", "end"}}, {}, {"t.1"}}), 0);
    EXPECT_TRUE(this->store->read("t.").empty());
    EXPECT_THAT(this->store->read("f."), ::testing::ElementsAre(::testing::Pair("f.1", "end")));
}

TYPED_TEST_P(JournalStoreContract, RemovesWhatIsNotThere) {
    this->store->claim("", "me", "");

    EXPECT_EQ(this->apply({"me", {}, {}, {"t.nothing"}}), 0);
}

TYPED_TEST_P(JournalStoreContract, KeepsValuesByteForByte) {
    const std::string value("a\0b\nü", 6);
    this->store->claim("", "me", "");
    ASSERT_EQ(this->apply(this->setting("me", {{"t.1", value}})), 0);

    EXPECT_EQ(this->store->read("t.").at("t.1"), value);
}

TYPED_TEST_P(JournalStoreContract, ReadsMoreThanAnOsdGivesAtOnce) {
    constexpr int count = 2500;
    this->store->claim("", "me", "");
    for (int first = 0; first < count; first += 500) {
        std::map<std::string, std::string> values;
        for (int n = first; n < first + 500; ++n) values["f." + std::to_string(10000 + n)] = std::to_string(n);
        ASSERT_EQ(this->apply(this->setting("me", std::move(values))), 0);
    }
    ASSERT_EQ(this->apply(this->setting("me", {{"e.before", ""}, {"g.after", ""}})), 0);

    const auto found = this->store->read("f.");
    EXPECT_EQ(found.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(found.at("f.12499"), "2499");
}

REGISTER_TYPED_TEST_SUITE_P(JournalStoreContract, IsNobodysAndEmptyAtFirst, BelongsToWhomClaimsIt,
                            CannotBeClaimedFromWhoDoesNotHaveIt, RefusesTheBatchOfAFormerOwner,
                            InsertsOnlyWhatIsAbsentAndThenAllOrNothing, ReplacesWhatNeedNotBeAbsent,
                            SetsBeforeItRemoves, RemovesWhatIsNotThere, KeepsValuesByteForByte,
                            ReadsMoreThanAnOsdGivesAtOnce);

}  // namespace taskd::test
