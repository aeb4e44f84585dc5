#pragma once

#include "auth/access_document.hpp"
#include "ceph/command_caller.hpp"

namespace taskd::auth {

/// Where users and roles of our own are: `accessdb_v2`, `jwt_secret`, `jwt_token_block_list` and, where somebody sets
/// it, `jwt_token_ttl` (seconds) begin with this in the cluster's config-key store.
inline constexpr const char* own_key_prefix = "ceph-taskd/";

/// The users and roles of our own, in the cluster's config-key store. It cannot compare and swap: who changes something
/// keeps others from it between `read` and `write`.
/// @thread  One. Every member blocks until a monitor answers, with the caller's bound.
class AccessStore {
  public:
    /// @param caller  Must outlive this.
    explicit AccessStore(ceph::CommandCaller& caller) : caller_(caller) {}

    /// A document of nobody where there is none.
    /// @throws Error  no monitor answers, or refuses; EBADMSG as AccessDocument::parse
    AccessDocument read();
    /// Also makes the secret of the tokens where there is none.
    /// @throws Error  not written, as far as is known; EFBIG: too many users for one key
    void write(const AccessDocument& document);

  private:
    ceph::CommandCaller& caller_;
};

}  // namespace taskd::auth
