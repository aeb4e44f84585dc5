#include "cli/command_line.hpp"

#include <gmock/gmock.h>

namespace taskd::cli {
namespace {

LookAtImages look(const std::vector<std::string>& arguments) {
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    return std::get<LookAtImages>(parse_command_line(arguments, nothing).invocation);
}

TEST(ImageLookCommands, LsAsksForAllImagesOfThePoolWithoutUsage) {
    const auto ls = look({"rbd", "ls"});

    EXPECT_EQ(ls.target, "/api/block/image?limit=-1&pool_name=rbd&omit_usage=true");
    EXPECT_EQ(ls.version, "2.0");
    EXPECT_EQ(ls.what, LookAtImages::What::names);
    EXPECT_EQ(look({"rbd", "ls", "-l", "a b/ns"}).target, "/api/block/image?limit=-1&pool_name=a%20b&omit_usage=true");
    EXPECT_EQ(look({"rbd", "ls", "-l", "a b/ns"}).name_space, "ns");
    EXPECT_EQ(look({"rbd", "ls", "-p", "vms", "--namespace", "ns"}).name_space, "ns");
}

TEST(ImageLookCommands, OneImageIsNamedAsRbdNamesIt) {
    EXPECT_EQ(look({"rbd", "info", "vm"}).target, "/api/block/image/rbd%2Fvm?omit_usage=true");
    EXPECT_EQ(look({"rbd", "snap", "ls", "vms/ns/vm"}).target, "/api/block/image/vms%2Fns%2Fvm?omit_usage=true");
    EXPECT_EQ(look({"rbd", "du", "vms/vm"}).target, "/api/block/image/vms%2Fvm");
}

TEST(ImageLookCommands, DuOfNoImageIsOfThePool) {
    EXPECT_EQ(look({"rbd", "du", "-p", "vms"}).target, "/api/block/image?limit=-1&pool_name=vms");
}

TEST(ImageLookCommands, TrashAndNamespacesAreOfAPool) {
    EXPECT_EQ(look({"rbd", "trash", "ls", "vms"}).target, "/api/block/image/trash?pool_name=vms");
    EXPECT_EQ(look({"rbd", "namespace", "ls"}).target, "/api/block/pool/rbd/namespace");
}

TEST(ImageLookCommands, ContradictionsAreRefused) {
    EXPECT_THROW(look({"rbd", "ls", "a", "-p", "b"}), UsageError);
    EXPECT_THROW(look({"rbd", "ls", "a/b/c"}), UsageError);
}

}  // namespace
}  // namespace taskd::cli
