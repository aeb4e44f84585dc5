"""Faults that people have met with lists of tasks, their times and their errors, each shown not to be ours
(docs/field-faults.md).

Each check is a function; the names of checks may be given as arguments. Daemons run in a time zone that is not UTC.
"""

import datetime
import http.client
import os
import signal
import sys
import threading

from harness import TEST_CEPH_TASKD, Suite, at_once, expect, expect_equal, wait_until
from world import GIB, World, accepted, await_some_progress, await_state, check_of, history, start_deletes

LIST = "/api/block/image?limit=-1&pool_name=rbd"
KOLKATA = {"TZ": "Asia/Kolkata"}

suite = Suite()
check = check_of(suite)


def expect_now(text, what):
    """That this is a time in UTC, and not one of the daemon's time zone."""
    expect(text.endswith("Z"), f"{what} {text!r} has no Z")
    now = datetime.datetime.now(datetime.timezone.utc)
    age = abs(now - datetime.datetime.fromisoformat(text.replace("Z", "+00:00")))
    expect(age < datetime.timedelta(hours=1), f"{what} {text} is not UTC: it is {now} now")


# --- P43


@check
def failures_are_kept_as_failures(world):
    daemon = world.start()
    answers = at_once([lambda n=n: daemon.delete(f"never-{n}") for n in range(30)])
    expect_equal({answer.status for answer in answers}, {404}, "statuses")
    ids = {answer.task_id for answer in answers}
    accepted(at_once([lambda n=n: daemon.create(f"noise-{n}") for n in range(60)]))

    def kept(daemon):
        failed = [task for task in history(daemon, state="failed")["tasks"] if task["id"] in ids]
        return failed if len(failed) == len(ids) else None
    for _ in range(2):
        for task in wait_until(lambda: kept(daemon), "all failures are in the history"):
            expect(not task["success"] and task["exception"], lambda: f"no failure: {task}")
            expect(task["progress"] < 100, lambda: f"a failure that is whole: {task}")
        daemon.stop(signal.SIGKILL)
        daemon = world.start()


# --- P44, P45


@check
def times_are_utc_wherever_the_daemon_runs(world):
    daemon = world.start(env=KOLKATA)
    accepted([daemon.create("timed")])
    world.cluster.tool("rbd", "snap", "create", "rbd/timed@s")
    made = daemon.create("timed")
    image = next(image for image in daemon.get(LIST).body[0]["value"] if image["name"] == "timed")
    expect_now(image["timestamp"], "timestamp of the image")
    expect_now(image["snapshots"][0]["timestamp"], "timestamp of its snapshot")
    for task in (daemon.task(made.task_id), history(daemon, limit=1)["tasks"][0]):
        for key in ("begin_time", "end_time"):
            expect_now(task[key], key)
    moved = daemon.request("POST", "/api/block/image/rbd%2Ftimed/move_trash")
    expect(daemon.finished(moved.task_id)["success"], "it did not go to the trash")
    entry = daemon.get("/api/block/image/trash?pool_name=rbd").body[0]["value"][0]
    for key in ("deletion_time", "deferment_end_time"):
        expect_now(entry[key], key + " in the trash")


@check
def the_wait_for_a_turn_is_no_part_of_the_work(world):
    daemon = world.start("one", "--workers", "1", "--threads", "1", program=TEST_CEPH_TASKD)
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "action": "hold"})
    first = daemon.create("turn-1", asynchronous=True).task_id
    wait_until(lambda: daemon.task(first)["state"] == "running", "the first one runs")
    second = daemon.create("turn-2", asynchronous=True).task_id
    expect_equal((daemon.task(second)["state"], daemon.task(second)["started_at"]), ("queued", None), "the second one")
    daemon.set_steps()
    first, second = daemon.finished(first), daemon.finished(second)
    expect(second["begin_time"] < first["end_time"] <= second["started_at"] <= second["end_time"],
           lambda: f"times: {first}, {second}")


# --- P62


@check
def what_the_user_may_not_do_says_which_caps_it_needs(world):
    tool = world.cluster.tool
    tool("ceph", "osd", "pool", "create", "closed", "8")
    tool("rbd", "pool", "init", "closed")
    tool("rbd", "create", "closed/seen", "--size", "1")
    keyring = os.path.join(world.directory, "narrow.keyring")
    tool("ceph", "auth", "get-or-create", "client.narrow", "mon", "profile rbd", "mgr", "profile rbd", "osd",
         "profile rbd pool=rbd, profile rbd-read-only pool=closed", "-o", keyring)
    daemon = world.start("one", "--id", "narrow", "--keyring", keyring)
    expect(daemon.create("open").status in (201, 202), "what it may do")
    seen = [image["name"] for image in daemon.get("/api/block/image?limit=-1&pool_name=closed").body[0]["value"]]
    expect_equal(seen, ["seen"], "what it may see")
    body = {"pool_name": "closed", "name": "never", "size": 1 << 20, "features": ["layering"]}
    for answer in (daemon.post("/api/block/image", body), daemon.request("DELETE", "/api/block/image/closed%2Fseen"),
                   daemon.post("/api/block/image/closed%2Fseen/snap",
                               {"snapshot_name": "s", "mirrorImageSnapshot": False})):
        view = daemon.finished(answer.task_id)
        expect(not view["success"], lambda: f"succeeded: {view}")
        expect(view["exception"]["code"] in ("1", "13"), lambda: f"code: {view['exception']}")
        expect("client.narrow needs the caps mon 'profile rbd' and osd 'profile rbd pool=closed'"
               in view["exception"]["detail"], lambda: f"user, caps and pool are not named: {view['exception']}")
        expect("closed" in str(view["metadata"]), lambda: f"no pool is named: {view}")
    expect_equal(tool("rbd", "ls", "closed").stdout.split(), ["seen"], "images")


