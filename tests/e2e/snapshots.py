"""Snapshots, clones, the trash and namespaces through HTTP and the command line, on a real cluster.

Statuses and bodies are those recorded of the dashboard 16.2.15, and ours where we add something. Each check is a
function; the names of checks may be given as arguments.
"""

import sys
import urllib.parse

from harness import Suite, expect, expect_equal
from world import World, check_of

VERSIONED = "application/vnd.ceph.api.v1.0+json"

suite = Suite()
check = check_of(suite)


def quoted(text):
    return urllib.parse.quote(text, safe="")


def image_path(spec, tail=""):
    return f"/api/block/image/{quoted(spec)}{tail}"


def snap_path(image, snapshot, tail=""):
    return image_path("rbd/" + image, f"/snap/{quoted(snapshot)}{tail}")


def settled(daemon, answer):
    """Status and body of a request as if it had waited to the end."""
    if answer.status != 202:
        return answer.status, answer.body
    view = daemon.finished(answer.task_id)
    return (200, view["ret_value"]) if view["success"] else (view["exception"]["status"], view["exception"])


def expect_done(daemon, answer, status, body=None):
    """That it succeeded with this status, or later with its task."""
    got, value = settled(daemon, answer)
    expect(got in (status, 200), lambda: f"expected {status}, got {answer}, {value}")
    expect_equal(value, body, "body")
    expect(answer.task_id, "no X-Task-Id")


def expect_failed(daemon, answer, body):
    """That it failed with just this, in answer and lists alike."""
    got, value = settled(daemon, answer)
    expect_equal(got, body.get("status", 400), f"status of {value}")
    expect_equal(value, body, "body")


def failure(name, metadata, code, detail, component="rbd", **more):
    return {"detail": detail, "code": str(code), "component": component, "status": 400,
            "task": {"name": name, "metadata": metadata}, **more}


def expect_refused(answer, field):
    """A 400 that names the field and made no task."""
    expect_equal(answer.status, 400, f"status of {answer}")
    expect(answer.body["detail"].startswith(field + ":"), lambda: f"{answer.body} does not name {field}")
    expect_equal(answer.body["component"], "taskd", "component")
    expect(not answer.task_id, "a bad request made a task")


def make(daemon, name, snapshot=None, protect=False, **more):
    expect_done(daemon, daemon.create(name, **more), 201)
    if snapshot:
        expect_done(daemon, daemon.post(image_path("rbd/" + name, "/snap"),
                                        {"snapshot_name": snapshot, "mirrorImageSnapshot": False}), 201)
    if protect:
        expect_done(daemon, daemon.request("PUT", snap_path(name, snapshot), {"is_protected": True}), 200)


def snapshots(world, name):
    lines = world.cluster.tool("rbd", "snap", "ls", name).stdout.splitlines()[1:]
    return [line.split()[1] for line in lines]


def image_id(world, name):
    lines = world.cluster.tool("rbd", "info", name).stdout.splitlines()
    return next(line.split()[1] for line in lines if line.strip().startswith("id:"))


