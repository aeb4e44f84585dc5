"""Users and roles of ceph-taskd's own, on a cluster without dashboard: made by `ceph-taskd user` and `role`, they hold
at a daemon that was told nothing about whom to ask.

Each check is a function; the names of checks may be given as arguments. That the commands are those of the dashboard
is shown in auth.py, beside one.
"""

import json
import os
import sys
import time

from auth import IMAGE, Site, password_of
from harness import CEPH_TASKD, Daemon, Suite, at_once, expect, expect_equal, run, wait_until
from world import World as BareWorld

suite = Suite()
check = suite.check

FIRST = "`ceph-taskd user create NAME administrator -i FILE`"
OURS_HOLD = "auth: users and roles of ceph-taskd's own"
THEIRS_HOLD = "auth: the users and roles of the cluster's dashboard hold"


class World(BareWorld):
    """A daemon that runs as it comes."""

    def __init__(self, directory):
        super().__init__(directory)
        self.daemon = Daemon(self.cluster, directory, auth=None)
        self.daemons["it"] = self.daemon
        self.site = Site("ceph-taskd", self.daemon.url)

    def command(self, *words, secret=None, check=True):
        """`ceph-taskd user …` or `role …`, with a password on standard input; the finished process."""
        return run(CEPH_TASKD, *words, *(["-i", "-"] if secret else []), text=secret, env=self.cluster.env, check=check)

    def make_user(self, name, role):
        made = json.loads(self.command("user", "create", name, role, secret=password_of(name)).stdout)
        self.await_login(name, password_of(name))
        return made

    def await_login(self, name, password):
        wait_until(lambda: self.site.login(name, password).status == 201, f"user {name} can log in", 30)

    def key(self, name):
        return self.cluster.tool("ceph", "config-key", "get", "ceph-taskd/" + name).stdout.strip()

    def held_after(self, condition, what):
        began = time.monotonic()
        wait_until(condition, what, 30)
        print(f"  {what} after {time.monotonic() - began:.2f} s")

    def lines(self, words):
        return self.daemon.output().count(words)


@check
def as_it_comes_it_asks_who_calls_and_says_how_the_first_user_is_made(world):
    wait_until(lambda: FIRST in world.daemon.output(), "the log tells the command", 30)
    expect_equal((world.lines(FIRST), world.lines(OURS_HOLD)), (1, 1), "lines of the command, and of whose users hold")
    for method, path in (("GET", "/api/task"), ("GET", "/api/summary"), ("DELETE", IMAGE)):
        expect_equal(world.site.request(method, path).status, 401, f"{method} {path}")
    expect_equal(world.site.login("admin", "admin").status, 400, "a login where there is nobody")
    expect_equal(world.site.request("POST", "/api/auth/check", body={"token": "x"}).status, 200, "check")
    expect_equal(world.daemon.get("/api/task").status, 200, "root at the Unix socket")


@check
def the_first_user_is_made_by_the_command_and_may_do_everything(world):
    path = os.path.join(world.directory, "password")
    with open(path, "w") as file:
        file.write(password_of("boss") + "\n")
    world.command("user", "create", "boss", "administrator", "-i", path)
    world.await_login("boss", password_of("boss"))
    token = world.site.token("boss", password_of("boss"))
    body = {"pool_name": "rbd", "name": "of-boss", "size": 1 << 20, "features": ["layering"]}
    expect_equal(world.site.request("POST", "/api/block/image", token, body).status, 201, "create")
    done = world.site.request("POST", "/api/command", token, {"command": {"prefix": "osd pool ls"}})
    expect_equal(done.status, 200, f"a command: {done}")
    expect_equal(world.site.request("POST", "/api/auth/logout", token).status, 200, "logout")
    expect(not world.site.knows(token), "a token works after its logout")
    expect_equal(len(json.loads(world.key("jwt_token_block_list"))), 1, "revoked tokens in the cluster")


@check
def roles_hold_and_can_be_made(world):
    world.make_user("reader", "read-only")
    token = world.site.token("reader", password_of("reader"))
    expect_equal(world.site.request("GET", "/api/block/image/default_features", token).status, 200, "a reader's look")
    expect_equal(world.site.request("DELETE", IMAGE, token).status, 403, "a reader's delete")
    world.command("role", "create", "remover", "removes images")
    world.command("role", "add-scope-perms", "remover", "rbd-image", "read", "delete")
    world.command("user", "add-roles", "reader", "remover")
    world.held_after(lambda: not world.site.knows(token), "another role voids the token")
    token = world.site.token("reader", password_of("reader"))
    expect(world.site.request("DELETE", IMAGE, token).status != 403, "a remover's delete is refused")
    expect_equal(world.site.request("POST", "/api/block/image", token, {}).status, 403, "a remover's create")
    world.command("role", "add-scope-perms", "remover", "rbd-image", "read")
    world.held_after(lambda: not world.site.knows(token), "another permission of the role voids the token")
    token = world.site.token("reader", password_of("reader"))
    expect_equal(world.site.request("DELETE", IMAGE, token).status, 403, "the delete of who may no longer")


