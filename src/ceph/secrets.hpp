#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// Whether an argument or a member of that name holds a secret: `key` and what ends in it (`secret_key`, `apiKey`), and
/// what has password, passphrase, secret, token, credential or keyring in it.
bool names_a_secret(std::string_view name);

/// A text as it may be shown and logged: what is a secret by its form (a cephx key, a token, a private key, the
/// password in a URL), and what stands behind the name of one (`password=…`, `"key": "…"`, `--secret …`), is masked.
std::string without_secrets(std::string_view text);

/// A command as it may be listed, logged and journalled: arguments that hold secrets by their name, what `config-key
/// set` and `config set` store, and what other arguments' texts have of secrets, is masked.
/// @source  P72 of the field faults
nlohmann::json command_without_secrets(nlohmann::json command);

/// What a daemon said of a command, without the secrets that were in the command, and without others.
std::string said_without_secrets(std::string_view text, const nlohmann::json& command);

/// What a daemon answered (`to_view`), as lists, history and journal have it. Of commands that tell secrets (`auth
/// get`, `config-key get`, …) all output is masked and `withheld` is true; of others, members and texts that hold some.
nlohmann::json answer_without_secrets(nlohmann::json answer, const nlohmann::json& command);

}  // namespace taskd::ceph
