#include "ceph/command.hpp"
#include "ceph/command_table.hpp"
#include "ceph/command_words.hpp"
#include "core/utf8.hpp"
#include "fuzz/fuzzer.hpp"
#include "unit/ceph/recorded_descriptions.hpp"

#include <string>
#include <vector>

#include <taskd/error.hpp>

/// A command as JSON or as words, a daemon's target, what a daemon answers, what it says of its commands.
namespace taskd::fuzz {
namespace {

using nlohmann::json;

const ceph::CommandTable& table() {
    static const auto monitors = ceph::CommandTable::parse(test::mon_descriptions);
    return monitors;
}

void require_sendable(const json& command) {
    require(table().check(command) == command, "what may be sent is normal", command.dump());
    require(table().knows(command.at("prefix").get<std::string>()), "only known commands are sent");
}

void try_command(std::string_view input) {
    const auto command = json::parse(input, nullptr, false);
    if (command.is_discarded()) return;
    (void)ceph::prefix_of(command);
    try {
        require_sendable(table().check(command));
    } catch (const BadRequest&) {
        return;
    }
}

void try_words(std::string_view input) {
    std::vector<std::string> words(1);
    for (const char c : input) {
        if (c == ' ')
            words.emplace_back();
        else
            words.back() += c;
    }
    try {
        require_sendable(table().check(ceph::command_from_words(words, table())));
    } catch (const BadRequest&) {
        return;
    }
}

void try_target(std::string_view input) {
    try {
        const auto target = ceph::CommandTarget::parse(input);
        require(ceph::CommandTarget::parse(target.text()) == target, "a target that is written and read is the same");
        if (target.kind == ceph::CommandTarget::Kind::osd) (void)target.osd();
    } catch (const BadRequest&) {
        return;
    }
}

void try_answer(std::string_view input) {
    constexpr std::size_t most = 256;
    for (const auto* format : {"json", "plain"}) {
        const json command{{"prefix", "x"}, {"format", format}};
        const auto view = ceph::to_view({0, std::string(input), std::string(input)}, command, most);
        require(is_valid_utf8(view.dump()), "an answer can be told in JSON");
        require(view.at("output_format") == "text" || input.size() <= most, "what was cut is text");
    }
    const auto error = ceph::command_error(-22, input, {}, {{"prefix", input}}, nullptr);
    require(is_valid_utf8(error.what()), "an error can be told in JSON");
}

void try_descriptions(std::string_view input) {
    try {
        const auto parsed = ceph::CommandTable::parse(input);
        for (const std::string prefix : {"", "a", "a b"}) (void)parsed.permission(prefix);
        (void)parsed.check({{"prefix", "a"}, {"b", 1}});
    } catch (const Error&) {
        return;  // BadRequest among them
    }
}

}  // namespace

void try_input(std::string_view input) {
    try_command(input);
    try_words(input);
    try_target(input);
    try_answer(input);
    try_descriptions(input);
}

}  // namespace taskd::fuzz
