"""Mirroring of a pool is set up by HTTP alone; what is secret is kept where librbd keeps it, and nowhere else.

Each check is a function; the names of checks may be given as arguments.
"""

import base64
import json
import os
import shutil
import sys
import tempfile
import time

from harness import Cluster, Suite, expect, expect_equal, journal, wait_until
from world import World, accepted, check_of

suite = Suite()
check = check_of(suite)

POOL = "/api/block/mirroring/pool/rbd"
SECRET = base64.b64encode(b"a key that nobody may see").decode()


def info(cluster):
    return json.loads(cluster.tool("rbd", "mirror", "pool", "info", "--all", "--format", "json", "rbd").stdout)


def decoded(token):
    return json.loads(base64.b64decode(token))


def hides(daemon, cluster, secret):
    kept = journal(cluster)
    expect("rbd/mirroring" in kept, "there is a journal")
    for text in (kept, daemon.output(), json.dumps(daemon.get("/api/task?detail=true").body),
                 json.dumps(daemon.get("/api/task/history").body)):
        expect(secret not in text, "a secret is out")


@check
def a_peer_is_added_changed_and_removed(world):
    daemon = world.start()
    expect_equal(daemon.request("PUT", POOL, {"mirror_mode": "image"}).status, 200, "mode")
    added = daemon.post(POOL + "/peer", {"cluster_name": "far", "client_id": "admin", "key": SECRET, "mon_host": "m"})
    expect_equal((added.status, list(added.body)), (201, ["uuid"]), "addition")
    peer = info(world.cluster)["peers"][0]
    expect_equal((peer["uuid"], peer["site_name"], peer["client_name"], peer["key"], peer["mon_host"]),
                 (added.body["uuid"], "far", "client.admin", SECRET, "m"), "as rbd(8) sees it")
    path = f"{POOL}/peer/{peer['uuid']}"
    expect_equal(daemon.request("PUT", path, {"mon_host": "n", "client_id": "other"}).status, 200, "edit")
    peer = info(world.cluster)["peers"][0]
    expect_equal((peer["client_name"], peer["key"], peer["mon_host"]), ("client.other", SECRET, "n"), "edited")
    refused = daemon.request("PUT", POOL, {"mirror_mode": "disabled"})
    expect_equal((refused.status, refused.body["code"]), (400, "16"), "a pool with peers is not disabled")
    expect_equal(daemon.request("DELETE", path).status, 204, "removal")
    expect_equal(info(world.cluster)["peers"], [], "peers")
    hides(daemon, world.cluster, SECRET)


@check
def a_token_makes_two_clusters_peers(world):
    daemon = world.start()
    daemon.request("PUT", POOL, {"mirror_mode": "image"})
    daemon.request("PUT", "/api/block/mirroring/site_name", {"site_name": "here"})
    token = daemon.post(POOL + "/bootstrap/token", {}).body["token"]
    rbds = world.cluster.tool("rbd", "mirror", "pool", "peer", "bootstrap", "create", "rbd").stdout.strip()
    for member in ("fsid", "client_id", "key"):
        expect_equal(decoded(token)[member], decoded(rbds)[member], f"{member} of the token of rbd(8)")
    directory = tempfile.mkdtemp(prefix="taskd-e2e.")
    other = Cluster(os.path.join(directory, "there"))
    try:
        other.tool("rbd", "mirror", "pool", "enable", "rbd", "image", "--site-name", "there")
        theirs = other.tool("rbd", "mirror", "pool", "peer", "bootstrap", "create", "rbd").stdout.strip()
        imported = daemon.post(POOL + "/bootstrap/peer", {"direction": "rx-tx", "token": theirs})
        expect_equal((imported.status, imported.body), (200, {}), "import")
        expect_equal([peer["site_name"] for peer in info(world.cluster)["peers"]], ["there"], "peers here")
        expect_equal([peer["site_name"] for peer in info(other)["peers"]], ["here"], "peers there")
    finally:
        other.wipe()
        shutil.rmtree(directory, ignore_errors=True)
    hides(daemon, world.cluster, theirs)
    hides(daemon, world.cluster, decoded(theirs)["key"])
    keys = world.cluster.tool("ceph", "config-key", "ls").stdout
    expect("rbd/mirror/taskd" not in keys, "the token was left among the configuration keys")


