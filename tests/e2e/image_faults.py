"""Faults that people have met with images, each shown not to be ours (docs/field-faults.md).

Each check is a function; the names of checks may be given as arguments.
"""

import base64
import concurrent.futures
import contextlib
import signal
import subprocess
import sys
import time
import urllib.parse

from harness import TEST_CEPH_TASKD, Suite, Watcher, expect, expect_equal, wait_until
from world import GIB, World, check_of

MIB = 1 << 20
LATER = {"Prefer": "respond-async"}
LIST = "/api/block/image?limit=-1&pool_name=rbd"
MAKE = """
import rados, rbd, sys
with rados.Rados(conffile='') as cluster, cluster.open_ioctx('rbd') as pool:
    for name in sys.argv[1:]: rbd.RBD().create(pool, bytes.fromhex(name), 1 << 20, features=1)
"""
HOLD = """
import rados, rbd, sys
with rados.Rados(conffile='') as cluster, cluster.open_ioctx('rbd') as pool, rbd.Image(pool, sys.argv[1]):
    print('open', flush=True)
    sys.stdin.read()
"""

suite = Suite()
check = check_of(suite)


def path(spec, tail=""):
    """Encoded twice, as the dashboard's web page does: so a name may look like an escape."""
    return "/api/block/image/" + urllib.parse.quote(urllib.parse.quote(spec, safe=""), safe="") + tail


def by_id(image):
    """How an image is addressed whose name cannot be."""
    return path("rbd/" + image["id"], "?image_id=" + image["id"])


def listed(daemon):
    answer = daemon.get(LIST)
    expect_equal(answer.status, 200, "status of the list")
    return [image for pool in answer.body for image in pool["value"]]


def named(daemon, name):
    return [image for image in listed(daemon) if image["name"] == name]


def ended(daemon, answer):
    """The task's view when it has ended, also where the answer did not wait for that."""
    expect(answer.task_id, lambda: f"no task: {answer}")
    return daemon.finished(answer.task_id)


def expect_done(daemon, answer):
    view = ended(daemon, answer)
    expect(view["success"], lambda: f"failed: {view}")


