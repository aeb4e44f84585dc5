"""What changes and copies images, through HTTP: statuses, bodies, progress, cancel, and what a kill leaves.

Each check is a function; the names of checks may be given as arguments.
"""

import signal
import sys

from harness import Suite, expect, expect_equal, wait_until
from world import World, check_of, expect_no_record

suite = Suite()
check = check_of(suite)

MIB = 1 << 20
LONG_BYTES = 4096 * MIB
# Some data in each object, at once and in one process.
FILL = """
import rados, rbd, sys
name, size, length, order, features = sys.argv[1], *map(int, sys.argv[2:6])
with rados.Rados(conffile='') as cluster, cluster.open_ioctx('rbd') as pool:
    rbd.RBD().create(pool, name, size, order, features=features)
    with rbd.Image(pool, name) as image:
        for at in range(0, size, 1 << order):
            image.aio_write(b'x' * length, at, lambda done: None)
        image.flush()
        for word in sys.argv[6:]:
            image.create_snap(word)
            image.protect_snap(word)
"""


def path(name, what=""):
    return "/api/block/image/rbd%2F" + name + what


def make_full(world, name, size=LONG_BYTES, length=4096, order=22, features=61, snapshots=()):
    numbers = (str(number) for number in (size, length, order, features))
    world.cluster.tool("/usr/bin/python3", "-c", FILL, name, *numbers, *snapshots)


def limit(world, name, iops):
    """Makes reading it slow."""
    world.cluster.tool("rbd", "config", "image", "set", "rbd/" + name, "rbd_qos_iops_limit", str(iops))


def destination(name):
    return {"dest_pool_name": "rbd", "dest_namespace": None, "dest_image_name": name}


def info(world, name):
    lines = world.cluster.tool("rbd", "info", "rbd/" + name).stdout
    return lines


def leftovers(world):
    return [name for name in world.cluster.images() if name.startswith("taskd-copy-")]


def expect_failure(answer, status, code, detail, task, what):
    expect_equal(answer.status, status, what + ": status")
    expect_equal(answer.body["code"], code, what + ": code")
    expect(answer.body["detail"].startswith(detail), lambda: f"{what}: detail {answer.body['detail']!r}")
    expect_equal(answer.body["status"], status, what + ": status in the body")
    expect_equal(answer.body["task"], task, what + ": task")


def progress_of(daemon, task_id):
    """All values that a client sees who asks all the time until the task ends, and its end."""
    seen = []
    while not seen or view["state"] != "finished":
        view = daemon.task(task_id)
        seen.append(view["progress"])
    return view, seen


@check
def editing_answers_as_the_dashboard_does(world):
    daemon = world.start()
    daemon.create("edited", 8 * MIB, features=["layering", "exclusive-lock"])

    done = daemon.request("PUT", path("edited"), {"name": "edited-2", "size": 16 * MIB,
                                                  "features": ["layering", "exclusive-lock", "object-map", "fast-diff"],
                                                  "configuration": {"rbd_qos_iops_limit": 5}})
    expect_equal((done.status, done.body), (200, None), "edit")
    expect("size 16 MiB" in info(world, "edited-2"), "not resized")
    expect("fast-diff" in info(world, "edited-2"), "features not switched on")
    view = daemon.task(done.task_id)
    expect_equal(view["metadata"], {"image_spec": "rbd/edited", "name": "edited-2"}, "metadata")
    expect_equal(view["progress"], 100, "progress")
    expect_failure(daemon.request("PUT", path("edited"), {"size": 1}), 400, "2",
                   "[errno 2] RBD image not found (error opening image b'edited' at snapshot None)",
                   {"name": "rbd/edit", "metadata": {"image_spec": "rbd/edited", "name": None}}, "a missing image")
    expect_equal(daemon.request("PUT", path("edited-2"), {}).status, 200, "an edit of nothing")
    for field, value in (("size", "abc"), ("size", -1), ("size", 1 << 64), ("bogus", 1), ("name", "a/b"), ("name", "a@b"),
                         ("features", ["x"]), ("configuration", 5)):
        refused = daemon.request("PUT", path("edited-2"), {field: value})
        expect_equal((refused.status, refused.body["code"]), (400, "22"), f"{field}={value!r}")
        expect(refused.body["detail"].startswith(field + ":"), lambda: f"{field} is not named: {refused.body}")