@check
def a_snapshot_lives_as_recorded_of_the_dashboard(world):
    daemon = world.start()
    make(daemon, "a")
    path = image_path("rbd/a", "/snap")
    create = {"snapshot_name": "s1", "mirrorImageSnapshot": False}
    answer = daemon.post(path, create)
    expect_done(daemon, answer, 201)
    expect_equal(answer.headers["Content-Type"], VERSIONED, "content type")
    metadata = {"image_spec": "rbd/a", **create}
    expect_failed(daemon, daemon.post(path, create), failure(
        "rbd/snap/create", metadata, 17, "[errno 17] RBD image already exists (error creating snapshot b's1' from b'a')"))
    expect_failed(daemon, daemon.post(image_path("rbd/none", "/snap"), create), failure(
        "rbd/snap/create", {**metadata, "image_spec": "rbd/none"}, 2,
        "[errno 2] RBD image not found (error opening image b'none' at snapshot None)"))
    expect_failed(daemon, daemon.post(image_path("nopool/a", "/snap"), create), failure(
        "rbd/snap/create", {**metadata, "image_spec": "nopool/a"}, 2,
        "[errno 2] RADOS object not found (error opening pool 'nopool')", "pool"))

    expect_done(daemon, daemon.request("PUT", snap_path("a", "s1"), {"new_snap_name": "s1b"}), 200)
    expect_failed(daemon, daemon.request("PUT", snap_path("a", "s1"), {"new_snap_name": "s1c"}), failure(
        "rbd/snap/edit", {"image_spec": "rbd/a", "snapshot_name": "s1"}, 2,
        "[errno 2] RBD image not found (error renaming snapshot of b'a' from b's1' to b's1c')"))
    for body in ({"is_protected": True}, {"is_protected": True}, {}):
        expect_done(daemon, daemon.request("PUT", snap_path("a", "s1b"), body), 200)
    busy = daemon.request("DELETE", snap_path("a", "s1b"))
    expect_equal(settled(daemon, busy)[1]["code"], "16", "code of the delete of a protected snapshot")
    expect_done(daemon, daemon.request("PUT", snap_path("a", "s1b"), {"is_protected": False}), 200)
    expect_done(daemon, daemon.request("POST", snap_path("a", "s1b", "/rollback")), 200)
    expect_done(daemon, daemon.post(snap_path("a", "s1b", "/rollback"), {}), 200)
    expect_failed(daemon, daemon.request("POST", snap_path("a", "no", "/rollback")), failure(
        "rbd/snap/rollback", {"image_spec": "rbd/a", "snapshot_name": "no"}, 2,
        "[errno 2] RBD image not found (error rolling back image b'a' to snapshot b'no')"))
    expect_done(daemon, daemon.request("DELETE", snap_path("a", "s1b")), 204)
    expect_failed(daemon, daemon.request("DELETE", snap_path("a", "s1b")), failure(
        "rbd/snap/delete", {"image_spec": "rbd/a", "snapshot_name": "s1b"}, 2,
        "[errno 2] RBD image not found (error removing snapshot b's1b' from b'a')"))
    expect_equal(snapshots(world, "a"), [], "snapshots")


@check
def a_clone_lives_as_recorded_of_the_dashboard(world):
    daemon = world.start()
    make(daemon, "parent", "s", protect=True)
    path = snap_path("parent", "s", "/clone")
    metadata = {"parent_image_spec": "rbd/parent", "child_pool_name": "rbd", "child_namespace": None,
                "child_image_name": "child"}
    expect_done(daemon, daemon.post(path, {"child_pool_name": "rbd", "child_image_name": "child"}), 200)
    expect_failed(daemon, daemon.post(path, {"child_pool_name": "rbd", "child_image_name": "child"}), failure(
        "rbd/clone", metadata, 17, "[errno 17] RBD image already exists (error creating clone)"))
    expect_failed(daemon, daemon.post(path, {"child_pool_name": "nopool", "child_image_name": "child"}), failure(
        "rbd/clone", {**metadata, "child_pool_name": "nopool"}, 2,
        "[errno 2] RADOS object not found (error opening pool 'nopool')", "pool"))
    missing = daemon.post(snap_path("parent", "no", "/clone"), {"child_pool_name": "rbd", "child_image_name": "c2"})
    expect(settled(daemon, missing)[1]["detail"].startswith("[errno 2] RBD image not found (error creating clone)"),
           f"clone of no snapshot: {missing}")

    status, body = settled(daemon, daemon.request("PUT", snap_path("parent", "s"), {"is_protected": False}))
    expect_equal((status, body["code"]), (400, "16"), "unprotect with a clone")
    expect(body["detail"].startswith("[errno 16] RBD image is busy (error unprotecting snapshot b'parent'@b's')"),
           f"unprotect: {body}")
    expect_equal([child["image_spec"] for child in body["blockers"]["children"]], ["rbd/child"], "children")


