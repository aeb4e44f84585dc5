"""A Ceph user with the caps that `ceph-taskd caps` prints, and no others, is enough for all that ceph-taskd does; one
cap less is found by `--check`, told by the daemon, and named by what fails for want of it.

Each check is a function; the names of checks may be given as arguments.
"""

import contextlib
import os
import re
import signal
import sys
import tempfile
import time

import auth
import durability
import image_changes
import mirroring
import pools
import roles
import snapshots
from harness import CEPH_TASKD, Daemon, Suite, expect, expect_equal, run, wait_until
from world import World, check_of

suite = Suite()
check = check_of(suite)

USER = "client.ceph-taskd"


def printed(*arguments):
    return run(CEPH_TASKD, "caps", *arguments).stdout


def needed(*arguments):
    """Each cap once, as (mon, mgr or osd; grant)."""
    found = re.findall(r"^#   (mon|mgr|osd) '(.*)': ", printed(*arguments), re.M)
    return list(dict.fromkeys(found))


def make_user_as_printed(cluster, keyring, *arguments):
    """By pasting what is printed into a shell."""
    script, count = re.subn(r"/etc/ceph/ceph\.client\.\S+\.keyring", keyring, printed(*arguments))
    expect_equal(count, 1, "keyrings that are written")
    cluster.tool("bash", "-euc", script)


def make_user(world, name, caps):
    keyring = os.path.join(world.directory, name + ".keyring")
    words = []
    for where in ("mon", "mgr", "osd"):
        grants = [grant for kind, grant in caps if kind == where]
        words += [where, ", ".join(grants)] if grants else []
    world.cluster.tool("ceph", "auth", "get-or-create", "client." + name, *words, "-o", keyring)
    return "--id", name, "--keyring", keyring


def checked(world, *arguments):
    """What `--check` ends with, and what it says is missing or unknown: {(mon, mgr or osd; grant): "missing"}."""
    done = world.cluster.tool(CEPH_TASKD, "caps", "--check", *arguments, check=False)
    lines = re.findall(r"^(missing|unknown) +(\w+) '(.*)' \(", done.stdout, re.M)
    return done.returncode, {(where, grant): verdict for verdict, where, grant in lines}


def findings(daemon):
    return wait_until(lambda: daemon.get("/readyz").body["caps"], "the caps are tested", 60)


class WithPrintedCaps(World):
    """A world whose daemons come as such a user."""

    def __init__(self, directory):
        super().__init__(directory)
        self.keyring = os.path.join(directory, "printed.keyring")
        make_user_as_printed(self.cluster, self.keyring)

    def start(self, name="one", *arguments, **options):
        return super().start(name, "--name", USER, "--keyring", self.keyring, *arguments, **options)


@contextlib.contextmanager
def world_of(kind):
    with tempfile.TemporaryDirectory(prefix="taskd-e2e.") as directory:
        world = kind(directory)
        try:
            yield world
        finally:
            world.close()


def on_a_cluster_of_its_own(function):
    """For checks that count pools or compare all that there is."""
    def alone(_):
        with world_of(World) as world:
            try:
                function(world)
            except Exception:
                world.show_logs()
                raise
    alone.__name__ = function.__name__
    return alone


def passes_as_that_user(other, *names):
    """The checks of another suite hold on a cluster of their own."""
    wanted = [one for one in other.suite.checks if one.__name__ in names]
    expect_equal(len(wanted), len(names), "checks of that name")
    with world_of(WithPrintedCaps) as world:
        for one in wanted:
            try:
                one(world)
            except Exception as error:
                world.show_logs()
                raise AssertionError(f"{one.__name__}: {error}") from error
            for daemon in world.daemons.values():
                for words in ("access denied", "needs the caps", " lacks "):
                    expect(words not in daemon.output(), lambda: f"{one.__name__}: {words!r} in the log")


# --- enough


@check
def snapshots_clones_and_the_trash_need_no_more(_):
    passes_as_that_user(snapshots, "a_snapshot_lives_as_recorded_of_the_dashboard",
                        "a_clone_lives_as_recorded_of_the_dashboard", "the_plan_of_a_delete_is_what_the_delete_does",
                        "the_trash_works_as_recorded_of_the_dashboard", "namespaces_answer_as_recorded_of_the_dashboard")