# --- P81


class Hammer:
    """Asks and orders without a pause, whatever the daemon does; keeps the answers."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.lists, self.created = [], {}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.repeat, args=(call,)) for call in (self.ask, self.order)]

    def repeat(self, call):
        number = 0
        while not self.stopping.is_set():
            number += 1
            try:
                call(number)
            except (OSError, http.client.HTTPException, ValueError):
                pass  # nobody listens, or it died in its answer

    def ask(self, _):
        self.lists.append(self.daemon.get("/api/task?detail=true", timeout=30))

    def order(self, number):
        body = {"pool_name": "rbd", "name": f"hammered-{number}", "size": 1 << 20, "features": ["layering"]}
        self.created[number] = self.daemon.post("/api/block/image", body, timeout=30)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


@check
def before_it_has_read_its_journal_it_says_503(world):
    daemon = world.start()
    ids = set(start_deletes(world, daemon, "unread", 4))
    daemon.stop(signal.SIGKILL)
    with world.cluster.frozen("osd.0"):
        daemon = world.start()
        for answer in (daemon.get("/api/task"), daemon.get("/api/summary"), daemon.get(LIST), daemon.create("unheard")):
            expect_equal(answer.status, 503, f"status of {answer}")
            expect(answer.headers["Retry-After"], "a 503 without Retry-After")
        expect_equal(daemon.get("/healthz").status, 200, "/healthz")
    await_state(daemon, "active")
    known = {task["id"] for tasks in daemon.get("/api/task?detail=true").body.values() for task in tasks}
    expect(ids <= known, lambda: f"tasks that it does not know: {ids - known}")
    wait_until(lambda: not daemon.executing(), "nothing executes")
    expect_equal(world.images("unheard"), [], "what was refused")


@check
def while_it_starts_again_it_says_503_or_the_truth(world):
    daemon = world.start()
    ids = set(start_deletes(world, daemon, "doomed", 24, 16 * GIB))
    await_some_progress(daemon)
    with Hammer(daemon) as hammer:
        for _ in range(3):
            before = len(hammer.created)
            wait_until(lambda: len(hammer.created) > before + 5, "it answers")
            daemon.stop(signal.SIGKILL)
            daemon = world.start()
        wait_until(lambda: len(hammer.created) > before + 10, "it answers after its last start")
    for answer in [*hammer.lists, *hammer.created.values()]:
        expect(answer.status in (200, 201, 202, 503), lambda: f"status: {answer}")
        expect(answer.status != 503 or answer.headers["Retry-After"], "a 503 without Retry-After")
    for answer in hammer.lists:
        if answer.status == 200:
            known = {task["id"] for tasks in answer.body.values() for task in tasks}
            expect(ids <= known, lambda: f"tasks that it does not know: {ids - known}")
    wait_until(lambda: not daemon.executing(), "nothing executes")
    images = set(world.images("hammered-"))
    for number, answer in hammer.created.items():
        # A 503 of a daemon that then died may have come too late to be true.
        expect(f"hammered-{number}" in images or answer.status == 503, lambda: f"no image for {answer}")
    refused = sum(answer.status == 503 for answer in [*hammer.lists, *hammer.created.values()])
    print(f"  {len(hammer.lists)} lists, {len(hammer.created)} creates, {refused} answered 503")


# --- P84


@check
def every_failure_says_of_what_and_why_in_lists_and_log(world):
    daemon = world.start()
    accepted([daemon.create("there")])
    image = "/api/block/image/rbd%2Fthere"
    image_id = daemon.get(image).body["id"]
    answers = [daemon.create("there"), daemon.delete("missing"), daemon.request("POST", image + "/flatten"),
               daemon.request("DELETE", image + "/snap/nosnap"), daemon.request("PUT", image, {"size": 0}),
               daemon.request("POST", image + "/migration/commit"),
               daemon.create("there", data_pool="nopool"),
               daemon.request("DELETE", "/api/block/image/nopool%2Fthere")]
    for answer in answers:
        view = daemon.finished(answer.task_id)
        failure = view["exception"]
        expect(failure and str(failure["code"]), lambda: f"no failure, or one without number: {view}")
        expect_equal(failure["task"], {"name": view["name"], "metadata": view["metadata"]}, "task of the failure")
        expect(len(failure["detail"]) > 10, lambda: f"no reason: {failure}")

        def line_of_the_log():
            return [line for line in daemon.output().splitlines() if f"task {view['id']} ({view['name']} " in line]
        line = wait_until(line_of_the_log, f"the log tells of {view['name']}", 10)[0]
        expect("failed: [errno " in line, f"no reason: {line}")
        expect("missing" in line or "there" in line, f"of what? {line}")
        expect_equal(f", image id {image_id}) failed: " in line, view["metadata"].get("image_spec") == "rbd/there",
                     f"whether the image's id is in {line!r}")
    expect_equal(daemon.output().count(") failed: "), len(answers), "lines about failures")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
