"""An accepted task ends as it should, whatever dies in between; an unaccepted one leaves nothing.

Each check is a function; the names of checks may be given as arguments. A check begins without a daemon and starts the
ones that it wants.
"""

import contextlib
import json
import os
import signal
import sys

from harness import Cluster, Daemon, Suite, at_once, expect, expect_equal, is_gone, wait_until

GIB = 1 << 30
# Without an object map its removal tries every object: some seconds, in which things can die.
SLOW_BYTES = 32 * GIB

suite = Suite()


class World:
    """One cluster and the daemons of the check that runs."""

    def __init__(self, directory):
        self.directory = directory
        self.cluster = Cluster(os.path.join(directory, "cluster"))
        self.daemons = {}

    def start(self, name="one", *arguments):
        """A daemon with a directory of its own; one that was killed is started again by its name."""
        directory = os.path.join(self.directory, name)
        os.makedirs(directory, exist_ok=True)
        self.daemons[name] = Daemon(self.cluster, directory, *arguments)
        return self.daemons[name]

    def stop_all(self):
        for daemon in self.daemons.values():
            daemon.stop(signal.SIGKILL)
        self.daemons = {}

    def show_logs(self):
        for name, daemon in self.daemons.items():
            print(f"  the last lines of {name}:\n    " + "\n    ".join(daemon.output().splitlines()[-25:]))

    def close(self):
        self.stop_all()
        self.cluster.wipe()

    # What the journal's object holds.

    def journal(self, command, *arguments, **options):
        return self.cluster.tool("rados", "-p", "rbd", "-N", "taskd", command, "journal", *arguments, **options)

    def journal_keys(self, prefix):
        return [key for key in self.journal("listomapkeys").stdout.split() if key.startswith(prefix)]

    def owner(self):
        """What the active daemon told of itself; workers' addresses before its own."""
        path = os.path.join(self.directory, "owner")
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)  # rados does not cut it
        self.journal("getomapval", "owner_description", path)
        with open(path) as file:
            return json.load(file)

    def fenced_addresses(self):
        done = self.cluster.tool("ceph", "osd", "blocklist", "ls", "-f", "json")
        # A list of addresses, and then one of ranges that this release prints as well.
        return {entry["addr"] for entry in json.JSONDecoder().raw_decode(done.stdout.strip())[0]}

    def images(self, prefix):
        return [name for name in self.cluster.images() if name.startswith(prefix)]

    def make_images(self, names, size=SLOW_BYTES):
        """By librbd itself, in one process: what is tested is their removal."""
        program = ("import rados, rbd, sys\n"
                   "with rados.Rados(conffile='') as cluster, cluster.open_ioctx('rbd') as pool:\n"
                   "    for name in sys.argv[2:]: rbd.RBD().create(pool, name, int(sys.argv[1]), features=1)\n")
        self.cluster.tool("/usr/bin/python3", "-c", program, str(size), *names)


def check(function):
    """A check that begins without daemons and leaves none."""
    def alone(world):
        world.stop_all()  # those of a failed check live on until here, for its logs
        function(world)
    alone.__name__ = function.__name__
    suite.check(alone)
    return function


def state(daemon):
    return daemon.get("/healthz").body["state"]


def await_state(daemon, wanted, bound_s=60):
    wait_until(lambda: state(daemon) == wanted, f"the daemon is {wanted}", bound_s)


def history(daemon, **query):
    words = "&".join(f"{key}={value}" for key, value in {"limit": 1000, **query}.items())
    return daemon.get("/api/task/history?" + words).body


def expect_ended_once(daemon, ids):
    """Each of these tasks is in the history, once, and none executes."""
    wait_until(lambda: not daemon.executing(), "nothing executes")
    wait_until(lambda: not set(ids) - {task["id"] for task in history(daemon)["tasks"]}, "all ends are in the history")
    ended = [task["id"] for task in history(daemon)["tasks"]]
    for task_id in ids:
        expect_equal(ended.count(task_id), 1, f"ends of task {task_id}")


def expect_success(daemon, ids):
    by_id = {task["id"]: task for task in history(daemon)["tasks"]}
    for task_id in ids:
        expect(by_id[task_id]["success"], lambda: f"failed: {by_id[task_id]}")


def expect_no_record(world):
    wait_until(lambda: not world.journal_keys("t."), "the journal has no unfinished task", 30)


def accepted(answers):
    for answer in answers:
        expect(answer.status in (201, 202, 204), lambda: f"not accepted: {answer}")
    return [answer.task_id for answer in answers]


