#include "cli/render.hpp"

#include "cli/target.hpp"
#include "cli/task_numbers.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

std::string text_member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

bool is_finished(const json& task) {
    return text_member(task, "state") == "finished" || task.contains("success");
}

bool succeeded(const json& task) {
    const auto success = task.find("success");
    return success != task.end() && success->is_boolean() && success->get<bool>();
}

/// A JSON value in one line for people: text as it is, everything else as JSON.
std::string flat(const json& value) {
    if (value.is_string()) return printable(value.get_ref<const std::string&>());
    return printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string percent_text(int percent) {
    return std::to_string(std::clamp(percent, 0, 100)) + "%";
}

std::string_view escape(Color color) {
    switch (color) {
        case Color::none:
            return "";
        case Color::red:
            return "\x1b[31m";
        case Color::green:
            return "\x1b[32m";
        case Color::yellow:
            return "\x1b[33m";
        case Color::dim:
            return "\x1b[2m";
    }
    return "";
}

std::string colored(const std::string& text, Color color, bool enabled) {
    if (!enabled || color == Color::none) return text;
    return std::string(escape(color)) + text + "\x1b[0m";
}

Color state_color(const json& task) {
    if (is_finished(task)) return succeeded(task) ? Color::green : Color::red;
    return text_member(task, "stalled_since").empty() ? Color::none : Color::yellow;
}

/// "2026-11-25T01:31:34.380289Z" without what nobody reads: "2026-11-25 01:31:34Z".
std::string short_time(const std::string& time) {
    if (time.size() < 20 || time[10] != 'T') return printable(time);
    return printable(time.substr(0, 10) + " " + time.substr(11, 8) + "Z");
}

/// "a free slot, place 3 in line"; empty when it does not wait.
std::string waiting_text(const json& task) {
    std::string reason = printable(text_member(task, "waiting_for"));
    const auto position = count_member(task, "queue_position");
    if (position == 0) return reason;
    return reason + (reason.empty() ? "" : ", ") + "place " + std::to_string(position) + " in line";
}

std::string note(const json& task) {
    if (is_finished(task)) {
        const auto exception = task.find("exception");
        return succeeded(task) || exception == task.end() ? std::string() : failure_text(*exception);
    }
    return waiting_text(task);
}

Row task_row(const json& task) {
    const std::string state = state_text(task);
    return {{text_member(task, "id").empty() ? "-" : printable(text_member(task, "id"))},
            {state.substr(0, state.find(':')), state_color(task)},
            {percent_text(progress_of(task)), Color::none, true},
            {task.contains("duration") ? format_duration(number_member(task, "duration")) : "", Color::none, true},
            {printable(text_member(task, "name"))},
            {printable(task_subject(task.value("metadata", json())))},
            {short_time(text_member(task, "begin_time"))},
            {note(task), is_finished(task) ? Color::red : Color::dim}};
}

std::string head_of(const ProgressView& view) {
    std::string head =
        view.total > 1 ? "(" + std::to_string(view.position) + "/" + std::to_string(view.total) + ") " : "";
    return head + printable(view.label);
}

}  // namespace

std::string progress_bar_line(const ProgressView& view, std::size_t columns) {
    constexpr std::size_t widest_bar = 40, narrowest_bar = 10;
    const std::string percent = percent_text(view.percent);
    std::string numbers = std::string(4 - std::min<std::size_t>(4, percent.size()), ' ') + percent + "  " +
                          format_duration(view.elapsed_s);
    if (view.eta_s) numbers += "  ETA " + format_duration(*view.eta_s);
    const std::string state = "  " + printable(view.state);

    // The bar gives way first, then the state, then the label; a terminal of 20 columns still shows the numbers.
    std::string head = head_of(view);
    const std::size_t numbers_width = display_width(numbers) + 1;
    const std::size_t label_room =
        columns > numbers_width + narrowest_bar + 1 ? columns - numbers_width - narrowest_bar - 1 : 0;
    head = truncated(head, std::max<std::size_t>(label_room, std::min<std::size_t>(columns / 3, 12)));
    const std::size_t used = display_width(head) + 1 + numbers_width;
    const std::size_t left = columns > used ? columns - used : 0;
    const std::size_t for_state = std::min(display_width(state), left > narrowest_bar ? left - narrowest_bar : 0);
    const std::size_t for_bar = std::min(widest_bar, left - for_state);
    std::string line = head + " ";
    if (for_bar >= narrowest_bar) line += bar(view.percent, for_bar) + " ";
    line += numbers;
    if (for_state > 4) line += truncated(state, for_state);
    return truncated(line, columns);
}

std::string progress_plain_line(const ProgressView& view) {
    return head_of(view) + ": " + percent_text(view.percent) + ", " + printable(view.state) + ", " +
           format_duration(view.elapsed_s);
}

