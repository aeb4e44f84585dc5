#include "ceph/command_answer.hpp"

#include "ceph/command.hpp"
#include "ceph/secrets.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::ceph {

std::string unique_command_tag() {
    static std::atomic<std::uint64_t> last{0};
    return "taskd-" + std::to_string(++last);
}

std::exception_ptr failure_of_answer(const nlohmann::json& value, const std::string& target,
                                     const nlohmann::json& command) {
    if (value.contains("error")) return error_from_json(value["error"]);
    const int return_code = value.value("return_code", -EPROTO);
    if (return_code == 0) return nullptr;
    // A failure is listed, logged and kept with all that it says.
    nlohmann::json view = answer_without_secrets(value, command);
    view.erase("tag");
    const auto status = view.value("status", "");
    return std::make_exception_ptr(
        command_error(return_code, status, CommandTarget::parse(target), command, std::move(view)));
}

}  // namespace taskd::ceph
