#pragma once

#include "component/http/raw_connection.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::api {

/// What a browser's EventSource is to the page.
class EventViewer {
  public:
    struct Event {
        std::string id;
        std::string kind;
        nlohmann::json data;
    };

    explicit EventViewer(const http::Endpoint& endpoint, const std::string& headers = {}) : connection_(endpoint) {
        connection_.send(http::test::get("/api/task/events", "Accept: text/event-stream\r\n" + headers));
    }

    /// Status line and header, of a refusal with its body.
    const std::string& head() {
        if (head_.empty()) head_ = connection_.until("\r\n\r\n");
        return head_;
    }
    int status() { return http::test::status_of(head()); }

    /// The next event that has data; none when the stream has ended in order.
    std::optional<Event> next() {
        for (;;) {
            const auto block = next_block();
            if (!block) return std::nullopt;
            auto event = event_of(*block);
            if (!event.id.empty()) last_id_ = event.id;
            if (!event.kind.empty()) return event;
        }
    }
    /// What stands between two empty lines: an event, or a comment.
    std::optional<std::string> next_block() {
        // A refusal has no chunks to wait for.
        if (status() != 200) throw std::runtime_error("no stream of events: " + head());
        auto end = text_.find("\n\n");
        while (end == std::string::npos) {
            const auto searched = text_.size();
            if (!read_chunk()) return std::nullopt;
            end = text_.find("\n\n", searched > 0 ? searched - 1 : 0);
        }
        auto block = text_.substr(0, end + 1);
        text_.erase(0, end + 2);
        return block;
    }
    /// As a browser would send it when it comes back.
    std::string last_event_id_header() const { return "Last-Event-ID: " + last_id_ + "\r\n"; }
    const std::string& last_id() const { return last_id_; }
    void close() { connection_.close(); }
    void take_little_at_once() { connection_.keep_small_receive_buffer(64 * 1024); }

  private:
    bool read_chunk() {
        const auto size = std::stoul(connection_.until("\r\n"), nullptr, 16);
        text_ += connection_.take(size);
        connection_.take(2);
        return size > 0;
    }

    static Event event_of(const std::string& block) {
        Event event;
        for (std::string_view rest = block; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(line.size() + 1);
            if (line.starts_with("id: ")) event.id = line.substr(4);
            if (line.starts_with("event: ")) event.kind = line.substr(7);
            if (line.starts_with("data: ")) event.data = nlohmann::json::parse(line.substr(6));
        }
        return event;
    }

    http::test::RawConnection connection_;
    std::string head_;
    std::string text_;
    std::string last_id_;
};

}  // namespace taskd::api