std::string state_text(const json& task) {
    if (is_finished(task)) return succeeded(task) ? "done" : "failed";
    const std::string reason = waiting_text(task);
    std::string state = text_member(task, "state");
    if (state.empty()) state = "running";
    if (!text_member(task, "stalled_since").empty()) state = "stalled";
    return printable(state) + (reason.empty() ? "" : ": " + reason);
}

std::string task_label(const json& task) {
    const std::string subject = task_subject(task.value("metadata", json()));
    return printable(text_member(task, "name") + (subject.empty() ? "" : " " + subject));
}

std::string failure_text(const json& exception) {
    if (exception.is_object()) {
        std::string detail = printable(text_member(exception, "detail"));
        if (!detail.empty()) return detail;
    }
    if (exception.is_null() || (exception.is_object() && exception.empty()))
        return "the task failed without saying why";
    return flat(exception);
}

std::string table(const std::vector<Row>& rows, std::size_t columns, bool color) {
    if (rows.empty()) return {};
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
    }
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        std::size_t position = 0,
                    pending = 0;  // pending: blanks owed before the next text, so that no line ends in blanks
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string cell = row[i].text;
            if (i + 1 == row.size() && columns > 0) cell = truncated(cell, columns > position ? columns - position : 0);
            const std::size_t blanks = widths[i] - std::min(widths[i], display_width(cell));
            if (!cell.empty()) {
                line.append(pending + (row[i].right ? blanks : 0), ' ').append(colored(cell, row[i].color, color));
                pending = row[i].right ? 0 : blanks;
            } else {
                pending += widths[i];
            }
            pending += 2;
            position += widths[i] + 2;
        }
        text += line + "\n";
    }
    return text;
}

std::string task_table(const json& listing, std::size_t columns, bool color) {
    std::vector<Row> rows{{{"ID"},
                           {"STATE"},
                           {"DONE", Color::none, true},
                           {"TOOK", Color::none, true},
                           {"NAME"},
                           {"SUBJECT"},
                           {"BEGAN"},
                           {"NOTE"}}};
    for (const char* key : {"executing_tasks", "finished_tasks"}) {
        const auto tasks = listing.find(key);
        if (tasks == listing.end() || !tasks->is_array()) continue;
        for (const json& task : *tasks) {
            if (task.is_object()) rows.push_back(task_row(task));
        }
    }
    if (rows.size() == 1) return "No tasks.\n";
    return table(rows, columns, color);
}

std::string task_details(const json& task, bool color) {
    std::vector<Row> rows{{{"task"}, {task_label(task)}}, {{"status"}, {state_text(task), state_color(task)}}};
    // In the order people ask; whatever else the daemon says comes after it.
    const std::vector<std::string> order{"id",        "progress",  "begin_time", "started_at",
                                         "end_time",  "duration",  "attempts",   "stalled_since",
                                         "ret_value", "exception", "metadata"};
    const std::vector<std::string> said_above{"name", "state", "success", "waiting_for", "queue_position"};
    const auto add = [&](const std::string& key) {
        const json& value = task[key];
        if (value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty())) return;
        std::string text = flat(value);
        if (key == "progress") text += "%";
        if (key == "duration" && value.is_number()) text = format_duration(value.get<double>());
        if (key == "exception") text = failure_text(value);
        rows.push_back({{printable(key)}, {text}});
    };
    for (const std::string& key : order) {
        if (task.contains(key)) add(key);
    }
    for (const auto& [key, value] : task.items()) {
        if (std::ranges::find(order, key) == order.end() && std::ranges::find(said_above, key) == said_above.end()) {
            add(key);
        }
    }
    return table(rows, 0, color);
}

std::string summary_text(const json& summary, bool color) {
    const std::string health = text_member(summary, "health_status");
    const Color health_color = health == "HEALTH_OK"    ? Color::green
                               : health == "HEALTH_ERR" ? Color::red
                                                        : Color::yellow;
    const auto count = [&](const char* key) {
        const auto tasks = summary.find(key);
        return std::to_string(tasks != summary.end() && tasks->is_array() ? tasks->size() : 0);
    };
    std::vector<Row> rows{{{"health"}, {health.empty() ? "unknown" : printable(health), health_color}}};
    const std::string mgr = text_member(summary, "mgr_id");
    if (!mgr.empty()) rows.push_back({{"active mgr"}, {printable(mgr + " " + text_member(summary, "mgr_host"))}});
    const auto connection = summary.find("have_mon_connection");
    if (connection != summary.end() && connection->is_boolean()) {
        const bool connected = connection->get<bool>();
        rows.push_back(
            {{"monitors"}, {connected ? "connected" : "not connected", connected ? Color::none : Color::red}});
    }
    if (const std::string version = text_member(summary, "version"); !version.empty()) {
        rows.push_back({{"version"}, {printable(version)}});
    }
    rows.push_back({{"executing tasks"}, {count("executing_tasks")}});
    rows.push_back({{"finished tasks"}, {count("finished_tasks")}});
    return table(rows, 0, color);
}

}  // namespace taskd::cli