def start_deletes(world, daemon, prefix, count):
    names = [f"{prefix}-{n}" for n in range(count)]
    world.make_images(names)
    return accepted(at_once([lambda name=name: daemon.delete(name, asynchronous=True) for name in names]))


def await_some_progress(daemon):
    wait_until(lambda: any(task["progress"] > 0 for task in daemon.executing()), "a task makes progress")


# --- death


@check
def tasks_of_a_killed_daemon_go_on_with_their_ids_and_begin_times(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "killed", 20)
    await_some_progress(daemon)
    before = {task["id"]: task["begin_time"] for task in daemon.executing()}
    workers = daemon.workers()
    daemon.stop(signal.SIGKILL)
    wait_until(lambda: all(is_gone(pid) for pid in workers), "the workers are gone", 10)

    daemon = world.start()
    listed = {task["id"]: task["begin_time"] for task in daemon.get("/api/task?detail=1").body["executing_tasks"]}
    listed.update({task["id"]: task["begin_time"] for task in history(daemon)["tasks"]})
    expect(set(before) <= set(listed), lambda: f"not listed at once: {set(before) - set(listed)}")
    for task_id, begin_time in before.items():
        expect_equal(listed[task_id], begin_time, f"begin time of {task_id}")
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    expect_equal(world.images("killed-"), [], "images that are left")
    expect_no_record(world)


@check
def a_standby_takes_over_from_a_killed_active_one_and_fences_it_first(world):
    active, standby = world.start("one"), world.start("two")
    expect_equal((state(active), state(standby)), ("active", "standby"), "states")
    world.make_images([f"old-{n}" for n in range(40)], GIB)
    calls = [lambda n=n: active.delete(f"old-{n}", asynchronous=True) for n in range(40)]
    calls += [lambda n=n: active.create(f"new-{n}", asynchronous=True) for n in range(160)]
    ids = accepted(at_once(calls))
    expect(active.executing(), "nothing executes any more: there is nothing to take over")
    addresses = world.owner()["addresses"]
    expect(len(addresses) > 1, "the owner tells of no worker")
    active.stop(signal.SIGKILL)

    await_state(standby, "active", 15)
    expect(set(addresses) <= world.fenced_addresses(), lambda: f"not all of {addresses} are fenced")
    log = standby.output()
    expect(log.index("fenced ") < log.index("of an earlier life go on"), "it resumed before it had fenced")
    expect_ended_once(standby, ids)
    expect_success(standby, ids)
    expect_equal((len(world.images("old-")), len(world.images("new-"))), (0, 160), "images")
    expect_no_record(world)


@check
def a_standby_takes_over_within_five_seconds_of_a_clean_stop(world):
    active, standby = world.start("one"), world.start("two")
    task_id = accepted([active.create("before-the-stop")])[0]
    fenced = world.fenced_addresses()
    expect_equal(active.stop(), 0, "exit code")
    await_state(standby, "active", 5)
    expect_equal(world.fenced_addresses(), fenced, "who left in order need not be fenced: blocklist")
    expect_ended_once(standby, [task_id])


@check
def what_runs_at_sigterm_goes_on_at_the_next_start(world):
    daemon = world.start("one", "--grace", "0.2")
    ids = start_deletes(world, daemon, "stopped", 10)
    await_some_progress(daemon)
    expect_equal(daemon.stop(), 0, "exit code")
    daemon = world.start("one")
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)


@check
def the_history_outlives_a_killed_daemon(world):
    daemon = world.start()
    ids = accepted(at_once([lambda n=n: daemon.create(f"kept-{n}") for n in range(10)]))
    wait_until(lambda: not daemon.executing(), "all have ended")
    failed = daemon.create("kept-0", size=2 << 20)
    expect_equal(failed.status, 400, "an image that exists")
    expect_no_record(world)
    before = history(daemon, search="kept")
    daemon.stop(signal.SIGKILL)
    daemon = world.start()
    expect_equal(history(daemon, search="kept"), before, "history")
    expect_equal([task["id"] for task in history(daemon, search="kept", state="failed")["tasks"]], [failed.task_id],
                 "failed")
    expect(set(ids) <= {task["id"] for task in before["tasks"]}, "not all ends are in the history")


# --- a cluster that does not answer


