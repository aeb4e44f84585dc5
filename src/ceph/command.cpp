#include "ceph/command.hpp"

#include "ceph/error.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

bool all_of(std::string_view text, int (*test)(int)) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [&](char c) { return test(static_cast<unsigned char>(c)) != 0; });
}

bool is_pgid(std::string_view text) {
    const auto dot = text.find('.');
    return dot != std::string_view::npos && all_of(text.substr(0, dot), &std::isdigit) &&
           all_of(text.substr(dot + 1), &std::isxdigit);
}

bool is_monitor_name(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    });
}

std::string without_trailing_newline(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

}  // namespace

CommandTarget CommandTarget::parse(std::string_view text) {
    if (text == "mon") return {Kind::mon, ""};
    if (text == "mgr") return {Kind::mgr, ""};
    const std::string rest(text.substr(std::min<std::size_t>(4, text.size())));
    if (text.starts_with("mon.") && is_monitor_name(rest)) return {Kind::mon, rest};
    if (text.starts_with("osd.") && rest.size() <= 9 && all_of(rest, &std::isdigit)) return {Kind::osd, rest};
    if ((text.starts_with("pg ") || text.starts_with("pg.")) && is_pgid(text.substr(3)))
        return {Kind::pg, std::string(text.substr(3))};
    throw BadRequest("target", "expected mon, mon.NAME, mgr, osd.NUMBER or 'pg PGID'");
}

std::string CommandTarget::text() const {
    if (id.empty()) return component();
    return component() + (kind == Kind::pg ? " " : ".") + id;
}

std::string CommandTarget::component() const {
    switch (kind) {
        case Kind::mon:
            return "mon";
        case Kind::mgr:
            return "mgr";
        case Kind::osd:
            return "osd";
        case Kind::pg:
            return "pg";
    }
    return "mon";
}

nlohmann::json to_view(const CommandResult& result, const nlohmann::json& command, std::size_t most) {
    nlohmann::json view{{"return_code", result.return_code},
                        {"status", without_trailing_newline(valid_utf8(cut_utf8(result.status, most)))}};
    const std::string text = valid_utf8(cut_utf8(result.output, most));
    const bool truncated = result.output.size() > most;
    const bool asked_for_json = command.is_object() && command.contains("format") && command["format"].is_string() &&
                                command["format"].get_ref<const std::string&>().starts_with("json");
    auto parsed = truncated ? std::nullopt : parse_output(text, asked_for_json);
    view["output_format"] = parsed ? "json" : "text";
    view["output"] = parsed ? std::move(*parsed) : nlohmann::json(text);
    if (truncated) {
        view["truncated"] = true;
        view["output_size"] = result.output.size();
    }
    return view;
}

std::string prefix_of(const nlohmann::json& command) {
    if (!command.is_object()) return "?";
    const auto prefix = command.find("prefix");
    if (prefix == command.end() || !prefix->is_string()) return "?";
    return valid_utf8(cut_utf8(prefix->get_ref<const std::string&>(), 200));
}

Error command_error(int return_code, std::string_view status, const CommandTarget& target,
                    const nlohmann::json& command, nlohmann::json extra) {
    const int code = std::abs(return_code);
    const std::string said = without_trailing_newline(valid_utf8(cut_utf8(status, default_output_cap)));
    return Error(code == ECANCELED ? ErrorKind::cancelled : ErrorKind::refused, code, target.component(),
                 "[errno " + std::to_string(code) + "] " + (said.empty() ? rados_error_text(return_code) : said) +
                     " (" + target.text() + " command '" + prefix_of(command) + "')",
                 std::move(extra));
}

}  // namespace taskd::ceph
