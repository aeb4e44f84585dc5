"""One cluster and the daemons of the check that runs, and what the checks of several suites look at."""

import contextlib
import json
import os
import signal

from harness import Cluster, Daemon, at_once, expect, expect_equal, wait_until

GIB = 1 << 30
# Without an object map its removal tries every object: some seconds, in which things can die.
SLOW_BYTES = 32 * GIB


class World:
    def __init__(self, directory, cluster_type=Cluster, *options):
        self.directory = directory
        self.cluster = cluster_type(os.path.join(directory, "cluster"), *options)
        self.daemons = {}

    def start(self, name="one", *arguments, **options):
        """A daemon with a directory of its own; one that was killed is started again by its name."""
        directory = os.path.join(self.directory, name)
        os.makedirs(directory, exist_ok=True)
        self.daemons[name] = Daemon(self.cluster, directory, *arguments, **options)
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

    def journal_value(self, key):
        path = os.path.join(self.directory, "value")
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)  # rados does not cut it
        self.journal("getomapval", key, path)
        with open(path) as file:
            return json.load(file)

    def owner(self):
        """What the active daemon told of itself; workers' addresses before its own."""
        return self.journal_value("owner_description")

    def record(self, task_id):
        """Of an unfinished task."""
        return self.journal_value("t." + task_id)

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


def check_of(suite):
    """A decorator for the suite's checks: each begins without daemons."""
    def check(function):
        def alone(world):
            world.stop_all()  # those of a failed check live on until here, for its logs
            function(world)
        alone.__name__ = function.__name__
        suite.check(alone)
        return function
    return check


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


def start_deletes(world, daemon, prefix, count, size=SLOW_BYTES):
    names = [f"{prefix}-{n}" for n in range(count)]
    world.make_images(names, size)
    return accepted(at_once([lambda name=name: daemon.delete(name, asynchronous=True) for name in names]))


def await_some_progress(daemon):
    wait_until(lambda: any(task["progress"] > 0 for task in daemon.executing()), "a task makes progress")


def cancel(daemon, task_id, force=False):
    return daemon.request("DELETE", f"/api/task/{task_id}" + ("?force=1" if force else ""))


def expect_cancelled(daemon, task_id, bound_s=30):
    ended = daemon.finished(task_id, bound_s)
    expect(not ended["success"] and ended["exception"]["code"] == "125", lambda: f"not cancelled: {ended}")
    return ended