@contextlib.contextmanager
def held(world, name):
    """An image that another client has open."""
    client = subprocess.Popen(["/usr/bin/python3", "-c", HOLD, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=world.cluster.env, text=True)
    try:
        expect_equal(client.stdout.readline(), "open\n", "what the other client says")
        yield
    finally:
        client.communicate("")


@contextlib.contextmanager
def sick_pool(world):
    """With one OSD the placement groups of a pool for three are inactive."""
    tool = world.cluster.tool
    tool("ceph", "osd", "pool", "create", "sick", "8")
    tool("ceph", "osd", "pool", "application", "enable", "sick", "rbd")
    for option in ("size", "min_size"):
        tool("ceph", "osd", "pool", "set", "sick", option, "3")
    wait_until(lambda: "undersized" in tool("ceph", "pg", "ls-by-pool", "sick").stdout, "the pool is sick")
    try:
        yield
    finally:
        tool("ceph", "osd", "pool", "delete", "sick", "sick", "--yes-i-really-really-mean-it")


def cut_off_removal(world, daemon, name):
    """Somebody's removal that is killed in the midst."""
    removal = subprocess.Popen(["rbd", "rm", "--no-progress", "rbd/" + name], env=world.cluster.env,
                               stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: any("source" in image for image in named(daemon, name)), "it is being removed")
    finally:
        removal.send_signal(signal.SIGKILL)
        removal.wait()


def finish_removal(world, daemon, target):
    """Deletes what was cut off; the dead client is told of while its watch lasts, which is up to 30 s unless fenced."""
    def delete():
        return ended(daemon, daemon.request("DELETE", target))
    view = delete()
    if not view["success"]:
        for watcher in view["exception"]["blockers"]["watchers"]:
            world.cluster.tool("ceph", "osd", "blocklist", "add", watcher["address"])
        view = delete()
    expect(view["success"], lambda: f"failed: {view}")


# --- P01, P02, P33, P39; P03


@check
def a_removal_that_was_cut_off_is_listed_beside_the_others_and_can_be_finished(world):
    daemon = world.start()
    world.make_images(["half"], 64 * GIB)
    world.make_images(["whole"], MIB)
    cut_off_removal(world, daemon, "half")

    expect_equal([image["source"] for image in named(daemon, "half")], ["REMOVING"], "state of the half-removed one")
    expect_equal([image["size"] for image in named(daemon, "whole")], [MIB], "its neighbour")
    expect_equal(daemon.create("half").status, 409, "a new image of that name")
    finish_removal(world, daemon, path("rbd/half"))
    expect_equal(named(daemon, "half"), [], "the half-removed image")
    expect_equal(world.cluster.tool("rbd", "trash", "ls", "--all").stdout, "", "trash")


@check
def the_id_says_which_of_two_images_of_one_name_is_meant(world):
    daemon = world.start()
    world.make_images(["twice"], 64 * GIB)
    old = named(daemon, "twice")[0]["id"]
    cut_off_removal(world, daemon, "twice")
    world.make_images(["twice"], MIB)
    ids = {image["id"] for image in named(daemon, "twice")}
    new = (ids - {old}).pop()
    expect_equal(ids, {old, new}, "listed of that name")

    old_one = path("rbd/twice", "?image_id=" + old)
    finish_removal(world, daemon, old_one)
    expect_equal([image["id"] for image in named(daemon, "twice")], [new], "what is left")
    expect_equal(ended(daemon, daemon.request("DELETE", old_one))["exception"]["status"], 404, "a delete once more")
    expect_equal([image["id"] for image in named(daemon, "twice")], [new], "what is left then")


# --- P08, P09


@check
def an_image_that_another_client_has_open_stays_as_it_is(world):
    daemon = world.start()
    world.make_images(["held"], MIB)
    world.cluster.tool("rbd", "snap", "create", "rbd/held@s")
    with held(world, "held"):
        for method, tail in (("DELETE", ""), ("POST", "/move_trash"), ("POST", "/snap/s/rollback")):
            view = ended(daemon, daemon.request(method, path("rbd/held", tail)))
            expect_equal(view["exception"]["code"], "16", method + tail)
            expect("in use by 127.0.0.1:0/" in view["exception"]["detail"], lambda: f"no client is named: {view}")
            expect_equal(len(view["exception"]["blockers"]["watchers"]), 1, f"clients in the way of {method} {tail}")
    expect_equal(world.cluster.tool("rbd", "snap", "ls", "rbd/held").stdout.count("\n"), 2, "lines about snapshots")
    expect_done(daemon, daemon.delete("held"))


# --- P15, P16


@check
def a_pool_that_does_not_answer_is_named_and_the_others_are_listed(world):
    daemon = world.start()
    expect_done(daemon, daemon.create("well"))
    with sick_pool(world):
        answer = daemon.get("/api/block/image?limit=-1")
        pools = {pool["pool_name"]: pool for pool in answer.body}
        expect("well" in [image["name"] for image in pools["rbd"]["value"]], "the healthy pool is not listed")
        expect_equal((answer.status, pools["sick"]["status"]), (200, 3), "status, and that of the pool")
        expect("does not answer" in pools["sick"]["exception"], lambda: f"why? {pools['sick']}")


@check
def a_create_whose_data_pool_does_not_answer_says_so(world):
    with sick_pool(world):
        daemon = world.start()
        view = ended(daemon, daemon.create("stuck", data_pool="sick"))
        expect("data pool 'sick' does not answer" in view["exception"]["detail"], lambda: f"why? {view}")
        expect_equal(named(daemon, "stuck"), [], "what was made")
        expect_done(daemon, daemon.create("not-stuck"))


# --- P37, P38


@check
def usage_that_no_map_tells_is_not_worked_out(world):
    daemon = world.start()
    world.make_images(["vast"], 8192 * GIB)
    began = time.monotonic()
    image = named(daemon, "vast")[0]
    took = time.monotonic() - began
    expect_equal((image["disk_usage"], image["total_disk_usage"]), (None, None), "usage")
    expect("-" in daemon.cli("rbd", "du", "vast").stdout, "du tells a number")
    print(f"  listed in {took * 1000:.0f} ms")
    expect(took < 5, f"the list took {took:.1f} s")  # two million objects take minutes to be asked for


@check
def images_that_go_or_are_broken_hide_no_others(world):
    daemon = world.start()
    stay = {f"stays-{n}" for n in range(5)}
    go = [f"goes-{n}" for n in range(80)]
    world.make_images([*stay, *go, "broken"], MIB)
    broken = named(daemon, "broken")[0]["id"]
    world.cluster.tool("rados", "-p", "rbd", "rm", "rbd_header." + broken)

    with Watcher(daemon, LIST) as watcher, concurrent.futures.ThreadPoolExecutor(2) as pool:
        for answer in pool.map(daemon.delete, go):
            expect_done(daemon, answer)
        wait_until(lambda: len(watcher.answers) >= 200, "200 lists")
    for answer in watcher.answers:
        names = {image["name"] for pool in answer.body for image in pool["value"]}
        expect(stay | {"broken"} <= names, lambda: f"missing: {stay | {'broken'} - names}")
    print(f"  {len(watcher.answers)} lists while {len(go)} images went")
    expect_equal([image["source"] for image in named(daemon, "broken")], ["INCOMPLETE"], "the broken one")
    expect_done(daemon, daemon.delete("broken"))


# --- P48, P49, P50


@check
def any_name_that_another_tool_gave_is_listed_and_can_be_removed(world):
    daemon = world.start()
    names = [b"d/x", b"a/b/c", b"/", b"d@x", b"bad\xff\xfename", b"cut\xe2\x82", "ünï 😀".encode(), b" ", b"..",
             b"-dash", b"new\nline", b"a%2Fb", b"%", b"n" * 1000]
    world.cluster.tool("/usr/bin/python3", "-c", MAKE, *(name.hex() for name in names))

    def raw_name(image):
        return base64.b64decode(image["name_b64"]) if "name_b64" in image else image["name"].encode()
    found = {raw_name(image): image for image in listed(daemon)}
    for name in names:
        image = found[name]
        with contextlib.suppress(UnicodeDecodeError):
            if b"/" not in name:
                expect_equal(daemon.get(path("rbd/" + name.decode())).body["id"], image["id"], f"id of {name}")
        expect_equal(daemon.get(by_id(image)).body["name"], image["name"], f"name of {name}")
        expect_done(daemon, daemon.request("PUT", by_id(image), {"size": 2 * MIB}))
        expect_equal(daemon.get(by_id(image)).body["size"], 2 * MIB, f"new size of {name}")
        if name == b"d/x":
            daemon.cli("rbd", "rm", "rbd/" + image["id"], "--image-id", image["id"])
        else:
            expect_done(daemon, daemon.request("DELETE", by_id(image)))
        expect_equal(daemon.get(by_id(image)).status, 404, f"status of {name} when it is gone")
    expect(not set(names) & {raw_name(image) for image in listed(daemon)}, "some are still listed")


@check
def a_name_and_the_id_are_one_image_in_the_queue(world):
    daemon = world.start("one", program=TEST_CEPH_TASKD)
    expect_done(daemon, daemon.create("both"))
    image = named(daemon, "both")[0]
    daemon.set_steps({"operation": "rbd/edit", "step": "check", "action": "hold"})
    first = daemon.request("PUT", path("rbd/both"), {"size": 2 * MIB}, headers=LATER).task_id
    wait_until(lambda: daemon.task(first)["state"] == "running", "the first one runs")
    second = daemon.request("DELETE", by_id(image), headers=LATER).task_id
    # Accepted first, queued a moment later.
    wait_until(lambda: first in (daemon.task(second)["waiting_for"] or ""), "it says for what it waits")
    expect_equal(daemon.task(second)["state"], "queued", "the one that gives the id")
    daemon.set_steps()
    first, second = daemon.finished(first), daemon.finished(second)
    expect(first["success"] and second["success"], lambda: f"failed: {first}, {second}")
    expect(first["end_time"] <= second["started_at"], lambda: f"side by side: {first}, {second}")


@check
def a_removal_by_id_alone_is_known_to_be_a_heavy_one(world):
    daemon = world.start("one", "--workers", "1", "--threads", "1", program=TEST_CEPH_TASKD)
    world.make_images(["heavy-1", "heavy-2"], 64 * GIB)
    expect_done(daemon, daemon.create("light"))
    first, second, light = (named(daemon, name)[0] for name in ("heavy-1", "heavy-2", "light"))
    expect_done(daemon, daemon.request("POST", path("rbd/heavy-2", "/move_trash"), {}))
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "action": "hold"})
    turn = daemon.create("turn", asynchronous=True).task_id
    wait_until(lambda: daemon.task(turn)["state"] == "running", "the only thread is taken")
    heavy = {}
    for target in (by_id(first), "/api/block/image/trash/rbd%2F" + second["id"], by_id(light)):
        task_id = daemon.request("DELETE", target, headers=LATER).task_id
        heavy[task_id] = world.record(task_id)["heavy"]
    expect_equal(list(heavy.values()), [True, True, False], "which are heavy")
    daemon.set_steps()
    for task_id in heavy:
        expect(daemon.finished(task_id)["success"], f"task {task_id} failed")


