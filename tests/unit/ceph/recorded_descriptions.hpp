#pragma once

#include <string_view>

namespace taskd::test {

// What daemons of Ceph 16.2.15 answered to `get_command_descriptions`, most commands left out.
// clang-format off

inline constexpr std::string_view mon_descriptions = R"json({
  "cmd000": {"sig": ["pg", "stat"], "help": "show placement group status.", "module": "pg", "perm": "r", "flags": 8},
  "cmd001": {"sig": ["pg", "scrub", {"name": "pgid", "type": "CephPgid"}], "help": "start scrub on <pgid>", "module": "pg", "perm": "rw", "flags": 8},
  "cmd002": {"sig": ["auth", "get-or-create", {"name": "entity", "type": "CephString"}, {"n": "N", "name": "caps", "req": "false", "type": "CephString"}], "help": "add auth info for <entity> from input file, or random key if no input given, and/or any caps specified in the command", "module": "auth", "perm": "rwx", "flags": 0},
  "cmd003": {"sig": ["log", "last", {"name": "num", "range": "1", "req": "false", "type": "CephInt"}, {"name": "level", "req": "false", "strings": "debug|info|sec|warn|error", "type": "CephChoices"}, {"name": "channel", "req": "false", "strings": "*|cluster|audit|cephadm", "type": "CephChoices"}], "help": "print last few lines of the cluster log", "module": "mon", "perm": "r", "flags": 0},
  "cmd004": {"sig": ["status"], "help": "show cluster status", "module": "mon", "perm": "r", "flags": 0},
  "cmd005": {"sig": ["df", {"name": "detail", "req": "false", "strings": "detail", "type": "CephChoices"}], "help": "show cluster free space stats", "module": "mon", "perm": "r", "flags": 0},
  "cmd006": {"sig": ["version"], "help": "show mon daemon version", "module": "mon", "perm": "r", "flags": 33},
  "cmd007": {"sig": ["mon", "add", {"name": "name", "type": "CephString"}, {"name": "addr", "type": "CephIPAddr"}, {"goodchars": "[A-Za-z0-9-_.=]", "n": "N", "name": "location", "req": "false", "type": "CephString"}], "help": "add new monitor named <name> at <addr>, possibly with CRUSH location <location>", "module": "mon", "perm": "rw", "flags": 0},
  "cmd008": {"sig": ["osd", "dump", {"name": "epoch", "range": "0", "req": "false", "type": "CephInt"}], "help": "print summary of OSD map", "module": "osd", "perm": "r", "flags": 0},
  "cmd009": {"sig": ["osd", "tree", {"name": "epoch", "range": "0", "req": "false", "type": "CephInt"}, {"n": "N", "name": "states", "req": "false", "strings": "up|down|in|out|destroyed", "type": "CephChoices"}], "help": "print OSD tree", "module": "osd", "perm": "r", "flags": 0},
  "cmd010": {"sig": ["osd", "crush", "set", {"name": "prior_version", "req": "false", "type": "CephInt"}], "help": "set crush map from input file", "module": "osd", "perm": "rw", "flags": 0},
  "cmd011": {"sig": ["osd", "crush", "set", {"name": "id", "type": "CephOsdName"}, {"name": "weight", "range": "0.0", "type": "CephFloat"}, {"goodchars": "[A-Za-z0-9-_.=]", "n": "N", "name": "args", "type": "CephString"}], "help": "update crushmap position and weight for <name> to <weight> with location <args>", "module": "osd", "perm": "rw", "flags": 0},
  "cmd012": {"sig": ["osd", "crush", "weight-set", "reweight", {"name": "pool", "type": "CephPoolname"}, {"name": "item", "type": "CephString"}, {"n": "N", "name": "weight", "range": "0.0", "type": "CephFloat"}], "help": "set weight for an item (bucket or osd) in a pool's weight-set", "module": "osd", "perm": "rw", "flags": 0},
  "cmd013": {"sig": ["osd", "erasure-code-profile", "set", {"goodchars": "[A-Za-z0-9-_.]", "name": "name", "type": "CephString"}, {"n": "N", "name": "profile", "req": "false", "type": "CephString"}, {"name": "force", "req": "false", "type": "CephBool"}], "help": "create erasure code profile <name> with [<key[=value]> ...] pairs. Add a --force at the end to override an existing profile (VERY DANGEROUS)", "module": "osd", "perm": "rw", "flags": 0},
  "cmd014": {"sig": ["osd", "set", {"name": "key", "strings": "full|pause|noup|nodown|noout|noin|nobackfill|norebalance|norecover|noscrub|nodeep-scrub|notieragent|nosnaptrim|pglog_hardlimit", "type": "CephChoices"}, {"name": "yes_i_really_mean_it", "req": "false", "type": "CephBool"}], "help": "set <key>", "module": "osd", "perm": "rw", "flags": 0},
  "cmd015": {"sig": ["osd", "down", {"n": "N", "name": "ids", "type": "CephString"}, {"name": "definitely_dead", "req": "false", "type": "CephBool"}], "help": "set osd(s) <id> [<id>...] down, or use <any|all> to set all osds down", "module": "osd", "perm": "rw", "flags": 0},
  "cmd016": {"sig": ["osd", "reweight", {"name": "id", "type": "CephOsdName"}, {"name": "weight", "range": "0.0|1.0", "type": "CephFloat"}], "help": "reweight osd to 0.0 < <weight> < 1.0", "module": "osd", "perm": "rw", "flags": 0},
  "cmd017": {"sig": ["osd", "primary-affinity", {"name": "id", "type": "CephOsdName"}, {"name": "weight", "range": "0.0|1.0", "type": "CephFloat"}], "help": "adjust osd primary-affinity from 0.0 <= <weight> <= 1.0", "module": "osd", "perm": "rw", "flags": 0},
  "cmd018": {"sig": ["osd", "new", {"name": "uuid", "req": "true", "type": "CephUUID"}, {"name": "id", "req": "false", "type": "CephOsdName"}], "help": "Create a new OSD. If supplied, the `id` to be replaced needs to exist and have been previously destroyed. Reads secrets from JSON file via `-i <file>` (see man page).", "module": "osd", "perm": "rw", "flags": 0},
  "cmd019": {"sig": ["osd", "blocklist", {"goodchars": "[range]", "name": "range", "req": "false", "type": "CephString"}, {"name": "blocklistop", "strings": "add|rm", "type": "CephChoices"}, {"name": "addr", "type": "CephEntityAddr"}, {"name": "expire", "range": "0.0", "req": "false", "type": "CephFloat"}], "help": "add (optionally until <expire> seconds from now) or remove <addr> from blocklist", "module": "osd", "perm": "rw", "flags": 0},
  "cmd020": {"sig": ["osd", "pool", "ls", {"name": "detail", "req": "false", "strings": "detail", "type": "CephChoices"}], "help": "list pools", "module": "osd", "perm": "r", "flags": 0},
  "cmd021": {"sig": ["osd", "pool", "create", {"name": "pool", "type": "CephPoolname"}, {"name": "pg_num", "range": "0", "req": "false", "type": "CephInt"}, {"name": "pgp_num", "range": "0", "req": "false", "type": "CephInt"}, {"name": "pool_type", "req": "false", "strings": "replicated|erasure", "type": "CephChoices"}, {"goodchars": "[A-Za-z0-9-_.]", "name": "erasure_code_profile", "req": "false", "type": "CephString"}, {"name": "rule", "req": "false", "type": "CephString"}, {"name": "expected_num_objects", "range": "0", "req": "false", "type": "CephInt"}, {"name": "size", "range": "0", "req": "false", "type": "CephInt"}, {"name": "pg_num_min", "range": "0", "req": "false", "type": "CephInt"}, {"name": "pg_num_max", "range": "0", "req": "false", "type": "CephInt"}, {"name": "autoscale_mode", "req": "false", "strings": "on|off|warn", "type": "CephChoices"}, {"name": "bulk", "req": "false", "type": "CephBool"}, {"name": "target_size_bytes", "range": "0", "req": "false", "type": "CephInt"}, {"name": "target_size_ratio", "range": "0.0", "req": "false", "type": "CephFloat"}], "help": "create pool", "module": "osd", "perm": "rw", "flags": 0},
  "cmd022": {"sig": ["osd", "pool", "delete", {"name": "pool", "type": "CephPoolname"}, {"name": "pool2", "req": "false", "type": "CephPoolname"}, {"name": "yes_i_really_really_mean_it", "req": "false", "type": "CephBool"}, {"name": "yes_i_really_really_mean_it_not_faking", "req": "false", "type": "CephBool"}], "help": "delete pool", "module": "osd", "perm": "rw", "flags": 4},
  "cmd023": {"sig": ["osd", "pool", "rm", {"name": "pool", "type": "CephPoolname"}, {"name": "pool2", "req": "false", "type": "CephPoolname"}, {"name": "yes_i_really_really_mean_it", "req": "false", "type": "CephBool"}, {"name": "yes_i_really_really_mean_it_not_faking", "req": "false", "type": "CephBool"}], "help": "remove pool", "module": "osd", "perm": "rw", "flags": 0},
  "cmd024": {"sig": ["osd", "pool", "application", "enable", {"name": "pool", "type": "CephPoolname"}, {"goodchars": "[A-Za-z0-9-_.]", "name": "app", "type": "CephString"}, {"name": "yes_i_really_mean_it", "req": "false", "type": "CephBool"}], "help": "enable use of an application <app> [cephfs,rbd,rgw] on pool <poolname>", "module": "osd", "perm": "rw", "flags": 0},
  "cmd025": {"sig": ["osd", "pool", "application", "get", {"name": "pool", "req": "fasle", "type": "CephPoolname"}, {"name": "app", "req": "false", "type": "CephString"}, {"name": "key", "req": "false", "type": "CephString"}], "help": "get value of key <key> of application <app> on pool <poolname>", "module": "osd", "perm": "r", "flags": 0},
  "cmd026": {"sig": ["config-key", "set", {"name": "key", "type": "CephString"}, {"name": "val", "req": "false", "type": "CephString"}], "help": "set <key> to value <val>", "module": "config-key", "perm": "rw", "flags": 0},
  "cmd027": {"sig": ["mgr", "stat"], "help": "dump basic info about the mgr cluster state", "module": "mgr", "perm": "r", "flags": 0}
}
)json";