@check
def edits_copies_and_migrations_need_no_more(_):
    passes_as_that_user(image_changes, "editing_answers_as_the_dashboard_does", "copying_answers_as_the_dashboard_does",
                        "our_own_operations_succeed_and_fail_in_the_same_shape", "the_command_line_has_rbds_words")


@check
def pools_need_no_more(_):
    passes_as_that_user(pools, "a_pool_is_made_with_all_that_was_asked",
                        "an_edit_changes_applications_and_renames_last", "the_command_line_has_pools")


@check
def mirroring_needs_no_more(_):
    passes_as_that_user(mirroring, "a_peer_is_added_changed_and_removed", "a_token_makes_two_clusters_peers",
                        "a_token_that_is_refused_is_not_kept", "mirror_snapshots_are_scheduled")


@check
def journal_and_fencing_need_no_more(_):
    passes_as_that_user(durability, "tasks_of_a_killed_daemon_go_on_with_their_ids_and_begin_times",
                        "the_history_outlives_a_killed_daemon",
                        "an_operation_whose_process_dies_before_any_of_its_steps_ends_as_it_should")
    passes_as_that_user(roles, "a_standby_takes_over_from_a_killed_active_one_and_fences_it_first")


@check
def lists_commands_and_the_service_map_need_no_more(world):
    keyring = os.path.join(world.directory, "printed.keyring")
    make_user_as_printed(world.cluster, keyring)
    daemon = world.start("one", "--name", USER, "--keyring", keyring)
    expect_equal(daemon.create("listed").status, 201, "create")
    expect_equal([image["name"] for image in daemon.get("/api/block/image?limit=-1&pool_name=rbd").body[0]["value"]],
                 ["listed"], "images")
    summary = wait_until(lambda: daemon.get("/api/summary").body, "there is a summary")
    wait_until(lambda: daemon.get("/api/summary").body["mgr_id"], "the summary has the mgr", 30)
    expect(summary["version"], lambda: f"no version: {summary}")
    done = daemon.post("/api/command", {"target": "mon", "command": {"prefix": "osd pool ls", "format": "json"}})
    expect_equal(done.status, 200, f"a command that only reads: {done}")
    wait_until(lambda: "taskd: 1" in world.cluster.tool("ceph", "-s").stdout, "the service map has the daemon", 30)
    found = findings(daemon)
    expect_equal(found, {"user": USER, "missing": [], "unknown": []}, "caps")
    expect(f"caps: {USER} has all that it needs" in daemon.output(), "the log does not say so")
    expect_equal(checked(world, "--name", USER, "--keyring", keyring), (0, {}), "--check")


class DashboardWorld:
    """The real dashboard, and a daemon with the printed caps that takes its users."""

    def __init__(self, directory):
        self.cluster = auth.DashboardCluster(os.path.join(directory, "cluster"))
        self.directory = directory
        keyring = os.path.join(directory, "printed.keyring")
        make_user_as_printed(self.cluster, keyring)
        self.daemon = Daemon(self.cluster, directory, "--name", USER, "--keyring", keyring, auth="dashboard")

    def close(self):
        self.daemon.stop()
        self.cluster.wipe()


@check
def users_of_the_dashboard_need_no_more(_):
    with world_of(DashboardWorld) as world:
        ours, theirs = auth.Site("ceph-taskd", world.daemon.url), auth.Site("the dashboard", world.cluster.url)
        wait_until(lambda: ours.login("nobody", "x").status == 400, "the users are known")
        token = ours.token(world.cluster.user, world.cluster.password)
        expect(ours.knows(token) and theirs.knows(token), "a token of ours does not work at both")
        expect_equal(ours.request("POST", "/api/auth/logout", token).status, 200, "logout")
        expect(not ours.knows(token), "a token that was revoked works here")
        wait_until(lambda: not theirs.knows(token), "a token that was revoked here is refused there")
        expect_equal(findings(world.daemon), {"user": USER, "missing": [], "unknown": []}, "caps")