@check
def a_stopped_osd_means_503_and_nothing_half_accepted(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "before", 5)
    await_some_progress(daemon)
    with world.cluster.frozen("osd.0"):
        answers = at_once([lambda n=n: daemon.create(f"refused-{n}") for n in range(10)])
        for answer in answers:
            expect_equal(answer.status, 503, "status while the OSD is stopped")
            expect(answer.headers.get("Retry-After"), "a 503 without Retry-After")
            expect("not accepted" in answer.body["detail"], lambda: f"unclear: {answer.body}")
        listed = daemon.executing()
        expect({task["id"] for task in listed} <= set(ids), lambda: f"lists what it refused: {listed}")
        wait_until(lambda: daemon.get("/readyz").status == 503, "/readyz says that it cannot take tasks", 30)
        expect_equal(daemon.get("/healthz").status, 200, "/healthz")
    wait_until(lambda: daemon.get("/readyz").status == 200, "/readyz says that it takes tasks again", 60)
    expect_ended_once(daemon, ids)
    expect_no_record(world)
    expect_equal(world.images("refused-"), [], "images of refused tasks")
    expect(not [task for task in history(daemon)["tasks"] if "refused" in json.dumps(task)], "its end is kept")
    expect_equal(daemon.create("after").status, 201, "a create when the OSD is back")


# --- fencing


@check
def a_fenced_worker_costs_no_task(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "worker-fenced", 8)
    await_some_progress(daemon)
    victim = world.owner()["addresses"][0]
    world.cluster.tool("ceph", "osd", "blocklist", "add", victim, "600")
    ids += accepted(at_once([lambda n=n: daemon.create(f"beside-{n}", asynchronous=True) for n in range(8)]))
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    wait_until(lambda: victim not in world.owner()["addresses"], "the fenced worker is replaced")


@check
def a_fenced_front_connects_anew_and_goes_on(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "front-fenced", 8)
    await_some_progress(daemon)
    victim = world.owner()["addresses"][-1]
    world.cluster.tool("ceph", "osd", "blocklist", "add", victim, "600")
    wait_until(lambda: victim not in world.owner()["addresses"] and state(daemon) == "active", "it goes on", 60)
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    expect_equal(daemon.create("after-the-fence").status, 201, "a create by the new client")


# --- what the journal holds


@check
def records_that_cannot_be_read_are_kept_and_in_nobodys_way(world):
    world.start().stop()
    newer = {"version": 1000, "id": "NEWER", "new": True}
    kept = {"t.BROKEN": "{", "t.NEWER": json.dumps(newer), "f.2026-01-01T00:00:00.000000Z.ODD": "[]",
            "t.ILL": json.dumps({"version": 1, "id": "ILL", "kind": "operation", "name": 5})}
    for key, value in kept.items():
        world.journal("setomapval", key, value)
    daemon = world.start()
    await_state(daemon, "active")
    accepted([daemon.create("beside-broken-records")])
    log = daemon.output()
    for key in kept:
        expect(f"left alone: {key}" in log, f"nothing is said of {key}")
    expect("newer ceph-taskd" in log, "it is not said why a newer record is left alone")
    wait_until(lambda: set(world.journal_keys("t.")) == {"t.BROKEN", "t.NEWER", "t.ILL"}, "only those are left", 30)
    daemon.stop()
    for key in kept:
        world.journal("rmomapkey", key)


@check
def a_command_that_was_interrupted_is_not_sent_again(world):
    world.start().stop()
    record = {"version": 1, "id": "01M88ET4NVYF7G8CFG2B0WQ2E7", "kind": "command", "name": "command",
              "metadata": {"target": "mon"}, "arguments": {}, "bound": {}, "begin_time": "2026-11-25T04:18:22.011043Z",
              "attempts": 1, "priority": "normal", "heavy": False, "deadline": ""}
    world.journal("setomapval", "t." + record["id"], json.dumps(record))
    daemon = world.start()
    expect_ended_once(daemon, [record["id"]])
    ended = history(daemon, search=record["id"][:1])["tasks"]
    ended = [task for task in ended if task["id"] == record["id"]][0]
    expect(not ended["success"] and "unknown" in ended["exception"]["detail"], lambda: f"its end: {ended}")
    expect_no_record(world)


# --- roles over HTTP


@check
def a_standby_sends_clients_to_the_active_one(world):
    active, standby = world.start("one"), world.start("two")
    expect_equal(active.get("/readyz").body["state"], "active", "state")
    expect_equal((standby.get("/healthz").status, standby.get("/readyz").status), (200, 503), "health of a standby")
    answer = standby.get("/api/summary?a=1")
    expect_equal((answer.status, answer.headers.get("Location")), (303, active.url + "/api/summary?a=1"), "redirect")
    answer = standby.create("by-the-standby")
    expect_equal((answer.status, answer.headers.get("Location")), (303, active.url + "/api/block/image"), "redirect")
    expect_equal(world.images("by-the-standby"), [], "images of the standby")


