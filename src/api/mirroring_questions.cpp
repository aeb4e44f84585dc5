#include "api/mirroring_questions.hpp"

#include "api/lister_wait.hpp"
#include "api/monitor_question.hpp"

namespace taskd::api {

http::net::awaitable<rbd::MirroringAnswer> mirroring_of(std::shared_ptr<const Services> services, std::string pool) {
    if (services->lister == nullptr)
        throw Error(ErrorKind::unavailable, EAGAIN, "taskd", "[errno 11] mirroring is not looked at here");
    try {
        co_return co_await answer_of_lister<rbd::MirroringAnswer>([&](rbd::Answered<rbd::MirroringAnswer> done) {
            services->lister->mirroring(std::move(pool), std::move(done));
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::refused) throw;
        throw Error(error.kind(), error.errno_value(), "rbd-mirroring", error.what());
    }
}

nlohmann::json config_key_get(const std::string& key) {
    return {{"prefix", "config-key get"}, {"key", key}};
}

std::string peer_attributes_key(std::int64_t pool, const std::string& uuid) {
    return "rbd/mirror/peer/" + std::to_string(pool) + "/" + uuid;
}

http::net::awaitable<nlohmann::json> peer_attributes(std::shared_ptr<const Services> services, std::int64_t pool,
                                                     std::string uuid) {
    auto answer = co_await ask_monitors(services, config_key_get(peer_attributes_key(pool, uuid)));
    if (answer.output.is_string())
        answer.output = nlohmann::json::parse(answer.output.get<std::string>(), nullptr, false);
    co_return answer.output.is_object() ? std::move(answer.output) : nlohmann::json::object();
}

}  // namespace taskd::api