@check
@on_a_cluster_of_its_own
def users_of_our_own_need_no_more(world):
    keyring, admins = (os.path.join(world.directory, name + ".keyring") for name in ("printed", "admins"))
    make_user_as_printed(world.cluster, keyring)
    make_user_as_printed(world.cluster, admins, "--id", "admins", "--role", "user-admin")
    daemon = world.start("one", "--name", USER, "--keyring", keyring, auth=None)
    site = auth.Site("ceph-taskd", daemon.url)
    made = world.cluster.tool(CEPH_TASKD, "user", "create", "boss", "administrator", "-i", "-", "--id", "admins",
                              "--keyring", admins, text=auth.password_of("boss"))
    expect_equal(made.stderr, "", "complaints of the command")
    wait_until(lambda: site.login("boss", auth.password_of("boss")).status == 201, "the user can log in", 30)
    token = site.token("boss", auth.password_of("boss"))
    expect_equal(site.request("POST", "/api/auth/logout", token).status, 200, "logout")
    expect_equal(findings(daemon), {"user": USER, "missing": [], "unknown": []}, "caps")
    done = world.cluster.tool(CEPH_TASKD, "user", "disable", "boss", "--name", USER, "--keyring", keyring, check=False)
    expect_equal(done.returncode, 13, "exit code of a change as the daemon's user")
    expect(f"{USER} needs the caps mon 'allow command \"config-key set\"'" in done.stderr, lambda: done.stderr)


# --- no cap less


@check
def one_cap_less_is_found_and_named(world):
    caps = needed()
    expect(len(caps) > 15, lambda: f"few caps: {caps}")
    for number, missing in enumerate(caps):
        user = make_user(world, f"less-{number}", [cap for cap in caps if cap != missing])
        code, found = checked(world, *user)
        expect_equal(code, 1, f"exit code without {missing}")
        where, grant = missing
        wanted = {(where, grant if where != "osd" else "profile rbd pool=rbd"): "missing"}
        if missing == ("mon", "profile rbd"):
            # Without their maps neither the OSDs nor the mgr can be asked.
            wanted |= {("osd", "profile rbd"): "unknown", **{cap: "unknown" for cap in caps if cap[0] == "mgr"}}
        expect_equal(found, wanted, f"what is found without {missing}")


@check
@on_a_cluster_of_its_own
def roles_and_pools_can_be_left_out(world):
    arguments = ("--role", "front", "worker", "--image-pool", "vms")
    keyring = os.path.join(world.directory, "small.keyring")
    world.cluster.tool("ceph", "osd", "pool", "create", "vms", "8")
    world.cluster.tool("rbd", "pool", "init", "vms")
    make_user_as_printed(world.cluster, keyring, "--id", "small", *arguments)
    user = ("--id", "small", "--keyring", keyring)
    expect_equal(checked(world, *user, *arguments), (0, {}), "the caps that were asked for")
    code, found = checked(world, *user)
    expect_equal((code, set(found.values())), (1, {"missing"}), "all caps")
    expect(("mon", 'allow command "osd pool create"') in found, lambda: f"found: {found}")
    expect_equal(run(CEPH_TASKD, "caps", "--role", "nobody", check=False).returncode, 2, "an unknown role")


@check
@on_a_cluster_of_its_own
def the_check_changes_nothing(world):
    def state():
        words = ("osd pool ls detail", "config-key dump", "auth ls", "config dump", "osd blocklist ls")
        found = {name: world.cluster.tool("ceph", *name.split()).stdout for name in words}
        return {**found, "objects": world.cluster.tool("rados", "-p", "rbd", "--all", "ls").stdout}
    def is_settled():
        pools = world.cluster.tool("ceph", "osd", "pool", "ls", "detail").stdout
        return "mgr_devicehealth" in pools and "removed_snaps_queue" not in pools
    # What a young cluster does by itself has an end.
    wait_until(is_settled, "the mgr has made its pool, and what was made for a try is gone", 60)
    before = state()
    expect_equal(checked(world, "--id", "admin"), (0, {}), "the administrator's caps")
    for name, after in state().items():
        expect_equal(after.splitlines(), before[name].splitlines(), name)


# --- what the daemon says