inline constexpr std::string_view osd_descriptions = R"json({
  "cmd000": {"sig": ["config", "set", {"name": "var", "type": "CephString"}, {"n": "N", "name": "val", "type": "CephString"}], "help": "config set <field> <val> [<val> ...]: set a config variable"},
  "cmd001": {"sig": ["injectfull", {"name": "type", "req": "false", "type": "CephString"}, {"name": "count", "req": "false", "type": "CephInt"}], "help": "Inject a full disk (optional count times)"},
  "cmd002": {"sig": ["list_unfound", {"name": "pgid", "req": "false", "type": "CephPgid"}, {"name": "offset", "req": "false", "type": "CephString"}], "help": "list unfound objects on this pg, perhaps starting at an offset given in JSON"},
  "cmd003": {"sig": ["pg", {"name": "pgid", "type": "CephPgid"}, {"name": "cmd", "strings": "deep_scrub", "type": "CephChoices"}, {"name": "time", "req": "false", "type": "CephInt"}], "help": ""},
  "cmd004": {"sig": ["pg", {"name": "pgid", "type": "CephPgid"}, {"name": "cmd", "strings": "scrub", "type": "CephChoices"}, {"name": "time", "req": "false", "type": "CephInt"}], "help": ""},
  "cmd005": {"sig": ["pg", {"name": "pgid", "type": "CephPgid"}, {"name": "cmd", "strings": "list_unfound", "type": "CephChoices"}, {"name": "offset", "req": "false", "type": "CephString"}], "help": ""},
  "cmd006": {"sig": ["pg", {"name": "pgid", "type": "CephPgid"}, {"name": "cmd", "strings": "mark_unfound_lost", "type": "CephChoices"}, {"name": "mulcmd", "strings": "revert|delete", "type": "CephChoices"}], "help": ""},
  "cmd007": {"sig": ["pg", {"name": "pgid", "type": "CephPgid"}, {"name": "cmd", "strings": "query", "type": "CephChoices"}], "help": ""},
  "cmd008": {"sig": ["query"], "help": "show details of a specific pg"},
  "cmd009": {"sig": ["version"], "help": "get ceph version"}
}
)json";

// clang-format on

}  // namespace taskd::test
