#pragma once

#include "ceph/command.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// One capability that the daemon's Ceph user needs, and what for.
struct Cap {
    std::string_view role;      ///< Of `cap_roles()`.
    CommandTarget::Kind where;  ///< mon, mgr or osd: whose `ceph auth` keeps it.
    std::string grant;          ///< As `ceph auth` takes it: `profile rbd`.
    std::string_view reason;    ///< What cannot be done without it.
    /// A command that needs it and changes nothing whatever comes of it: it names what does not exist, or gives a value
    /// that is refused; that of `audit` leaves a line in the cluster's log. Null for those of OSDs, which object
    /// operations test.
    nlohmann::json probe = nullptr;
    /// The probe is to be sent with an input that the monitors refuse for its length (EFBIG): without, they would keep
    /// an empty value.
    bool probe_is_too_long = false;
};

struct CapsRole {
    std::string_view name;
    std::string_view what;
    bool is_daemons = true;  ///< False: of an administrator's command, not of the daemon itself.
};

/// front, worker, pools, mirroring, users, own-users, audit: parts of the daemon's work that may be wanted or not;
/// user-admin: of `ceph-taskd user` and `role`.
const std::vector<CapsRole>& cap_roles();

/// The pools that the user is to work with.
struct CapsScope {
    std::string state_pool;                ///< Of the journal; one of `image_pools`, or added to them.
    std::vector<std::string> image_pools;  ///< Empty: all there are.
};

/// The least that these roles need, in the order of the roles; a cap that two of them need comes twice.
/// @throws BadRequest ("role", …)
std::vector<Cap> needed_caps(const std::vector<std::string>& roles, const CapsScope& scope);

/// The caps, each once, as one command for a shell:
/// `ceph auth get-or-create client.x mon '…' mgr '…' osd '…'`, over several lines.
std::string auth_command(const std::string& user, const std::vector<Cap>& caps);

/// `profile rbd pool=images namespace=a`; of all pools when `pool` is empty.
std::string osd_profile(const std::string& pool, const std::string& name_space = {});

/// The sentence behind a refusal: `client.x needs the caps mon 'profile rbd' and osd '…'; see …`.
std::string needed_caps_hint(const std::string& user, const std::string& caps);

/// What EPERM and EACCES of the cluster mean, with the user and the caps behind it; other errors as they are.
Error with_needed_caps(const Error& error, const std::string& user, const std::string& caps);

}  // namespace taskd::ceph