@check
def shrinking_without_consent_is_409_with_both_sizes(world):
    daemon = world.start()
    daemon.create("shrunk", 1024 * MIB)

    refused = daemon.request("PUT", path("shrunk"), {"size": 512 * MIB})
    expect_failure(refused, 409, "22", "[errno 22] RBD invalid argument (error resizing image b'shrunk')",
                   {"name": "rbd/edit", "metadata": {"image_spec": "rbd/shrunk", "name": None}}, "shrink")
    expect_equal(refused.body["sizes"], {"now": 1024 * MIB, "asked": 512 * MIB}, "sizes")
    expect("size 1 GiB" in info(world, "shrunk"), "it was shrunk all the same")
    expect_equal(daemon.request("PUT", path("shrunk") + "?allow_shrink=true", {"size": 512 * MIB}).status, 200, "consent")
    expect("size 512 MiB" in info(world, "shrunk"), "it was not shrunk")


@check
def copying_answers_as_the_dashboard_does(world):
    daemon = world.start()
    daemon.create("copied", 8 * MIB)
    metadata = {"src_image_spec": "rbd/copied", **destination("copy")}

    done = daemon.post(path("copied", "/copy"), destination("copy"))
    expect_equal((done.status, done.body), (200, None), "copy")
    expect_equal(daemon.task(done.task_id)["metadata"], metadata, "metadata")
    expect_failure(daemon.post(path("copied", "/copy"), destination("copy")), 400, "17",
                   "[errno 17] RBD image already exists (error copying image b'copied' to b'copy')",
                   {"name": "rbd/copy", "metadata": metadata}, "a name that is taken")
    expect_failure(daemon.post(path("copied", "/copy"), {**destination("x"), "snapshot_name": "nosnap"}), 400, "2",
                   "[errno 2] RBD image not found (error setting image b'copied' to snapshot b'nosnap')",
                   {"name": "rbd/copy", "metadata": {**metadata, "dest_image_name": "x"}}, "a missing snapshot")
    no_pool = daemon.post(path("copied", "/copy"), {**destination("x"), "dest_pool_name": "nopool"})
    expect_equal((no_pool.status, no_pool.body["component"]), (400, "pool"), "a missing pool")
    by_query = daemon.request("POST", path("copied", "/copy?dest_pool_name=rbd&dest_namespace=&dest_image_name=q"))
    expect_equal(by_query.status, 200, "arguments in the query")
    for missing in destination("x"):
        body = {key: value for key, value in destination("x").items() if key != missing}
        refused = daemon.post(path("copied", "/copy"), body)
        expect_equal(refused.status, 400, "without " + missing)
        expect(refused.body["detail"].startswith(missing + ":"), lambda: f"{missing} is not named: {refused.body}")


@check
def long_work_shows_at_least_ten_values_of_progress(world):
    """On 4 GiB in 4,096 objects with data, and no map that would tell what can be left out."""
    daemon = world.start()
    make_full(world, "long", order=20, features=1, snapshots=["s"])
    world.cluster.tool("rbd", "clone", "rbd/long@s", "rbd/long-clone")
    for method, name, what, body in (("POST", "long", "/copy", destination("long-copy")),
                                     ("POST", "long", "/deep_copy", destination("long-deep")),
                                     ("POST", "long-clone", "/flatten", {}),
                                     ("POST", "long", "/snap/s/rollback", {}),
                                     ("POST", "long-copy", "/resize", {"size": 0, "allow_shrink": True}),
                                     ("DELETE", "long-clone", "", None)):
        began = daemon.request(method, path(name, what), body, headers={"Prefer": "respond-async"})
        expect_equal(began.status, 202, what)
        end, seen = progress_of(daemon, began.task_id)
        what = end["name"]
        print(f"  {what}: {end['duration']:.1f} s, {len(set(seen))} values")
        expect(end["success"], lambda: f"{what} failed: {end['exception']}")
        expect_equal(seen, sorted(seen), what + ": progress falls")
        expect_equal(seen[-1], 100, what + ": the last value")
        expect(len(set(seen)) >= 10, lambda: f"{what}: only {sorted(set(seen))}")


