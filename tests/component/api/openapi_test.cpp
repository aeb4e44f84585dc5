#include "api/openapi_document.hpp"
#include "api/rights.hpp"
#include "api_server.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <spdlog/spdlog.h>

/// The description of the routes says what the routes do.
namespace taskd::api {
namespace {

using nlohmann::json;
using Names = std::set<std::string>;

const json& document() {
    static const json parsed = json::parse(openapi_document().front().body);
    return parsed;
}

std::string lower_case(std::string_view text) {
    std::string copy(text);
    std::transform(copy.begin(), copy.end(), copy.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return copy;
}

/// What a `$ref` stands for.
const json& resolved(const json& value) {
    if (!value.contains("$ref")) return value;
    return document().at(json::json_pointer(value["$ref"].get<std::string>().substr(1)));
}

struct Described {
    std::string method;
    std::string path;
    const json* operation;
};

std::vector<Described> described_operations() {
    std::vector<Described> all;
    for (const auto& [path, item] : document()["paths"].items())
        for (const auto& [method, operation] : item.items()) {
            std::string upper = method;
            std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c - 'a' + 'A'; });
            all.push_back({upper, path, &operation});
        }
    return all;
}

/// The names of its parameters of one kind: "query", "path".
std::vector<std::string> parameters_of(const json& operation, std::string_view kind) {
    std::vector<std::string> names;
    for (const auto& parameter : operation.value("parameters", json::array()))
        if (const auto& one = resolved(parameter); one["in"] == kind) names.push_back(one["name"]);
    return names;
}

Names as_set(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

/// "image_spec" of "/api/block/image/{image_spec}".
std::vector<std::string> names_in(std::string_view path) {
    std::vector<std::string> names;
    for (auto begin = path.find('{'); begin != std::string_view::npos; begin = path.find('{', begin + 1))
        names.emplace_back(path.substr(begin + 1, path.find('}', begin) - begin - 1));
    return names;
}

/// What the document is to say of who may.
json security_of(const Right& right) {
    const auto login = json::array({{{"bearer", json::array()}}, {{"cookie", json::array()}}});
    switch (right.kind) {
        case Right::Kind::open:
            return json::array();
        case Right::Kind::metrics: {
            auto none_or_login = login;
            none_or_login.insert(none_or_login.begin(), json::object());
            return none_or_login;
        }
        default:
            return login;
    }
}

TEST(OpenApiDocument, HasEachRouteWithItsRightAndNoOther) {
    std::size_t count = 0;
    for (const auto& route : route_rights()) {
        const auto where = std::string(route.method) + " " + std::string(route.pattern);
        const auto& paths = document()["paths"];
        const auto item = paths.find(std::string(route.pattern));
        ASSERT_NE(item, paths.end()) << where << " is not described";
        ASSERT_TRUE(item->contains(lower_case(route.method))) << where << " is not described";
        const auto& operation = item->at(lower_case(route.method));
        ++count;

        const bool has_scope = route.right.kind == Right::Kind::scoped || route.right.kind == Right::Kind::metrics;
        EXPECT_EQ(operation.value("security", document()["security"]), security_of(route.right)) << where;
        EXPECT_EQ(operation.value("x-ceph-scope", ""), has_scope ? auth::to_string(route.right.scope) : "") << where;
        EXPECT_EQ(operation.value("x-ceph-permission", ""), has_scope ? auth::to_string(route.right.permission) : "")
            << where;
    }
    EXPECT_EQ(count, described_operations().size()) << "something is described that is no route";
}

TEST(OpenApiDocument, NamesThePartsOfEachPath) {
    for (const auto& [method, path, operation] : described_operations())
        EXPECT_EQ(parameters_of(*operation, "path"), names_in(path)) << method << " " << path;
}

/// By the names of the tasks that there are, whose every request must be somewhere.
TEST(OpenApiDocument, SaysWhichTaskEachRequestMakes) {
    Names described;
    for (const auto& [method, path, operation] : described_operations())
        if (operation->contains("x-ceph-task")) described.insert(operation->at("x-ceph-task").get<std::string>());
    auto there_are = as_set(counted_task_names(rbd::OperationRegistry::builtin()));
    there_are.erase("rbd/delete/plan");  // of the route of rbd/delete

    EXPECT_EQ(described, there_are);
}

TEST(OpenApiDocument, SaysThatWhoMakesTasksMayHaveToWait) {
    for (const auto& [method, path, operation] : described_operations())
        EXPECT_EQ(operation->contains("x-ceph-task"), resolved(operation->at("responses").value("202", json())) ==
                                                          document()["components"]["responses"]["Accepted"])
            << method << " " << path;
}

/// All words in the texts of the sources: who takes a field has its name there.
Names words_of_the_sources() {
    Names words;
    for (const char* folder : {"api", "rbd", "worker"})
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(std::filesystem::path(TASKD_SOURCES) / folder)) {
            if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            for (auto quote = text.find('"'); quote != std::string::npos; quote = text.find('"', quote + 1)) {
                const auto end = text.find_first_not_of(
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", quote + 1);
                if (end != std::string::npos && end > quote + 1 && text[end] == '"')
                    words.insert(text.substr(quote + 1, end - quote - 1));
            }
        }
    return words;
}

/// Asks the routes themselves, tens of thousands of times: no connection in between.
class OpenApiFields : public ApiTest {
  protected:
    OpenApiFields() {
        workers_succeed();
        // What gets through must not wait for a cluster that is not there.
        commands.refuse_with =
            std::make_exception_ptr(Error(ErrorKind::unavailable, EAGAIN, "mon", "[errno 11] not in this test"));
        spdlog::set_level(spdlog::level::err);  // each change is a line of the audit
    }
    ~OpenApiFields() override { spdlog::set_level(spdlog::level::info); }

    static std::string encoded_path(std::string path) {
        for (const auto& name : names_in(path)) {
            const auto value = name == "image_spec" || name == "image_id_spec" ? "rbd%2Fx" : "x";
            path.replace(path.find('{'), name.size() + 2, value);
        }
        return path;
    }

    http::Response ask(http::Request request) {
        const auto match = router.match(request.method, request.path);
        if (match.route == nullptr) return http::not_found_response(request);
        request.params = match.params;
        if (match.route->now) return match.route->now(request);
        std::optional<http::Response> response;
        http::net::co_spawn(context, match.route->later(std::move(request)),
                            [&](std::exception_ptr error, http::Response given) {
                                if (error) std::rethrow_exception(error);
                                response = std::move(given);
                            });
        context.restart();
        context.run();
        return response.value();
    }

    /// Whether the route knows the name, whatever it thinks of the value.
    bool knows(const Described& route, std::vector<http::NameValue> query, const json& body, const std::string& name) {
        http::Request request;
        request.method = route.method;
        request.path = encoded_path(route.path);
        request.query = std::move(query);
        request.headers.add("Prefer", "respond-async");
        if (!body.is_null()) {
            request.headers.add("Content-Type", "application/json");
            request.body = body.dump();
        }
        const auto answer = ask(std::move(request));
        if (answer.status == 404) return true;
        const auto said = json::parse(answer.body.view(), nullptr, false);
        const auto detail = said.is_object() ? said.value("detail", "") : "";
        return detail != name + ": unknown field" && detail != name + ": unknown query parameter";
    }

    static bool has_body(const Described& route) { return route.method == "POST" || route.method == "PUT"; }
    /// Before the other fields of this one are looked at, it keeps the token where the task finds it.
    static json body_of(const Described& route) {
        return route.path.ends_with("/bootstrap/peer") ? json{{"token", "t"}} : json::object();
    }

    Names fields_that_are_known(const Described& route) {
        Names known;
        for (const auto& word : words) {
            auto body = body_of(route);
            body[word] = nullptr;
            if (knows(route, {}, body, word)) known.insert(word);
        }
        for (const auto& name : names_in(route.path)) known.erase(name);
        return known;
    }
    /// Of a route with a body every field may be a parameter too, so only those that are such somewhere are tried.
    Names parameters_that_are_known(const Described& route) {
        Names known;
        for (const auto& word : has_body(route) ? parameters : words)
            if (knows(route, {{word, ""}}, has_body(route) ? body_of(route) : json(), word)) known.insert(word);
        return known;
    }
    static Names all_parameters() {
        Names all;
        for (const auto& route : described_operations()) all.merge(as_set(parameters_of(*route.operation, "query")));
        return all;
    }

    http::Router router = make_router(access());
    http::net::io_context context;
    const Names words = words_of_the_sources();
    const Names parameters = all_parameters();
};

Names without(Names names, const Names& others) {
    std::erase_if(names, [&](const auto& name) { return others.contains(name); });
    return names;
}

TEST_F(OpenApiFields, AreThoseThatTheRoutesTake) {
    ASSERT_TRUE(words.contains("image_id") && words.contains("size") && words.contains("wait"));
    for (const auto& route : described_operations()) {
        // The others look at no parameters.
        if (!route.path.starts_with("/api/") && !route.path.starts_with("/ui-api/")) continue;
        if (route.path == "/api/openapi.json" || route.path == "/api/auth/logout") continue;
        const auto where = route.method + " " + route.path;
        const auto path = as_set(names_in(route.path));
        Names fields;
        if (has_body(route)) {
            const auto& schema = route.operation->at("requestBody")["content"]["application/json"]["schema"];
            for (const auto& [name, field] : schema["properties"].items()) fields.insert(name);
            EXPECT_EQ(schema.value("additionalProperties", json()), false) << where << ": an unknown field is refused";
            EXPECT_EQ(fields_that_are_known(route), fields) << where;
        }
        EXPECT_EQ(without(without(parameters_that_are_known(route), fields), path),
                  as_set(parameters_of(*route.operation, "query")))
            << where;
    }
}

TEST_F(OpenApiFields, ThatMustBeThereAreMissed) {
    for (const auto& route : described_operations()) {
        // Where nobody logs in, that is said before all fields are looked at.
        if (!route.operation->contains("requestBody") || route.path == "/api/auth") continue;
        const auto& body = route.operation->at("requestBody");
        const auto& media = body["content"]["application/json"];
        for (const auto& name : media["schema"].value("required", json::array())) {
            http::Request request;
            request.method = route.method;
            request.path = encoded_path(route.path);
            request.headers.add("Prefer", "respond-async");
            request.headers.add("Content-Type", "application/json");
            auto others = media.value("example", json::object());
            others.erase(name.get<std::string>());
            request.body = others.dump();

            const auto answer = ask(std::move(request));

            EXPECT_EQ(answer.status, 400) << route.method << " " << route.path << " without " << name;
            EXPECT_THAT(std::string(answer.body.view()), ::testing::HasSubstr("\"" + name.get<std::string>() + ": "))
                << route.method << " " << route.path;
        }
    }
}

TEST_F(OpenApiFields, OfTheExamplesAreTaken) {
    for (const auto& route : described_operations()) {
        if (!route.operation->contains("requestBody")) continue;
        const auto& media = route.operation->at("requestBody")["content"]["application/json"];
        if (!media.contains("example") || route.path.starts_with("/api/auth")) continue;
        http::Request request;
        request.method = route.method;
        request.path = encoded_path(route.path);
        request.headers.add("Prefer", "respond-async");
        request.headers.add("Content-Type", "application/json");
        request.body = media["example"].dump();

        const auto answer = ask(std::move(request));

        EXPECT_NE(answer.status, 400) << route.method << " " << route.path << ": " << answer.body.view();
        EXPECT_TRUE(route.operation->at("responses").contains(std::to_string(answer.status)))
            << route.method << " " << route.path << ": " << answer.status;
    }
}

TEST_F(ApiTest, TheDescriptionIsServedAlsoByAStandbyAndNotTwice) {
    standing = {nullptr, "http://192.0.2.1:8280", "standby"};
    http::Client client(server.endpoints().front());
    const auto first = client.request("GET", "/api/openapi.json", {}, {}, std::chrono::seconds(60));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.header("Content-Type"), "application/json");
    EXPECT_EQ(json::parse(first.body)["openapi"], "3.1.0");

    const std::string etag(first.header("ETag").value_or(""));
    const auto again =
        client.request("GET", "/api/openapi.json", {{"If-None-Match", etag}}, {}, std::chrono::seconds(60));
    EXPECT_EQ(again.status, 304);
}

}  // namespace
}  // namespace taskd::api