@check
def the_plan_of_a_delete_is_what_the_delete_does(world):
    daemon = world.start()
    make(daemon, "old", "s", protect=True)
    expect_done(daemon, daemon.post(snap_path("old", "s", "/clone"),
                                    {"child_pool_name": "rbd", "child_image_name": "young"}), 200)
    path = image_path("rbd/old")
    before = daemon.request("DELETE", path + "?dry_run=true")
    expect_equal((before.status, before.body["possible"]), (200, False), f"plan {before}")
    expect_equal(settled(daemon, daemon.request("DELETE", path))[1]["detail"], before.body["refusal"], "refusal")
    plan = daemon.request("DELETE", path + "?dry_run=true&children=flatten").body
    expect_equal(plan["steps"], ["flatten rbd/young", "remove snapshot s", "remove rbd/old"], "steps")
    expect_equal(snapshots(world, "old"), ["s"], "snapshots after two plans")
    expect_done(daemon, daemon.request("DELETE", path + "?children=flatten"), 204)
    expect_equal(settled(daemon, daemon.request("DELETE", path))[0], 404, "a second delete")
    expect("parent" not in world.cluster.tool("rbd", "info", "young").stdout, "the clone still has its parent")


@check
def the_trash_works_as_recorded_of_the_dashboard(world):
    daemon = world.start()
    for name in ("t1", "t2", "t3"):
        make(daemon, name)
    ids = {name: image_id(world, name) for name in ("t1", "t2", "t3")}
    expect_done(daemon, daemon.post(image_path("rbd/t1", "/move_trash"), {"delay": 0}), 200)
    expect_done(daemon, daemon.post(image_path("rbd/t2", "/move_trash"), {"delay": 3599.42}), 200)
    expect_done(daemon, daemon.request("POST", image_path("rbd/t3", "/move_trash")), 200)
    expect_failed(daemon, daemon.post(image_path("rbd/none", "/move_trash"), {"delay": 0}), failure(
        "rbd/trash/move", {"image_spec": "rbd/none"}, 2, "[errno 2] RBD image not found (error moving image to trash)"))

    def entry(name, tail=""):
        return f"/api/block/image/trash/{quoted('rbd/' + ids[name])}{tail}"

    status, body = settled(daemon, daemon.request("DELETE", entry("t2")))
    expect_equal((status, body["code"]), (400, "1"), "removal before its time")
    expect(body["detail"].startswith("[errno 1] RBD permission error (error deleting image from trash)"), str(body))
    expect_done(daemon, daemon.request("DELETE", entry("t2", "/?force=true")), 204)
    expect_failed(daemon, daemon.request("DELETE", entry("t2")), failure(
        "rbd/trash/remove", {"image_id_spec": "rbd/" + ids["t2"]}, 2,
        "[errno 2] RBD image not found (error deleting image from trash)"))
    expect_done(daemon, daemon.post(entry("t1", "/restore"), {"new_image_name": "t1b"}), 200)
    make(daemon, "t4")
    status, body = settled(daemon, daemon.post(entry("t3", "/restore"), {"new_image_name": "t4"}))
    expect_equal((status, body["code"]), (400, "17"), "restore to a name that is taken")
    for _ in range(2):
        expect_done(daemon, daemon.request("POST", "/api/block/image/trash/purge?pool_name=rbd"), 200)
    expect_done(daemon, daemon.request("POST", "/api/block/image/trash/purge"), 200)
    status, body = settled(daemon, daemon.request("POST", "/api/block/image/trash/purge?pool_name=nopool"))
    expect_equal((status, body["code"], body["component"]), (400, "2", "pool"), "purge of no pool")
    expect_equal(world.cluster.tool("rbd", "trash", "ls").stdout, "", "trash")
    expect("t1b" in world.cluster.images(), "the restored image is not there")


@check
def namespaces_answer_as_recorded_of_the_dashboard(world):
    daemon = world.start()
    path = "/api/block/pool/rbd/namespace"
    expect_equal(daemon.post(path, {"namespace": "ns"}).status, 201, "create")
    again = daemon.post(path, {"namespace": "ns"})
    expect_equal((again.status, again.body), (400, {"detail": "Namespace already exists",
                                                    "code": "namespace_already_exists", "component": "rbd"}), "again")
    expect_equal(again.headers["Content-Type"], "application/json", "content type of a failure")
    expect_done(daemon, daemon.create("img", namespace="ns"), 201)
    full = daemon.request("DELETE", path + "/ns")
    expect_equal((full.status, full.body), (400, {
        "detail": "Namespace contains images which must be deleted first", "code": "namespace_contains_images",
        "component": "rbd"}), "delete of one with images")
    expect_done(daemon, daemon.request("DELETE", image_path("rbd/ns/img")), 204)
    expect_equal(daemon.request("DELETE", path + "/ns").status, 204, "delete")
    missing = daemon.request("DELETE", path + "/ns")
    expect_equal((missing.status, missing.body["code"]), (400, "2"), f"delete of none: {missing}")
    no_pool = daemon.post("/api/block/pool/nopool/namespace", {"namespace": "x"})
    expect_equal((no_pool.status, no_pool.body), (400, {
        "detail": "[errno 2] RADOS object not found (error opening pool 'nopool')", "code": "2", "component": None}),
        "no pool")


