"""What a daemon on a real cluster answers is as /api/openapi.json says: each operation's success and the usual failures.

Each check is a function; the names of checks may be given as arguments.
"""

import contextlib
import json
import sys

from described import description_of
from harness import CEPH_TASKD, Suite, UnixConnection, expect, expect_equal, run, wait_until
from world import World, check_of

suite = Suite()
check = check_of(suite)

IMAGE = "/api/block/image/rbd%2F"
MIRRORING = "/api/block/mirroring"
MIB = 1 << 20

# What is not seen to succeed here, and why.
NOT_SEEN = {"POST /api/block/mirroring/pool/{pool_name}/bootstrap/peer": "needs another cluster: mirroring.py"}


class Client:
    """Asks, and judges each answer."""

    def __init__(self, daemon):
        self.socket = daemon.socket
        self.description = description_of(daemon)
        self.succeeded = set()
        self.failed = set()
        self.problems = []

    def ask(self, method, path, body=None, headers=None, wanted=None):
        """Status and body, which is parsed where it is JSON."""
        connection = UnixConnection(self.socket, 60)
        headers = dict(headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        said = json.loads(text) if text and "json" in response.headers.get("Content-Type", "") else text.decode() or None
        self.problems += self.description.problems_of_answer(method, path, response.status, dict(response.headers.items()), said)
        name, _ = self.description.operation(method, path)
        (self.succeeded if response.status < 300 else self.failed).add(name)
        if wanted is not None:
            expect_equal(response.status, wanted, f"{method} {path}: {said}")
        return response.status, said

    def done(self, method, path, body=None):
        """The task's success: at once, or later when it takes longer."""
        status, said = self.ask(method, path, body)
        expect(status in (200, 201, 204, 202), lambda: f"{method} {path}: {status} {said}")
        if status == 202:
            wait_until(lambda: not self.ask("GET", "/api/task?detail=1")[1]["executing_tasks"], f"{method} {path} has ended")
        return said

    def expect_all_as_described(self):
        expect(not self.problems, lambda: "not as described:\n    " + "\n    ".join(sorted(set(self.problems))[:40]))

    def not_seen(self):
        """The operations that were not seen to succeed."""
        return {f"{method.upper()} {path}" for path, item in self.description.document["paths"].items()
                for method in item} - self.succeeded


client_of_all = []  # that of each check, for the last one


def client_of(daemon):
    client_of_all.append(Client(daemon))
    return client_of_all[-1]


@check
def what_looks_is_as_described(world):
    client = client_of(world.start())
    for path in ("/", "/assets/page.js", "/assets/page.css", "/assets/preact-htm.js", "/assets/pico.css", "/healthz",
                 "/api/openapi.json", "/metrics", "/api/block/image/default_features", "/api/block/image/clone_format_version",
                 "/api/block/image/trash", "/api/block/image", "/ui-api/block/rbd/status", "/api/task?name=rbd/*",
                 "/api/task/history", "/api/block/pool/rbd/namespace", MIRRORING + "/site_name", MIRRORING + "/pool/rbd",
                 MIRRORING + "/pool/rbd/peer"):
        client.ask("GET", path, wanted=200)
    wait_until(lambda: client.ask("GET", "/readyz")[0] == 200, "the daemon is ready")
    wait_until(lambda: client.ask("GET", "/api/summary")[1]["health_status"], "the cluster is known")
    for path, status in (("/api/summary?x=1", 400), ("/api/task/nope", 404), (IMAGE + "none", 404), ("/api/block/image?limit=-2", 400),
                         ("/api/block/image?pool_name=none", 400), (MIRRORING + "/pool/none", 400),
                         ("/api/block/pool/none/namespace", 400), (MIRRORING + "/pool/rbd/peer/none", 404)):
        client.ask("GET", path, wanted=status)
    client.ask("GET", "/api/summary", headers={"Accept": "application/vnd.ceph.api.v9.0+json"}, wanted=415)
    client.expect_all_as_described()


@check
def images_are_as_described(world):
    client = client_of(world.start())
    image = IMAGE + "a"
    create = {"pool_name": "rbd", "name": "a", "size": 8 * MIB}
    client.done("POST", "/api/block/image", create)
    client.ask("POST", "/api/block/image", create, wanted=400)
    client.ask("POST", "/api/block/image", {**create, "size": "x"}, wanted=400)
    client.ask("POST", "/api/block/image", headers={"Content-Type": "text/plain"}, wanted=415)
    client.done("PUT", image, {"size": 16 * MIB, "configuration": {"rbd_qos_iops_limit": 1000}})
    client.ask("PUT", image, {"size": MIB}, wanted=409)
    client.done("POST", image + "/resize", {"size": 8 * MIB, "allow_shrink": True})
    client.done("POST", image + "/sparsify", {})
    client.done("POST", image + "/object_map/rebuild", {})
    client.done("POST", image + "/copy", {"dest_pool_name": "rbd", "dest_namespace": None, "dest_image_name": "b"})
    client.done("POST", image + "/snap", {"snapshot_name": "s", "mirrorImageSnapshot": False})
    client.done("POST", image + "/deep_copy", {"dest_pool_name": "rbd", "dest_namespace": None, "dest_image_name": "c"})
    client.done("PUT", image + "/snap/s", {"is_protected": True})
    client.done("POST", image + "/snap/s/rollback", {})
    client.done("POST", image + "/snap/s/clone", {"child_pool_name": "rbd", "child_image_name": "clone"})
    client.ask("GET", image, wanted=200)
    client.ask("GET", IMAGE + "clone", wanted=200)
    client.ask("GET", "/api/block/image?limit=-1", wanted=200)
    client.ask("DELETE", image, wanted=400)  # with blockers
    _, plan = client.ask("DELETE", image + "?dry_run=true&children=flatten", wanted=200)
    expect(plan["steps"], "the plan has no steps")
    client.ask("DELETE", image + "?dry_run=true", wanted=200)
    client.ask("DELETE", IMAGE + "none", wanted=404)
    client.done("POST", IMAGE + "clone/flatten", {})
    client.ask("POST", IMAGE + "clone/flatten", {}, wanted=400)
    client.done("PUT", image + "/snap/s", {"is_protected": False})
    client.done("DELETE", image + "/snap/s")
    client.done("POST", IMAGE + "c/snap/purge", {"protected": "remove"})
    client.done("POST", IMAGE + "b/migration/prepare", {"dest_image_name": "d"})
    client.done("POST", IMAGE + "d/migration/execute", {})
    client.done("POST", IMAGE + "d/migration/commit", {})
    client.done("POST", IMAGE + "d/migration/prepare", {"dest_image_name": "e"})
    client.done("POST", IMAGE + "e/migration/abort", {})
    client.done("DELETE", image)
    client.expect_all_as_described()


@check
def trash_and_namespaces_are_as_described(world):
    client = client_of(world.start())
    for name in ("t", "u"):
        client.done("POST", "/api/block/image", {"pool_name": "rbd", "name": name, "size": MIB})
        client.done("POST", IMAGE + name + "/move_trash", {"delay": 3600})
    _, trash = client.ask("GET", "/api/block/image/trash?pool_name=rbd", wanted=200)
    first, second = (entry["id"] for entry in trash[0]["value"])
    client.done("POST", f"/api/block/image/trash/rbd%2F{first}/restore", {"new_image_name": ""})
    client.ask("DELETE", f"/api/block/image/trash/rbd%2F{second}", wanted=400)
    client.done("DELETE", f"/api/block/image/trash/rbd%2F{second}?force=true")
    client.done("POST", "/api/block/image/trash/purge", {"pool_name": "rbd"})
    namespaces = "/api/block/pool/rbd/namespace"
    client.done("POST", namespaces, {"namespace": "n"})
    client.ask("POST", namespaces, {"namespace": "n"}, wanted=400)
    client.ask("GET", namespaces, wanted=200)
    client.done("DELETE", namespaces + "/n")
    client.ask("DELETE", namespaces + "/n", wanted=400)
    client.expect_all_as_described()


@check
def mirroring_pools_and_commands_are_as_described(world):
    client = client_of(world.start())
    pool = MIRRORING + "/pool/rbd"
    client.done("PUT", MIRRORING + "/site_name", {"site_name": "here"})
    client.done("PUT", pool, {"mirror_mode": "image"})
    client.ask("POST", pool + "/bootstrap/token", wanted=200)
    client.ask("POST", pool + "/bootstrap/peer", {"direction": "rx", "token": "x"}, wanted=400)
    peer = pool + "/peer/" + client.done("POST", pool + "/peer", {"cluster_name": "there", "client_id": "x", "key": "k"})["uuid"]
    client.ask("GET", pool + "/peer", wanted=200)
    client.ask("GET", peer, wanted=200)
    client.done("PUT", peer, {"client_id": "y"})
    client.ask("PUT", pool, {"mirror_mode": "disabled"}, wanted=400)
    client.done("DELETE", peer)
    client.done("PUT", pool, {"mirror_mode": "disabled"})
    client.done("POST", "/api/pool", {"pool": "p", "pg_num": 1, "pool_type": "replicated", "application_metadata": ["rbd"]})
    client.done("PUT", "/api/pool/p", {"quota_max_objects": 1000, "nosizechange": True})
    client.ask("PUT", "/api/pool/none", {"quota_max_objects": 1}, wanted=400)
    client.ask("POST", "/api/pool", {"pool": "q"}, wanted=400)
    client.ask("DELETE", "/api/pool/p")  # allowed or not, as the cluster is set up
    world.cluster.tool("ceph", "config", "set", "mon", "mon_allow_pool_delete", "true")
    wait_until(lambda: client.ask("DELETE", "/api/pool/p")[0] in (204, 400) and "DELETE /api/pool/{pool_name}" in client.succeeded,
               "the pool is removed", 30)
    client.ask("POST", "/api/command", {"command": {"prefix": "osd pool ls", "format": "json"}}, wanted=200)
    client.ask("POST", "/api/command", {"command": {"prefix": "osd frob"}}, wanted=400)
    client.expect_all_as_described()


@check
def tasks_are_as_described(world):
    daemon = world.start()
    client = client_of(daemon)
    world.make_images(["slow"])
    client.ask("DELETE", IMAGE + "slow?priority=low&deadline=600", headers={"Prefer": "respond-async"}, wanted=202)
    client.ask("DELETE", IMAGE + "slow?snapshots=refuse", wanted=409)  # with other arguments
    [task] = client.ask("GET", "/api/task?detail=true", wanted=200)[1]["executing_tasks"]
    for path in ("/api/task", "/api/summary", f"/api/task/{task['id']}?wait=0.1"):
        client.ask("GET", path, wanted=200)
    client.ask("DELETE", f"/api/task/{task['id']}", wanted=202)
    ended = daemon.finished(task["id"])
    expect_equal(ended["exception"]["code"], "125", "its end")
    client.ask("DELETE", f"/api/task/{task['id']}", wanted=409)
    for path in ("/api/task", "/api/summary", "/api/task?detail=true", f"/api/task/{task['id']}"):
        client.ask("GET", path, wanted=200)
    wait_until(lambda: client.ask("GET", "/api/task/history?state=failed&limit=5")[1]["total"] >= 1, "the history has it")
    # Of an earlier life.
    daemon.stop()
    client.socket = world.start().socket
    wait_until(lambda: client.ask("GET", f"/api/task/{task['id']}")[0] == 200, "the history is read")
    client.done("DELETE", IMAGE + "slow")
    client.expect_all_as_described()


@check
def events_are_as_described(world):
    daemon = world.start()
    client = client_of(daemon)
    connection = UnixConnection(daemon.socket, 60)
    with contextlib.closing(connection):
        connection.request("GET", "/api/task/events")
        response = connection.getresponse()
        headers = dict(response.headers.items())
        client.problems += client.description.problems_of_answer("GET", "/api/task/events", response.status, headers, "")
        expect_equal(response.status, 200, "status")
        client.succeeded.add("GET /api/task/events")
        daemon.create("told")
        line = b""
        while not (line.startswith(b"data: ") and b"begin_time" in line):
            line = response.readline()
            expect(line, "the stream has ended")
    detail = {"$ref": "#/components/schemas/TaskDetail"}
    client.problems += client.description.problems_of(detail, json.loads(line.removeprefix(b"data: ")))
    client.expect_all_as_described()


@check
def the_login_is_as_described(world):
    daemon = world.start("none")
    client = client_of(daemon)
    client.ask("POST", "/api/auth", {"username": "a", "password": "b"}, wanted=404)  # nobody is asked
    daemon.stop()
    daemon = world.start("own", auth="own")
    client.socket = daemon.socket
    run(CEPH_TASKD, "user", "create", "alice", "administrator", "-i", "-", text="a good password", env=world.cluster.env)
    login = {"username": "alice", "password": "a good password"}
    wait_until(lambda: client.ask("POST", "/api/auth", login)[0] == 201, "alice can log in", 30)
    token = client.ask("POST", "/api/auth", login)[1]["token"]
    client.ask("POST", "/api/auth", {**login, "password": "x"}, wanted=400)
    client.ask("POST", "/api/auth", {"username": "alice"}, wanted=400)
    client.ask("POST", "/api/auth/check", {"token": token}, wanted=200)
    client.ask("POST", "/api/auth/check", {"token": None}, wanted=200)
    client.ask("POST", "/api/auth/logout", headers={"Authorization": "Bearer " + token}, wanted=200)
    client.ask("POST", "/api/auth/logout", headers={"Authorization": "Bearer " + token})
    client.expect_all_as_described()


@check
def each_operation_was_seen_to_succeed(_):
    """By the checks before this one, which it needs."""
    not_seen = set.intersection(*(client.not_seen() for client in client_of_all))
    expect_equal(not_seen, set(NOT_SEEN), "not seen to succeed")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