@check
def a_cancelled_copy_leaves_nothing(world):
    daemon = world.start()
    make_full(world, "slow")
    limit(world, "slow", 50)
    began = daemon.post(path("slow", "/copy"), destination("never"), headers={"Prefer": "respond-async"})
    wait_until(lambda: daemon.task(began.task_id)["progress"] > 0, "the copy makes progress")
    expect("never" not in world.cluster.images(), "half a copy is seen under its name")

    expect_equal(daemon.request("DELETE", "/api/task/" + began.task_id).status, 202, "cancel")
    end = daemon.finished(began.task_id)
    expect_equal((end["success"], end["exception"]["code"]), (False, "125"), "its end")
    expect("never" not in world.cluster.images(), "the copy is there")
    expect_equal(leftovers(world), [], "leftovers")


@check
def a_copy_survives_the_kill_of_its_daemon(world):
    daemon = world.start()
    make_full(world, "kept", 2048 * MIB)
    limit(world, "kept", 100)
    began = daemon.post(path("kept", "/copy"), destination("kept-copy"), headers={"Prefer": "respond-async"})
    wait_until(lambda: daemon.task(began.task_id)["progress"] > 0, "the copy makes progress")
    daemon.stop(signal.SIGKILL)
    expect("kept-copy" not in world.cluster.images(), "half a copy is seen under its name")
    world.cluster.tool("rbd", "config", "image", "remove", "rbd/kept", "rbd_qos_iops_limit")

    again = world.start()
    end = again.finished(began.task_id)
    expect(end["success"], lambda: f"it failed: {end['exception']}")
    expect_equal(leftovers(world), [], "leftovers")
    sums = [world.cluster.tool("sh", "-c", f"rbd export --no-progress rbd/{name} - | cksum").stdout
            for name in ("kept", "kept-copy")]
    expect_equal(sums[0], sums[1], "content")
    expect_no_record(world)


@check
def our_own_operations_succeed_and_fail_in_the_same_shape(world):
    daemon = world.start()
    make_full(world, "own", 64 * MIB)
    for what, body in (("/sparsify", {}), ("/object_map/rebuild", {}), ("/resize", {"size": 128 * MIB}),
                       ("/migration/prepare", {"dest_image_name": "moved"})):
        done = daemon.post(path("own", what), body)
        expect_equal((done.status, done.body), (200, None), what)
    expect_failure(daemon.request("POST", path("moved", "/migration/commit")), 400, "22",
                   "[errno 22] RBD invalid argument (error migrating image b'moved')",
                   {"name": "rbd/migration/commit", "metadata": {"image_spec": "rbd/moved"}}, "an early commit")
    for step in ("execute", "commit"):
        expect_equal(daemon.request("POST", path("moved", "/migration/" + step)).status, 200, step)
    expect_equal(daemon.request("POST", path("nosuch", "/sparsify")).body["code"], "2", "a missing image")
    expect_equal(daemon.request("POST", path("moved", "/flatten")).body["code"], "22", "no parent")


@check
def the_command_line_has_rbds_words(world):
    daemon = world.start()
    daemon.create("cli", 8 * MIB, features=["layering", "exclusive-lock"])
    for words in (["resize", "cli", "-s", "16"], ["feature", "enable", "cli", "object-map"], ["rename", "cli", "cli-2"],
                  ["config", "image", "set", "cli-2", "rbd_qos_iops_limit", "100"], ["cp", "cli-2", "cli-3"],
                  ["deep", "cp", "cli-2", "cli-4"], ["object-map", "rebuild", "cli-2"], ["sparsify", "cli-2"],
                  ["migration", "prepare", "cli-4", "cli-5"], ["migration", "execute", "cli-5"],
                  ["migration", "commit", "cli-5"]):
        daemon.cli("rbd", *words)
    images = world.cluster.images()
    expect({"cli-2", "cli-3", "cli-5"} <= set(images) and "cli-4" not in images, lambda: f"images: {images}")
    refused = daemon.cli("rbd", "resize", "cli-2", "-s", "8", check=False)
    expect_equal(refused.returncode, 1, "exit code of a shrink")
    expect("allow_shrink" in refused.stderr, lambda: f"said {refused.stderr!r}")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
