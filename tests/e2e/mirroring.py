"""Mirroring of a pool is set up by HTTP alone; what is secret is kept where librbd keeps it, and nowhere else.

Each check is a function; the names of checks may be given as arguments.
"""

import base64
import json
import os
import shutil
import sys
import tempfile

from harness import Cluster, Suite, expect, expect_equal
from world import World, check_of

suite = Suite()
check = check_of(suite)

POOL = "/api/block/mirroring/pool/rbd"
SECRET = base64.b64encode(b"a key that nobody may see").decode()


def info(cluster):
    return json.loads(cluster.tool("rbd", "mirror", "pool", "info", "--all", "--format", "json", "rbd").stdout)


def decoded(token):
    return json.loads(base64.b64decode(token))


def journal(cluster):
    """All that the daemon keeps in the cluster, as text."""
    program = ("import rados\n"
               "with rados.Rados(conffile='') as cluster, cluster.open_ioctx('rbd') as pool:\n"
               "    pool.set_namespace('taskd')\n"
               "    for entry in pool.list_objects():\n"
               "        with rados.ReadOpCtx() as op:\n"
               "            values, _ = pool.get_omap_vals(op, '', '', 100000)\n"
               "            pool.operate_read_op(op, entry.key)\n"
               "            for name, value in values: print(name, value.decode(errors='replace'))\n")
    text = cluster.tool("/usr/bin/python3", "-c", program).stdout
    expect("rbd/mirroring" in text, "there is a journal")
    return text


def hides(daemon, cluster, secret):
    for text in (journal(cluster), daemon.output(), json.dumps(daemon.get("/api/task?detail=true").body),
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


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