@check
def the_parent_of_a_clone_may_have_any_name(world):
    daemon = world.start()
    world.cluster.tool("/usr/bin/python3", "-c", MAKE, b"p/q".hex())
    image = named(daemon, "p/q")[0]
    spec, known = "rbd/" + image["id"], {"image_id": image["id"]}
    snapshot = {"snapshot_name": "s", "mirrorImageSnapshot": False}
    expect_done(daemon, daemon.post(path(spec, "/snap"), {**snapshot, **known}))
    expect_done(daemon, daemon.request("PUT", path(spec, "/snap/s"), {"is_protected": True, **known}))
    child = {"child_pool_name": "rbd", "child_image_name": "of-any"}
    expect_done(daemon, daemon.post(path(spec, "/snap/s/clone"), {**child, **known}))
    expect_equal(named(daemon, "of-any")[0]["parent"]["image_name"], "p/q", "parent")


@check
def a_name_that_could_not_be_addressed_is_not_given(world):
    daemon = world.start()
    world.make_images(["good"], MIB)
    for name in ("d/x", "d@x", "", "new\nline", "a\x7fb"):
        for what, answer in (("create", daemon.create(name)),
                             ("edit", daemon.request("PUT", path("rbd/good"), {"name": name})),
                             ("clone", daemon.post(path("rbd/good", "/snap/s/clone"),
                                                   {"child_pool_name": "rbd", "child_image_name": name})),
                             ("copy", daemon.post(path("rbd/good", "/copy"),
                                                  {"dest_pool_name": "rbd", "dest_namespace": None,
                                                   "dest_image_name": name}))):
            if (what, name) == ("edit", ""):
                continue  # keeps the name, as in the dashboard
            expect_equal(answer.status, 400, f"{what} {name!r}")
            expect("name:" in answer.body["detail"], lambda: f"{what} {name!r} does not name the field: {answer}")