@check
def a_standby_of_an_active_one_without_url_answers_503(world):
    directory = os.path.join(world.directory, "quiet")
    os.makedirs(directory, exist_ok=True)
    quiet = QuietDaemon(world.cluster, directory)
    world.daemons["quiet"] = quiet
    await_state(quiet, "active")
    answer = world.start("two").get("/api/summary")
    expect_equal(answer.status, 503, "status")
    expect("standby" in answer.body["detail"], lambda: f"unclear: {answer.body}")


class QuietDaemon(Daemon):
    """One that listens on its Unix socket only."""

    def __init__(self, cluster, directory):
        super().__init__(cluster, directory, "--no-listen")

    def ready_url(self):
        expect(self.process.poll() is None, lambda: "ceph-taskd ended: " + self.output())
        return "ceph-taskd ready:" in self.output() and "unix:" + self.socket


# --- cancel, deadline, conflict


def cancel(daemon, task_id, force=False):
    return daemon.request("DELETE", f"/api/task/{task_id}" + ("?force=1" if force else ""))


def expect_cancelled(daemon, task_id, bound_s=30):
    ended = daemon.finished(task_id, bound_s)
    expect(not ended["success"] and ended["exception"]["code"] == "125", lambda: f"not cancelled: {ended}")
    return ended


@check
def a_waiting_task_is_cancelled_at_once_and_does_nothing(world):
    daemon = world.start("one", "--per-pool", "1")
    first, second = start_deletes(world, daemon, "wait", 2)
    expect_equal(cancel(daemon, second).status, 202, "cancel")
    expect_cancelled(daemon, second, 5)
    expect_ended_once(daemon, [first, second])
    expect_success(daemon, [first])
    expect_equal(cancel(daemon, second).status, 409, "cancel of what has ended")
    expect_equal(world.images("wait-"), ["wait-1"], "images that are left")
    expect_no_record(world)


@check
def a_running_delete_that_is_cancelled_can_be_resumed(world):
    daemon = world.start()
    world.make_images(["big"], 256 * GIB)
    task_id = accepted([daemon.delete("big", asynchronous=True)])[0]
    await_some_progress(daemon)
    expect_equal(cancel(daemon, task_id).status, 202, "cancel")
    ended = expect_cancelled(daemon, task_id)
    expect("half removed" in ended["exception"]["detail"], lambda: f"does not say what is left: {ended}")
    expect_no_record(world)
    daemon.stop(signal.SIGKILL)
    daemon = world.start()
    expect(task_id not in {task["id"] for task in daemon.executing()}, "a cancelled task came back")
    again = accepted([daemon.delete("big", asynchronous=True)])[0]
    expect_ended_once(daemon, [again])
    expect_success(daemon, [again])
    expect_equal(world.cluster.tool("rbd", "trash", "ls", "--all").stdout, "", "half removed images")


@check
def force_ends_what_does_not_stop_and_nothing_else(world):
    daemon = world.start("one", "--workers", "1")
    ids = start_deletes(world, daemon, "forced", 4)
    await_some_progress(daemon)
    with world.cluster.frozen("osd.0"):
        expect_equal(cancel(daemon, ids[0], force=True).status, 202, "cancel by force")
        expect_cancelled(daemon, ids[0])
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids[1:])
    expect_no_record(world)


@check
def a_deadline_cancels(world):
    daemon = world.start()
    world.make_images(["late"], 1024 * GIB)
    answer = daemon.request("DELETE", "/api/block/image/rbd%2Flate?deadline=1", headers={"Prefer": "respond-async"})
    expect_cancelled(daemon, accepted([answer])[0])
    expect_no_record(world)


@check
def the_same_with_other_arguments_is_refused_with_409_that_names_the_task(world):
    daemon = world.start()
    world.make_images(["contested"])
    task_id = accepted([daemon.delete("contested", asynchronous=True)])[0]
    answer = daemon.request("DELETE", "/api/block/image/rbd%2Fcontested?snapshots=refuse")
    expect_equal((answer.status, answer.body.get("task_id")), (409, task_id), "answer")
    same = daemon.delete("contested", asynchronous=True)
    expect_equal((same.status, same.task_id), (202, task_id), "answer to the same")
    expect_ended_once(daemon, [task_id])


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
