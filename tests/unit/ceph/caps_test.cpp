#include "ceph/caps.hpp"

#include "ceph/caps_check.hpp"

#include <cerrno>
#include <set>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = CommandTarget::Kind;
using Verdict = CapFinding::Verdict;

std::vector<std::string> all_roles() {
    std::vector<std::string> names;
    for (const auto& role : cap_roles()) names.emplace_back(role.name);
    return names;
}

Error refusal(int code) {
    return {ErrorKind::refused, code, "rados", "[errno " + std::to_string(code) + "] no (lock active)"};
}

TEST(Caps, AreOneCommandForAShell) {
    const auto command = auth_command("client.x", needed_caps({"front", "worker", "users"}, {"rbd", {}}));

    EXPECT_THAT(command,
                StartsWith("ceph auth get-or-create client.x \\\n    mon 'profile rbd, allow command \"mgr stat\", "));
    EXPECT_THAT(command, HasSubstr("with key prefix mgr/dashboard/, "));
    EXPECT_THAT(command, HasSubstr("mgr 'allow command \"progress json\"'"));
    EXPECT_THAT(command, HasSubstr("osd 'profile rbd'"));
    EXPECT_EQ(command.find("profile rbd,"), command.rfind("profile rbd,")) << "a cap of two roles comes once";
}

TEST(Caps, OfSomePoolsNameThemAndThatOfTheJournal) {
    const auto command = auth_command("client.x", needed_caps({"worker"}, {"state", {"a", "b"}}));

    EXPECT_THAT(command, HasSubstr("osd 'profile rbd pool=a, profile rbd pool=b, profile rbd pool=state'"));
}

TEST(Caps, OfRolesThatAreNotWantedAreLeftOut) {
    const auto command = auth_command("client.x", needed_caps({"front", "worker"}, {"rbd", {}}));

    EXPECT_THAT(command, Not(HasSubstr("osd pool")));
    EXPECT_THAT(command, Not(HasSubstr("config-key")));
}

TEST(Caps, OfAnUnknownRoleAreAMistake) {
    EXPECT_THROW(needed_caps({"front", "nobody"}, {"rbd", {}}), BadRequest);
}

TEST(Caps, AllHaveAReasonAndMonitorsAndMgrAProbe) {
    const auto caps = needed_caps(all_roles(), {"rbd", {}});
    std::set<std::string_view> roles;
    for (const auto& cap : caps) {
        roles.insert(cap.role);
        EXPECT_FALSE(cap.reason.empty()) << cap.grant;
        EXPECT_EQ(cap.probe.is_object(), cap.where != Kind::osd) << cap.grant;
    }
    EXPECT_EQ(roles.size(), cap_roles().size());
}

TEST(Caps, OfWhoChangesUsersAreNotTheDaemons) {
    for (const auto& role : cap_roles()) EXPECT_EQ(role.is_daemons, role.name != "user-admin") << role.name;
    EXPECT_THAT(auth_command("client.x", needed_caps({"own-users"}, {"rbd", {}})),
                HasSubstr("\"config-key set\" with key=ceph-taskd/jwt_token_block_list'"));
    EXPECT_THAT(
        auth_command("client.x", needed_caps({"user-admin"}, {"rbd", {}})),
        HasSubstr("\"config-key set\" with key prefix ceph-taskd/, profile rbd' \\\n    osd 'profile rbd pool=rbd'"));
}

TEST(CapsHint, NamesUserAndCapsBehindARefusal) {
    for (const int code : {EPERM, EACCES}) {
        const auto error = with_needed_caps(refusal(code), "client.x", "osd 'profile rbd pool=p'");
        EXPECT_THAT(error.what(), HasSubstr("(lock active): client.x needs the caps osd 'profile rbd pool=p'; "));
        EXPECT_EQ(error.errno_value(), code);
    }
}

TEST(CapsHint, LeavesOtherErrorsAlone) {
    EXPECT_STREQ(with_needed_caps(refusal(EBUSY), "client.x", "osd 'profile rbd'").what(), refusal(EBUSY).what());
}

TEST(OsdProfile, HasPoolAndNamespaceWhenTheyAreKnown) {
    EXPECT_EQ(osd_profile({}), "profile rbd");
    EXPECT_EQ(osd_profile("p"), "profile rbd pool=p");
    EXPECT_EQ(osd_profile("p", "n"), "profile rbd pool=p namespace=n");
}

CapFinding finding(Verdict verdict, const std::string& pool, const std::string& problem) {
    const Cap cap{"worker", Kind::osd, "profile rbd", "to change images", nullptr};
    return {cap, "front, worker", pool, verdict, problem};
}

TEST(CapsReport, TellsWhatIsMissingAndWhatIsNotKnown) {
    const CapsReport report{"client.x",
                            {finding(Verdict::held, "a", ""), finding(Verdict::missing, "b", ""),
                             finding(Verdict::unknown, "c", "no answer in time")}};

    const nlohmann::json missing{
        {"cap", "osd 'profile rbd pool=b'"}, {"roles", "front, worker"}, {"reason", "to change images"}};
    const nlohmann::json unknown{
        {"cap", "osd 'profile rbd pool=c'"}, {"roles", "front, worker"}, {"problem", "no answer in time"}};
    EXPECT_EQ(to_view(report), (nlohmann::json{{"user", "client.x"}, {"missing", {missing}}, {"unknown", {unknown}}}));
    EXPECT_FALSE(report.has_all());
    EXPECT_TRUE((CapsReport{"client.x", {finding(Verdict::held, "a", "")}}.has_all()));
}

}  // namespace
}  // namespace taskd::ceph