# --- P51, P52, P53


@check
def values_that_cannot_be_are_400_and_name_their_field(world):
    daemon = world.start()
    good = {"pool_name": "rbd", "name": "never", "size": MIB}
    rows = [("size", value) for value in ("abc", -1, 1 << 64, (1 << 64) - 1, 1 << 60, None, [], {})]
    rows += [("features", ["x"]), ("features", 5), ("stripe_unit", "x"), ("obj_size", -1), ("name", 7),
             ("pool_name", None), ("configuration", []), ("nonsense", 1)]
    for field, value in rows:
        answer = daemon.post("/api/block/image", {**good, field: value})
        expect_equal(answer.status, 400, f"{field}={value!r}: {answer}")
        expect(answer.body["detail"].startswith(field), lambda: f"{field}={value!r} is not named: {answer.body}")
    nested = []
    for _ in range(100):
        nested = [nested]
    for body in ([], nested, {**good, "features": nested}, None):
        expect_equal(daemon.post("/api/block/image", body, headers={"Content-Type": "application/json"}).status, 400,
                     f"body {str(body)[:30]}")
    expect_equal(daemon.post("/api/block/image", good, headers={"Content-Type": "text/plain"}).status, 415, "type")
    expect("never" not in world.cluster.images(), "one was made")