@check
def who_is_disabled_or_deleted_is_out(world):
    world.make_user("leaving", "administrator")
    token = world.site.token("leaving", password_of("leaving"))
    world.command("user", "disable", "leaving")
    world.held_after(lambda: not world.site.knows(token), "a disabled user is refused")
    expect_equal(world.site.login("leaving", password_of("leaving")).status, 400, "login of a disabled user")
    world.command("user", "enable", "leaving")
    world.await_login("leaving", password_of("leaving"))
    expect(not world.site.knows(token), "the token from before works again")
    token = world.site.token("leaving", password_of("leaving"))
    world.command("user", "delete", "leaving")
    world.held_after(lambda: not world.site.knows(token), "a deleted user is refused")
    expect_equal(world.site.login("leaving", password_of("leaving")).status, 400, "login of a deleted user")


@check
def another_password_voids_all_tokens_also_those_given_in_the_same_second(world):
    world.make_user("changing", "read-only")
    old = world.site.token("changing", password_of("changing"))
    world.command("user", "set-password", "changing", secret="Another-word-1\n")
    world.held_after(lambda: not world.site.knows(old), "another password voids the token")
    expect_equal(world.site.login("changing", password_of("changing")).status, 400, "the old password")
    expect(world.site.knows(world.site.token("changing", "Another-word-1")), "a new token, at once, is void")
    expect(not world.site.knows(old), "the old token works again")


@check
def what_several_change_at_once_is_all_there(world):
    names = [f"crowd-{n}" for n in range(6)]
    at_once([lambda name=name: world.command("user", "create", name, secret=password_of(name)) for name in names]
            + [lambda name=name: world.command("role", "create", name) for name in names])
    for family in ("user", "role"):
        there = json.loads(world.command(family, "show").stdout)
        expect(set(names) <= set(there), lambda: f"{family}s that are there: {there}")


@check
def no_secret_is_in_a_log(world):
    made = world.make_user("secretive", "read-only")
    token = world.site.token("secretive", password_of("secretive"))
    cluster_log = world.cluster.tool("ceph", "log", "last", "10000", "debug", "audit").stdout
    expect("ceph-taskd/accessdb_v2" in cluster_log, "the audit log has no change of users")
    for secret in (made["password"], world.key("jwt_secret"), password_of("secretive"), token):
        expect(secret not in cluster_log, "a secret is in the cluster's audit log")
        expect(secret not in world.daemon.output(), "a secret is in the daemon's log")


@check
def what_fails_changes_nothing_and_has_the_exit_code_of_its_errno(world):
    before = world.key("accessdb_v2")
    no_file = os.path.join(world.directory, "no-such-file")
    for code, words in ((2, ("user", "show", "none")), (2, ("user", "delete", "none")),
                        (17, ("role", "create", "read-only")), (1, ("role", "delete", "read-only")),
                        (22, ("user", "nonsense")), (22, ("user", "create", "x")),
                        (1, ("user", "create", "x", "-i", no_file))):
        done = world.command(*words, check=False)
        expect_equal(done.returncode, code, f"exit code of {words}: {done.stderr}")
        expect(done.stderr.startswith("Error E") and not done.stdout, lambda: f"{words}: {done.stdout}{done.stderr}")
    expect_equal(world.key("accessdb_v2"), before, "users")


@check
def the_dashboards_users_hold_as_soon_as_it_has_any(world):
    """What the dashboard would keep is put there by hand; beside a real one: auth.py."""
    world.make_user("between", "read-only")
    token = world.site.token("between", password_of("between"))
    user = json.loads(world.key("accessdb_v2"))["users"]["between"]
    theirs = {"users": {"theirs": {**user, "username": "theirs", "lastUpdate": 1}}, "roles": {}, "version": 2}
    tool = world.cluster.tool
    tool("ceph", "config-key", "set", "mgr/dashboard/jwt_secret", "a secret of the dashboard")
    tool("ceph", "config-key", "set", "mgr/dashboard/accessdb_v2", json.dumps(theirs))
    world.await_login("theirs", password_of("between"))
    expect(not world.site.knows(token), "a token of our own works")
    expect_equal(world.site.login("between", password_of("between")).status, 400, "login of one of our own")
    expect_equal(world.lines(THEIRS_HOLD), 1, "lines")
    tool("ceph", "config-key", "rm", "mgr/dashboard/accessdb_v2")
    world.held_after(lambda: world.site.knows(token), "our own hold again")
    expect_equal(world.lines(OURS_HOLD), 2, "lines")


@check
def a_user_can_be_disabled_while_the_osds_do_not_answer(world):  # the last: the daemon may lose its role meanwhile
    world.command("user", "create", "urgent", secret=password_of("urgent"))
    with world.cluster.frozen("osd.0"):
        done = world.command("user", "disable", "urgent")
    expect_equal(json.loads(done.stdout)["enabled"], False, "enabled")
    expect("without a lock" in done.stderr, lambda: f"not told: {done.stderr}")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