@check
def mistakes_are_400_and_name_their_field(world):
    daemon = world.start()
    make(daemon, "m", "s")
    snap = image_path("rbd/m", "/snap")
    rows = [
        (daemon.post(snap, {"snapshot_name": "x"}), "mirrorImageSnapshot"),
        (daemon.post(snap, {"mirrorImageSnapshot": False}), "snapshot_name"),
        (daemon.post(snap, {"snapshot_name": "a@b", "mirrorImageSnapshot": False}), "snapshot_name"),
        (daemon.post(snap, {"snapshot_name": "a", "mirrorImageSnapshot": False, "nonsense": 1}), "nonsense"),
        (daemon.request("PUT", snap_path("m", "s"), {"is_protected": 5}), "is_protected"),
        (daemon.request("DELETE", snap_path("m", "s") + "?nonsense=1"), "nonsense"),
        (daemon.request("POST", snap_path("m", "s", "/clone")), "child_pool_name"),
        (daemon.post(snap_path("m", "s", "/clone"), {"child_pool_name": "rbd", "child_image_name": "d/x"}),
         "child_image_name"),
        (daemon.post(image_path("rbd/m", "/move_trash"), {"delay": "10"}), "delay"),
        (daemon.post(image_path("rbd/m", "/move_trash"), {"delay": -1}), "delay"),
        (daemon.post(image_path("m", "/move_trash"), {}), "image_spec"),
        (daemon.request("DELETE", "/api/block/image/trash/rbd%2F10ab?force=garbage"), "force"),
        (daemon.request("POST", "/api/block/image/trash/rbd%2F10ab/restore"), "new_image_name"),
        (daemon.post("/api/block/pool/rbd/namespace", {}), "namespace"),
        (daemon.post("/api/block/pool/rbd/namespace", {"namespace": ""}), "namespace"),
        (daemon.request("DELETE", image_path("rbd/m") + "?children=eat"), "children"),
    ]
    for answer, field in rows:
        expect_refused(answer, field)
    expect_equal(snapshots(world, "m"), ["s"], "snapshots")


@check
def the_command_line_has_rbds_words(world):
    daemon = world.start()
    for words in (["create", "rbd/cli", "--size", "4"], ["snap", "create", "rbd/cli@a"],
                  ["snap", "rename", "cli@a", "cli@b"], ["snap", "protect", "--image", "cli", "--snap", "b"],
                  ["clone", "rbd/cli@b", "rbd/cli-child"], ["snap", "rollback", "rbd/cli@b"],
                  ["rm", "rbd/cli-child"], ["snap", "unprotect", "cli@b"], ["snap", "create", "cli@c"],
                  ["snap", "purge", "cli"], ["trash", "mv", "cli"]):
        daemon.cli("rbd", *words)
    entry = world.cluster.tool("rbd", "trash", "ls").stdout.split()[0]
    daemon.cli("rbd", "trash", "restore", entry)
    expect_equal(snapshots(world, "cli"), [], "snapshots")
    daemon.cli("rbd", "trash", "mv", "cli", "--delay", "3600")
    refused = daemon.cli("rbd", "trash", "rm", entry, check=False)
    expect_equal(refused.returncode, 1, "exit code of a removal before its time")
    expect("say force to remove it now" in refused.stderr, f"it says {refused.stderr!r}")
    daemon.cli("rbd", "trash", "rm", entry, "--force")
    daemon.cli("rbd", "trash", "purge")
    daemon.cli("rbd", "namespace", "create", "rbd/cli-ns")
    daemon.cli("rbd", "namespace", "rm", "rbd/cli-ns")
    expect_equal(world.cluster.tool("rbd", "trash", "ls").stdout, "", "trash")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