@check
def a_shrink_that_nobody_asked_for_cuts_nothing(world):
    daemon = world.start()
    world.make_images(["cut"], 1024 * MIB)
    for size in (512 * MIB, 0):
        for answer in (daemon.request("PUT", path("rbd/cut"), {"size": size}),
                       daemon.post(path("rbd/cut", "/resize"), {"size": size})):
            expect_equal((answer.status, answer.body["sizes"]), (409, {"now": 1024 * MIB, "asked": size}), "refusal")
    expect_equal(named(daemon, "cut")[0]["size"], 1024 * MIB, "size")


# --- P64, P68


@check
def what_librbd_says_by_a_number_is_told_with_cause_and_once(world):
    """Table L of the field faults, as far as no other client or pool is needed."""
    daemon = world.start()
    tool = world.cluster.tool
    world.make_images(["l-image", "l-other", "l-member", "l-kept"], MIB)
    tool("rbd", "snap", "create", "rbd/l-kept@s")
    for words in ("snap create rbd/l-image@s", "snap protect rbd/l-image@s", "group create rbd/g",
                  "clone --rbd-default-clone-format 1 rbd/l-image@s rbd/l-child", "trash mv rbd/l-child",
                  "group image add rbd/g rbd/l-member", "trash mv rbd/l-other"):
        tool("rbd", *words.split())
    in_trash = {name: entry for entry, name in (line.split()[:2] for line in
                                                tool("rbd", "trash", "ls").stdout.splitlines())}
    copy = {"dest_pool_name": "rbd", "dest_namespace": None, "dest_image_name": "l-kept"}
    snapshot = path("rbd/l-image", "/snap/s")
    rows = [
        (daemon.create("l-image"), 17, "image already exists"),
        (daemon.create("l-none", data_pool="nopool"), 2, "data pool 'nopool' does not exist"),
        (daemon.create("l-none", namespace="nons"), 2, "namespace 'nons' does not exist"),
        (daemon.create("l-none", obj_size=512 * MIB), 33, "obj_size: must be from 4096 to 33554432"),
        (daemon.create("l-none", features=["layering", "object-map"]), 22, "needs"),
        (daemon.request("PUT", path("rbd/l-image"), {"name": "l-kept"}), 17, "error renaming image"),
        (daemon.post(path("rbd/l-image", "/copy"), copy), 17, "already exists"),
        (daemon.post(path("rbd/l-kept", "/snap"), {"snapshot_name": "s", "mirrorImageSnapshot": False}), 17, "b's'"),
        (daemon.post(f"/api/block/image/trash/rbd%2F{in_trash['l-other']}/restore", {"new_image_name": "l-kept"}), 17,
         "already exists"),
        (daemon.request("DELETE", path("rbd/l-kept", "?snapshots=refuse")), 39, "it has snapshots: s"),
        (daemon.request("DELETE", path("rbd/l-member")), 31, "it belongs to the group rbd/g"),
        (daemon.request("DELETE", path("rbd/l-image")), 16, "in the trash with id " + in_trash["l-child"]),
        (daemon.request("PUT", snapshot, {"is_protected": False}), 16, "in the trash with id " + in_trash["l-child"]),
        (daemon.request("DELETE", snapshot), 16, "protected"),
        (daemon.request("POST", path("rbd/l-image", "/flatten")), 22, "no parent"),
    ]
    for answer, code, words in rows:
        view = ended(daemon, answer)
        expect(not view["success"], lambda: f"succeeded: {view}")
        expect_equal(view["exception"]["code"], str(code), f"code of {view['exception']}")
        expect(words in view["exception"]["detail"], lambda: f"no {words!r} in {view['exception']}")
        expect_equal(view["attempts"], 1, f"attempts of {view['name']}")
        expect(view["progress"] < 100, lambda: f"a failure that is whole: {view}")
    expect_equal([child["trash"] for child in ended(daemon, rows[11][0])["exception"]["blockers"]["children"]], [True],
                 "clones in the way")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