@check
def a_token_that_is_refused_is_not_kept(world):
    daemon = world.start()
    daemon.request("PUT", POOL, {"mirror_mode": "image"})
    token = daemon.post(POOL + "/bootstrap/token", {}).body["token"]
    refused = daemon.post(POOL + "/bootstrap/peer", {"direction": "rx", "token": token})
    expect_equal(refused.status, 400, "the own token")
    refused = daemon.post(POOL + "/bootstrap/peer", {"direction": "sideways", "token": token})
    expect_equal(refused.status, 400, "a direction that there is not")
    expect("rbd/mirror/taskd" not in world.cluster.tool("ceph", "config-key", "ls").stdout, "the token was kept")


def image(name):
    return "/api/block/image/rbd%2F" + name


def intervals(cluster, name):
    """When the mgr takes snapshots of the image."""
    told = cluster.tool("ceph", "rbd", "mirror", "snapshot", "schedule", "list", "rbd/" + name).stdout
    return sorted(item["interval"] for level in json.loads(told).values() for item in level["schedule"])


def start_with_schedules(world):
    """A daemon, a pool that is mirrored, and a mgr whose modules are loaded: that takes it a moment."""
    listing = ("ceph", "rbd", "mirror", "snapshot", "schedule", "list")
    wait_until(lambda: world.cluster.tool(*listing, check=False).returncode == 0, "the mgr knows of schedules")
    daemon = world.start()
    daemon.request("PUT", POOL, {"mirror_mode": "image"})
    return daemon


@check
def mirror_snapshots_are_scheduled(world):
    daemon = start_with_schedules(world)
    made = daemon.create("planned", mirror_mode="snapshot", schedule_interval="010m")
    expect_equal(made.status, 201, f"creation: {made}")
    expect_equal(intervals(world.cluster, "planned"), ["10m"], "schedule")
    edited = daemon.request("PUT", image("planned"), {"name": "renamed", "schedule_interval": "2h"})
    expect_equal(edited.status, 200, f"edit: {edited}")
    expect_equal(intervals(world.cluster, "renamed"), ["10m", "2h"], "schedule after the edit")

    accepted([daemon.create("later")])
    enabled = {"enable_mirror": True, "mirror_mode": "snapshot", "schedule_interval": "1d"}
    expect_equal(daemon.request("PUT", image("later"), enabled).status, 200, "mirroring with a schedule")
    expect_equal(intervals(world.cluster, "later"), ["1d"], "schedule of an image that was there")

    expect_equal(daemon.request("PUT", image("renamed"), {"remove_scheduling": True}).status, 200, "its end")
    expect_equal(intervals(world.cluster, "renamed"), [], "schedule when it is removed")
    ended = daemon.request("PUT", image("later"), {"enable_mirror": False, "remove_scheduling": True})
    expect_equal(ended.status, 200, f"the end of all: {ended}")


@check
def the_next_mirror_snapshot_is_told(world):
    daemon = start_with_schedules(world)
    accepted([daemon.create("planned", mirror_mode="snapshot", schedule_interval="10m"),
              daemon.create("beside")])
    # The mgr looks for new images once a minute.
    told = wait_until(lambda: daemon.get(image("planned")).body.get("schedule_info"), "the schedule is told", 150)
    expect_equal((sorted(told), told["image"]), (["image", "schedule_time"], "rbd/planned"), "what is told of it")
    listed = [one for pool in daemon.get("/api/block/image?limit=-1").body for one in pool["value"]]
    expect_equal({one["name"]: one.get("schedule_info", {}).get("image") for one in listed
                  if one["name"] in ("planned", "beside")}, {"planned": "rbd/planned", "beside": None}, "the list")
    ended = daemon.request("PUT", image("planned"), {"enable_mirror": False, "remove_scheduling": True})
    expect_equal(ended.status, 200, f"the end of all: {ended}")
    expect("schedule_info" not in daemon.get(image("planned")).body, "a schedule of what is not mirrored")


@check
def a_schedule_that_cannot_be_is_refused_and_leaves_nothing(world):
    daemon = start_with_schedules(world)
    for more in ({"schedule_interval": "5y", "mirror_mode": "snapshot"}, {"schedule_interval": "5m"},
                 {"schedule_interval": "0m", "mirror_mode": "snapshot"},
                 {"schedule_interval": "5m", "mirror_mode": "journal"}):
        refused = daemon.create("unplanned", **more)
        expect_equal(refused.status, 400, f"{more}: {refused}")
        expect("schedule_interval" in refused.body["detail"], f"no field is named: {refused}")
    expect_equal(world.images("unplanned"), [], "what was made")
    accepted([daemon.create("plain")])
    refused = daemon.request("PUT", image("plain"), {"name": "other", "schedule_interval": "5m"})
    expect_equal(refused.status, 400, "a schedule of what is not mirrored")
    expect("schedule_interval" in refused.body["detail"], f"no field is named: {refused}")
    expect_equal(daemon.request("PUT", image("plain"), {"remove_scheduling": True}).status, 200, "nothing to remove")
    expect_equal(world.images("other"), [], "what was renamed")


