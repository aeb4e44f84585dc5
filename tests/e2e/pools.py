"""Pools are created, edited and removed as tasks, by HTTP and by the command line.

Each check is a function; the names of checks may be given as arguments.
"""

import json
import signal
import sys

from harness import Suite, expect, expect_equal, wait_until
from world import World, check_of

suite = Suite()
check = check_of(suite)

POOL = {"pool": "vms", "pg_num": 8, "pool_type": "replicated"}


def pools(world):
    return {pool["pool_name"]: pool
            for pool in json.loads(world.cluster.tool("ceph", "osd", "pool", "ls", "detail", "-f", "json").stdout)}


def allow_removal(world):
    world.cluster.tool("ceph", "config", "set", "mon", "mon_allow_pool_delete", "true")


@check
def a_pool_is_made_with_all_that_was_asked(world):
    daemon = world.start()
    answer = daemon.post("/api/pool", {**POOL, "application_metadata": ["rbd"], "quota_max_objects": 10,
                                       "pg_autoscale_mode": "off"})
    expect_equal((answer.status, answer.body), (201, None), "creation")
    made = pools(world)["vms"]
    expect_equal((made["pg_num"], made["quota_max_objects"], list(made["application_metadata"])), (8, 10, ["rbd"]),
                 "the pool")
    task = daemon.finished(answer.task_id)
    expect_equal((task["name"], task["metadata"], task["progress"]), ("pool/create", {"pool_name": "vms"}, 100), "task")


@check
def what_the_monitors_refuse_tells_what_was_done(world):
    daemon = world.start()
    answer = daemon.post("/api/pool", {**POOL, "pool": "bad", "application_metadata": ["rbd"],
                                       "compression_mode": "nonsense"})
    expect_equal((answer.status, answer.body["component"]), (400, "pool"), "refusal")
    expect_equal(answer.body["done"], ["osd pool create", "osd pool application enable"], "done")
    expect("bad" in pools(world), "the pool was made before the variable was refused")


@check
def an_edit_changes_applications_and_renames_last(world):
    daemon = world.start()
    daemon.post("/api/pool", {**POOL, "pool": "before", "application_metadata": ["rbd"]})
    answer = daemon.request("PUT", "/api/pool/before", {"application_metadata": ["rgw"], "pool": "after"})
    expect_equal((answer.status, answer.body), (200, None), "edit")
    expect("before" not in pools(world), "the old name is gone")
    expect_equal(list(pools(world)["after"]["application_metadata"]), ["rgw"], "applications")
    expect_equal(daemon.request("PUT", "/api/pool/none", {"size": 1}).status, 400, "edit of a pool that is not there")


@check
def an_interrupted_change_has_failed_with_its_outcome_unknown(world):
    daemon = world.start()
    with world.cluster.frozen("mon.a"):
        answer = daemon.post("/api/pool", {**POOL, "pool": "interrupted"}, headers={"Prefer": "respond-async"})
        expect_equal(answer.status, 202, "acceptance")
        daemon.stop(signal.SIGKILL)
    end = world.start().finished(answer.task_id)
    expect(not end["success"], "it was interrupted")
    expect("unknown" in end["exception"]["detail"], end["exception"])


@check
def the_command_line_has_pools(world):
    daemon = world.start()
    allow_removal(world)
    daemon.cli("pool", "create", "cli", "8", "--application", "rbd")
    daemon.cli("pool", "edit", "cli", "--set", "pg_autoscale_mode=off", "--rename", "cli2")
    expect("cli2" in pools(world), "made and renamed")
    daemon.cli("pool", "rm", "cli2", "cli2", "--yes-i-really-really-mean-it")
    wait_until(lambda: "cli2" not in pools(world), "removed")
    refused = daemon.cli("pool", "create", "a/b", "8", check=False)
    expect_equal(refused.returncode, 2, "exit code of bad input")
    expect("pool: must not contain" in refused.stderr, refused.stderr)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