@check
@on_a_cluster_of_its_own
def the_daemon_tells_what_its_user_lacks_and_works_all_the_same(world):
    tool = world.cluster.tool
    tool("ceph", "osd", "pool", "create", "closed", "8")
    tool("rbd", "pool", "init", "closed")
    tool("ceph", "osd", "pool", "create", "hidden", "8")
    tool("rbd", "pool", "init", "hidden")
    caps = [cap for cap in needed() if cap[0] != "osd" and cap[1] != 'allow command "osd pool delete"']
    user = make_user(world, "narrow", caps + [("osd", "profile rbd pool=rbd, profile rbd-read-only pool=closed")])
    daemon = world.start("one", *user)
    expect_equal(daemon.create("open").status, 201, "what it may do")
    missing = {finding["cap"] for finding in findings(daemon)["missing"]}
    expect_equal(missing, {"mon 'allow command \"osd pool delete\"'", "osd 'profile rbd pool=closed'",
                           "osd 'profile rbd pool=hidden'"}, "missing caps")
    for cap in missing:
        lines = [line for line in daemon.output().splitlines() if f"warning caps: client.narrow lacks {cap} (" in line]
        expect_equal(len(lines), 1, f"lines about {cap}")
    expect_equal(daemon.get("/readyz").status, 200, "/readyz")

    body = {"pool_name": "closed", "name": "never", "size": 1 << 20, "features": ["layering"]}
    failure = daemon.finished(daemon.post("/api/block/image", body).task_id)["exception"]
    expect("client.narrow needs the caps mon 'profile rbd' and osd 'profile rbd pool=closed'" in failure["detail"],
           lambda: f"no user, caps and pool: {failure}")
    expect_equal(failure["missing_caps"], {"user": "client.narrow", "mon": "profile rbd",
                                           "osd": "profile rbd pool=closed"}, "as data")
    failure = daemon.finished(daemon.request("DELETE", "/api/pool/closed").task_id)["exception"]
    expect("client.narrow needs the caps mon 'allow command \"osd pool delete\"'" in failure["detail"],
           lambda: f"no user and command: {failure}")
    listed = daemon.get("/api/block/image?limit=-1&pool_name=hidden")
    expect("client.narrow needs the caps mon 'profile rbd' and osd 'profile rbd pool=hidden'" in str(listed.body),
           lambda: f"no user, caps and pool: {listed}")


@check
@on_a_cluster_of_its_own
def a_user_without_the_pool_of_the_journal_is_told_so(world):
    caps = [cap for cap in needed() if cap[0] != "osd"]
    user = make_user(world, "homeless", caps + [("osd", "profile rbd pool=elsewhere")])
    daemon = world.start("one", *user)
    expect_equal(daemon.get("/healthz").status, 200, "/healthz")
    expect_equal([finding["cap"] for finding in findings(daemon)["missing"]], ["osd 'profile rbd pool=rbd'"], "missing")
    wanted = "client.homeless needs the caps mon 'profile rbd' and osd 'profile rbd pool=rbd'"
    wait_until(lambda: wanted in daemon.output(), "the log says why it does not become active", 30)
    monitors = ", ".join(grant for where, grant in caps if where == "mon")
    world.cluster.tool("ceph", "auth", "caps", "client.homeless", "mon", monitors, "osd", "profile rbd pool=rbd")
    daemon.stop(signal.SIGKILL)
    daemon = world.start("one", *user)
    expect_equal(daemon.create("at-home").status, 201, "with the cap that was named")


@check
@on_a_cluster_of_its_own
def nothing_waits_for_the_test(world):
    with world.cluster.frozen("osd.0"), world.cluster.frozen("mgr.x"):
        began = time.monotonic()
        daemon = world.start("one")
        started_s = time.monotonic() - began
        answer = daemon.get("/readyz")
        expect_equal(answer.body["caps"], None, "caps before they are tested")
        expect_equal(daemon.get("/healthz").status, 200, "/healthz")
        found = findings(daemon)
        expect_equal(found["missing"], [], "missing, where nobody answered")
        expect_equal({finding["cap"] for finding in found["unknown"]},
                     {f"mgr '{grant}'" for where, grant in needed() if where == "mgr"}
                     | {"mon 'allow command \"service status\"'", "osd 'profile rbd pool=rbd'"},
                     "unknown, all that the mgr and the OSD answer")
        expect(started_s < 10, f"the start took {started_s:.1f} s")
        print(f"  started in {started_s:.1f} s")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