@check
def a_mgr_that_does_not_answer_costs_half_a_minute_and_no_list(world):
    daemon = start_with_schedules(world)
    accepted([daemon.create("mirrored", mirror_mode="snapshot", schedule_interval="3h")])
    with world.cluster.frozen("mgr.x"):
        began = time.monotonic()
        expect_equal(daemon.get(image("mirrored")).status, 200, "an image that may have a schedule")
        expect(time.monotonic() - began < 15, lambda: f"it took {time.monotonic() - began:.1f} s")
        grown = {"size": 2 << 20, "schedule_interval": "1h"}
        edit = daemon.request("PUT", image("mirrored"), grown, headers={"Prefer": "respond-async"}).task_id
        create = daemon.create("taken-back", asynchronous=True, mirror_mode="snapshot", schedule_interval="1h")
        for task_id in (edit, create.task_id):
            failed = daemon.finished(task_id)
            expect_equal((failed["success"], failed["exception"]["code"]), (False, "110"), f"outcome: {failed}")
        print(f"  a schedule that no mgr takes fails after {time.monotonic() - began:.0f} s")
        expect_equal(world.images("taken-back"), [], "what was made")
        expect_equal(daemon.get(image("mirrored")).body["size"], 1 << 20, "size when the schedule failed")


@check
def the_command_line_has_mirroring(world):
    daemon = start_with_schedules(world)
    daemon.cli("rbd", "mirror", "pool", "enable", "rbd", "image")
    daemon.cli("rbd", "create", "typed", "--size", "1M")
    daemon.cli("rbd", "mirror", "image", "enable", "typed", "snapshot")
    daemon.cli("rbd", "mirror", "snapshot", "schedule", "add", "--image", "typed", "3d")
    expect_equal(intervals(world.cluster, "typed"), ["3d"], "schedule")
    daemon.cli("rbd", "mirror", "snapshot", "schedule", "remove", "--image", "typed")
    expect_equal(intervals(world.cluster, "typed"), [], "schedule when it is removed")
    daemon.cli("rbd", "mirror", "image", "demote", "typed")
    daemon.cli("rbd", "mirror", "image", "promote", "typed")
    daemon.cli("rbd", "mirror", "image", "disable", "typed")

    daemon.cli("rbd", "mirror", "pool", "peer", "add", "rbd", "client.them@typed-site")
    uuid = next(peer["uuid"] for peer in info(world.cluster)["peers"] if peer["site_name"] == "typed-site")
    daemon.cli("rbd", "mirror", "pool", "peer", "set", "rbd", uuid, "mon-host", "10.0.0.9")
    told = daemon.cli("rbd", "mirror", "pool", "info").stdout
    for line in ("Mode: image", f"UUID: {uuid}", "Name: typed-site", "Client: client.them", "Mon Host: 10.0.0.9"):
        expect(line + "\n" in told, lambda line=line: f"no {line!r} in {told}")
    daemon.cli("rbd", "mirror", "pool", "peer", "remove", "rbd", uuid)
    expect(uuid not in [peer["uuid"] for peer in info(world.cluster)["peers"]], "the peer is still there")

    token = daemon.cli("rbd", "mirror", "pool", "peer", "bootstrap", "create", "rbd").stdout
    rbds = world.cluster.tool("rbd", "mirror", "pool", "peer", "bootstrap", "create", "rbd").stdout
    expect_equal(decoded(token)["key"], decoded(rbds)["key"], "key of the token of rbd(8)")
    path = os.path.join(world.directory, "token")
    with open(path, "w", encoding="utf-8") as file:
        file.write(token)
    refused = daemon.cli("rbd", "mirror", "pool", "peer", "bootstrap", "import", "rbd", path, check=False)
    expect_equal(refused.returncode, 1, "exit code of the own token")
    expect("error importing bootstrap token" in refused.stderr, refused.stderr)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
