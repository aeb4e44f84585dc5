"""ceph-taskd and ceph-task on a real cluster: what people see, whatever dies beside it.

Each check is a function; the names of checks may be given as arguments. The daemon runs in a time zone that is not
UTC. Latencies are printed for the reader; only bounds that no working daemon comes near are asserted.
"""

import collections
import concurrent.futures
import datetime
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

from harness import (CEPH_TASKD, TEST_CEPH_TASKD, Cluster, Daemon, Failed, Suite, Watcher, at_once, expect,
                     expect_equal, is_gone, run, threads_of, wait_until)

GIB = 1 << 30
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EXECUTING_KEYS = {"name", "metadata", "begin_time", "progress"}
FINISHED_KEYS = EXECUTING_KEYS | {"end_time", "duration", "success", "ret_value", "exception"}
SUMMARY_KEYS = {"health_status", "mgr_id", "mgr_host", "have_mon_connection", "executing_tasks", "finished_tasks",
                "version", "rbd_mirroring"}
FRONT_ANSWERS_WITHIN_S = 5  # milliseconds on a machine that has nothing else to do

suite = Suite()
check = suite.check


class World:
    """One cluster; a daemon at a time."""

    def __init__(self, directory):
        self.directory = directory
        self.cluster = Cluster(os.path.join(directory, "cluster"))
        self.daemon = None
        self.arguments = None

    def taskd(self, *arguments, program=CEPH_TASKD):
        """The running daemon if it was started like this, else a new one."""
        if self.daemon and self.daemon.is_running() and self.arguments == (program, arguments):
            return self.daemon
        self.stop_daemon()
        self.daemon = Daemon(self.cluster, self.directory, *arguments, program=program,
                             env={"TZ": "Asia/Kolkata"})
        self.arguments = (program, arguments)
        return self.daemon

    def test_taskd(self, *arguments):
        daemon = self.taskd(*arguments, program=TEST_CEPH_TASKD)
        daemon.set_steps()
        return daemon

    def stop_daemon(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None

    def show_logs(self):
        if self.daemon:
            print("  the daemon's last lines:\n    " + "\n    ".join(self.daemon.output().splitlines()[-25:]))

    def close(self):
        try:
            if self.daemon and self.daemon.is_running():
                self.daemon.stop(signal.SIGKILL)
        finally:
            self.cluster.wipe()


def check_entry(entry, keys):
    expect_equal(set(entry), keys, "keys of a task")
    now = datetime.datetime.now(datetime.timezone.utc)
    for key in keys & {"begin_time", "end_time"}:
        expect(TIME.fullmatch(entry[key]), f"{key} {entry[key]!r} has not six digits and Z")
        age = now - datetime.datetime.fromisoformat(entry[key].replace("Z", "+00:00"))
        expect(abs(age) < datetime.timedelta(hours=1), f"{key} {entry[key]} is not UTC: it is {now} now")


def check_list(body):
    """The names of the images whose creation it lists."""
    for entry in body["executing_tasks"]:
        check_entry(entry, EXECUTING_KEYS)
    for entry in body["finished_tasks"]:
        check_entry(entry, FINISHED_KEYS)
    tasks = body["executing_tasks"] + body["finished_tasks"]
    return {task["metadata"].get("image_name") for task in tasks if task["name"] == "rbd/create"}


def expect_success(view):
    expect(view["success"], lambda: f"task {view['name']} {view['metadata']} failed: {view['exception']}")


def expect_clear_error(view):
    detail = (view["exception"] or {}).get("detail", "")
    expect(len(detail) > 10, f"{view['metadata']} failed without a clear error: {view['exception']}")


# --- the list


@check
def summary_lists_every_one_of_200_concurrent_creates(world):
    daemon = world.taskd()
    names = [f"many-{n}" for n in range(200)]
    with Watcher(daemon, "/api/summary", "/api/task?name=rbd/*") as watcher:
        answers = at_once([lambda name=name: daemon.create(name) for name in names])
        wait_until(lambda: not daemon.executing(), "all creates have ended")
    statuses = {answer.status for answer in answers}
    expect(statuses <= {201, 202}, f"statuses {statuses}")
    for answer in answers:
        if answer.status == 201:
            expect_equal(answer.body, None, "body of a 201")
        else:
            expect_equal(set(answer.body), {"name", "metadata"}, "keys of a 202")
    seen = set()
    for answer in watcher.answers:
        if "health_status" in answer.body:
            expect_equal(set(answer.body), SUMMARY_KEYS, "keys of the summary")
        seen |= check_list(answer.body)
    expect(set(names) <= seen, lambda: f"never listed: {sorted(set(names) - seen)}")
    expect(set(names) <= set(world.cluster.images()), "an image is missing")
    print(f"  {len(watcher.answers)} lists meanwhile, usually {watcher.usual() * 1000:.1f} ms,"
          f" slowest {watcher.slowest() * 1000:.0f} ms")


@check
def equal_requests_of_64_clients_are_one_task(world):
    daemon = world.test_taskd()
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "action": "hold"})
    answers = at_once([lambda: daemon.create("same") for _ in range(64)])
    other_size = daemon.create("same", size=2 << 20)
    listed = [task for task in daemon.executing() if task["metadata"]["image_name"] == "same"]
    daemon.set_steps()

    expect_equal({answer.status for answer in answers}, {202}, "statuses")
    expect_equal(len({answer.task_id for answer in answers}), 1, "tasks")
    expect_equal(len({json.dumps(answer.body, sort_keys=True) for answer in answers}), 1, "different answers")
    expect_equal(len(listed), 1, "listed tasks")
    expect_equal(other_size.status, 409, "status of the same name with another size")
    expect_equal(other_size.body["task_id"], answers[0].task_id, "the task that is in the way")
    expect_success(daemon.finished(answers[0].task_id))


@check
def progress_of_a_delete_grows(world):
    daemon = world.taskd()
    daemon.create("large", size=64 * GIB)
    task_id = daemon.delete("large", asynchronous=True).task_id
    seen = []

    def ended():
        view = daemon.task(task_id)
        seen.append(view["progress"])
        return view if view["state"] == "finished" else None

    expect_success(wait_until(ended, "the delete has ended"))
    expect_equal(seen, sorted(seen), "progress")
    expect(len({percent for percent in seen if 0 < percent < 100}) >= 3, f"progress was only {sorted(set(seen))}")
    expect("large" not in world.cluster.images(), "the image is still there")


@check
def what_is_in_the_way_of_a_delete_is_named_and_nothing_is_destroyed(world):
    daemon = world.taskd()
    daemon.create("parent")
    for command in ("snap create rbd/parent@one", "snap create rbd/parent@two", "snap protect rbd/parent@two",
                    "clone --rbd-default-clone-format 1 rbd/parent@two rbd/child"):
        world.cluster.tool("rbd", *command.split())

    answer = daemon.delete("parent")

    expect(answer.status in (400, 409), f"status {answer.status}")
    expect("child" in json.dumps(answer.body), f"the child is not named: {answer.body}")
    expect_equal(answer.body["task"]["name"], "rbd/delete", "task of the failure")
    snapshots = json.loads(world.cluster.tool("rbd", "snap", "ls", "rbd/parent", "--format", "json").stdout)
    expect_equal([snapshot["name"] for snapshot in snapshots], ["one", "two"], "snapshots")
    expect({"parent", "child"} <= set(world.cluster.images()), "an image is gone")
    world.cluster.tool("rbd", "rm", "--no-progress", "rbd/child")
    expect_equal(daemon.delete("parent").status, 204, "status without the child")


# --- what dies


def watch_kill(world, daemon, task_ids):
    """Kills the one worker while the front is asked; all tasks end well, and a new worker takes new ones."""
    workers = daemon.workers()
    expect_equal(len(workers), 1, "workers")
    with Watcher(daemon, "/api/summary", "/api/task") as watcher:
        os.kill(workers[0], signal.SIGKILL)
        daemon.set_steps()
        wait_until(lambda: set(daemon.workers()) - set(workers), "a new worker process")
        new = daemon.create(f"after-{task_ids[0]}", asynchronous=True)
        expect_success(daemon.finished(new.task_id))
        views = [daemon.finished(task_id) for task_id in task_ids]
    for view in views:
        expect_success(view)
    expect(daemon.is_running(), "the front ended")
    expect(watcher.slowest() < FRONT_ANSWERS_WITHIN_S, f"an answer took {watcher.slowest():.1f} s")
    print(f"  the front answered {len(watcher.answers)} times meanwhile, usually {watcher.usual() * 1000:.1f} ms,"
          f" slowest {watcher.slowest() * 1000:.0f} ms")


@check
def a_killed_worker_with_16_creates_in_it_takes_nothing_along(world):
    daemon = world.test_taskd("--workers", "1", "--threads", "16")
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "attempt": 1, "action": "hold"})
    names = [f"held-{n}" for n in range(16)]
    ids = [daemon.create(name, asynchronous=True).task_id for name in names]
    wait_until(lambda: [task["state"] for task in daemon.executing()] == ["running"] * 16, "16 tasks run")

    watch_kill(world, daemon, ids)

    expect(set(names) <= set(world.cluster.images()), "an image is missing")


@check
def a_killed_worker_with_16_deletes_in_it_takes_nothing_along(world):
    daemon = world.taskd("--workers", "1", "--threads", "32", "--per-pool", "32")  # deletes leave a quarter to others
    names = [f"doomed-{n}" for n in range(16)]
    for answer in at_once([lambda name=name: daemon.create(name, size=32 * GIB) for name in names]):
        expect_success(daemon.finished(answer.task_id))
    ids = [daemon.delete(name, asynchronous=True).task_id for name in names]

    def well_under_way():
        tasks = daemon.executing()
        return len(tasks) == 16 and all(task["state"] == "running" for task in tasks) and \
            any(task["progress"] > 0 for task in tasks)
    wait_until(well_under_way, "16 deletes run")

    watch_kill(world, daemon, ids)

    expect(not set(names) & set(world.cluster.images()), "an image is still there")


@check
def only_the_task_that_kills_its_worker_fails_and_says_with_what(world):
    daemon = world.test_taskd("--workers", "1")
    daemon.create("poison")
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "attempt": 1, "action": "hold"},
                     {"operation": "rbd/delete", "step": "remove image", "action": "abort"})
    innocent = daemon.create("innocent", asynchronous=True).task_id
    wait_until(lambda: daemon.task(innocent)["state"] == "running", "the innocent runs")

    killer = daemon.finished(daemon.delete("poison", asynchronous=True).task_id)

    expect(not killer["success"], "a task that kills its worker succeeded")
    expect_equal(killer["attempts"], 3, "attempts")
    detail = killer["exception"]["detail"]
    for words in ("died under this task 3 times", "signal 6 (Aborted)", "FAILED ceph_assert"):
        expect(words in detail, f"no {words!r} in {detail!r}")
    daemon.set_steps()
    expect_success(daemon.finished(innocent))
    expect_equal(daemon.delete("poison").status, 204, "status of the delete without the abort")


@check
def a_stopped_osd_stops_neither_the_lists_nor_new_tasks(world):
    daemon = world.taskd("--no-journal")
    daemon.create("before")
    names = [f"stopped-{n}" for n in range(500)]
    with Watcher(daemon, "/api/summary", "/api/task") as usual:
        wait_until(lambda: len(usual.answers) >= 50, "50 answers")
    threads_before = threads_of(daemon.pid)
    with world.cluster.frozen("osd.0"), Watcher(daemon, "/api/summary", "/api/task?name=nothing") as watcher:
        answers = at_once([lambda name=name: daemon.create(name) for name in names])
        threads = threads_of(daemon.pid) - threads_before
    expect_equal({answer.status for answer in answers}, {202}, "statuses")
    expect(threads < 50, f"{threads} more threads for 500 tasks")
    expect(watcher.slowest() < FRONT_ANSWERS_WITHIN_S, f"an answer took {watcher.slowest():.1f} s")
    for answer in answers:
        expect_success(daemon.finished(answer.task_id))
    expect(set(names) <= set(world.cluster.images()), "an image is missing")
    print(f"  {threads} more threads; an answer usually took {watcher.usual() * 1000:.1f} ms"
          f" ({usual.usual() * 1000:.1f} ms before), the slowest {watcher.slowest() * 1000:.0f} ms")


@check
def with_a_journal_a_stopped_osd_half_accepts_nothing(world):
    daemon = world.taskd()
    daemon.create("before-stop")
    with world.cluster.frozen("osd.0"), Watcher(daemon, "/api/summary", "/api/task"):
        refused = daemon.create("not-durable")
        executing = daemon.executing()
    expect_equal(refused.status, 503, "status")
    expect(refused.headers["Retry-After"], "no Retry-After")
    expect_equal([task for task in executing if task["metadata"].get("image_name") == "not-durable"], [], "listed")
    wait_until(lambda: not daemon.executing(), "nothing executes")
    expect("not-durable" not in world.cluster.images(), "what was refused was done")
    expect_equal(daemon.create("not-durable").status, 201, "status afterwards")


def remove_beside(world, names, stop):
    """A shell in which somebody removes the same images."""
    for name in names:
        if stop.is_set():
            return
        subprocess.run(["rbd", "rm", "--no-progress", "rbd/" + name], env=world.cluster.env, capture_output=True)


@check
def others_who_remove_the_same_400_images_do_no_harm(world):
    daemon = world.taskd()
    names = [f"race-{n}" for n in range(400)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for answer in pool.map(lambda name: daemon.create(name, size=2 * GIB), names):
            expect_success(daemon.finished(answer.task_id))
    stop = threading.Event()
    orders = [names, names[::-1], random.sample(names, len(names))]
    shells = [threading.Thread(target=remove_beside, args=(world, order, stop)) for order in orders]
    for shell in shells:
        shell.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            removals = list(pool.map(lambda name: daemon.cli("rbd", "rm", "rbd/" + name, check=False), names))
    finally:
        stop.set()
        for shell in shells:
            shell.join()
    expect(daemon.is_running(), "the front ended")
    wait_until(lambda: not daemon.executing(), "every task has ended")
    for name, removal in zip(names, removals):
        expect(removal.returncode in (0, 1), f"{name}: exit code {removal.returncode}: {removal.stderr}")
        expect(removal.returncode == 0 or len(removal.stderr.strip()) > 10, f"{name}: no clear error")
    reasons = collections.Counter()
    for view in daemon.get("/api/task?name=rbd/delete").body["finished_tasks"]:
        if not view["success"] and view["metadata"]["image_spec"].startswith("rbd/race-"):
            expect_clear_error(view)
            reasons[view["exception"]["detail"]] += 1
    for name in set(names) & set(world.cluster.images()):  # those whose removers got into each other's way
        expect_equal(daemon.delete(name).status in (202, 204), True, f"{name}: a second removal is accepted")
    wait_until(lambda: not daemon.executing(), "every task has ended")
    expect(not set(names) & set(world.cluster.images()), "an image is still there")
    print(f"  {sum(not removal.returncode for removal in removals)} of 400 removed by tasks;"
          f" {daemon.output().count('was killed by signal 6')} workers aborted;"
          f" the rest: {dict(reasons)}")


# --- commands


@check
def commands_are_tasks_by_json_and_by_words(world):
    daemon = world.taskd()
    by_json = daemon.post("/api/command", {"command": {"prefix": "osd pool ls", "format": "json"}})
    expect_equal(by_json.status, 200, "status")
    expect("rbd" in by_json.body["output"], f"no pool rbd in {by_json.body}")
    by_words = daemon.cli("command", "--", "osd", "pool", "ls", "detail")
    expect("pool" in by_words.stdout and "rbd" in by_words.stdout, f"words gave {by_words.stdout!r}")
    by_cli_json = daemon.cli("command", '{"prefix": "osd pool ls"}')
    expect("rbd" in by_cli_json.stdout, f"JSON gave {by_cli_json.stdout!r}")
    refused = daemon.cli("command", "--", "osd", "pool", "get", "no-such-pool", "size", check=False)
    expect_equal(refused.returncode, 1, "exit code of a command that the monitor refuses")
    expect("no-such-pool" in refused.stderr, f"unclear: {refused.stderr!r}")


@check
def commands_that_abort_a_monitor_do_not_reach_it(world):
    daemon = world.taskd()
    monitor = world.cluster.pid("mon.a")
    for command in ({"prefix": 5}, {"prefix": True}, {"prefix": ["status"]}, {"prefix": "status", "format": 5}, {},
                    {"prefix": ""}, {"prefix": None}, [], "status", None):
        answer = daemon.post("/api/command", {"command": command})
        expect_equal(answer.status, 400, f"status of {command}")
        expect(answer.body["detail"], f"no reason for {command}")
    expect_equal(world.cluster.pid("mon.a"), monitor, "the monitor")
    expect_equal(daemon.post("/api/command", {"command": {"prefix": "status"}}).status, 200, "a good one afterwards")


# --- the command line


@check
def the_exit_code_tells_whether_the_task_succeeded(world):
    daemon = world.taskd()
    create = ("rbd", "create", "rbd/by-cli", "--size", "1M", "--image-feature", "layering")

    def ends_with(code, *arguments):
        done = daemon.cli(*arguments, check=False)
        expect_equal(done.returncode, code, f"exit code of {' '.join(arguments)} ({done.stderr.strip()})")
        return done

    ends_with(0, *create)
    expect("by-cli" in world.cluster.images(), "no image")
    expect("exists" in ends_with(1, *create).stderr, "the reason is not told")
    listed = json.loads(ends_with(0, "ls", "--format", "json").stdout)
    expect(any(task["metadata"].get("image_name") == "by-cli" for task in listed["finished_tasks"]), "not listed")
    ends_with(0, "rbd", "rm", "rbd/by-cli")
    expect("by-cli" not in world.cluster.images(), "still there")
    expect("not found" in ends_with(1, "rbd", "rm", "rbd/by-cli").stderr, "the reason is not told")
    ends_with(0, *create, "--no-wait")
    wait_until(lambda: "by-cli" in world.cluster.images(), "the image is there")
    ends_with(2, "rbd", "create", "rbd/x")
    ends_with(2, "nonsense")
    ends_with(4, "--socket", os.path.join(world.directory, "no.sock"), "ls")
    ends_with(0, "--help")


# --- start and end


def refuses_to_start(world, code, words, *arguments, env=None, bound_s=30):
    began = time.monotonic()
    command = [CEPH_TASKD, "--socket", os.path.join(world.directory, "other.sock"), "--no-listen", *arguments]
    done = run(*command, env=env or world.cluster.env, check=False, bound_s=bound_s)
    expect_equal(done.returncode, code, f"exit code with {arguments} ({done.stderr.strip()})")
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    expect_equal(len(lines), 1, f"lines on standard error with {arguments}: {lines}")
    expect(lines[0].startswith("ceph-taskd: "), f"no line of ours: {lines[0]!r}")
    expect(any(word in lines[0] for word in words), f"none of {words} in {lines[0]!r}")
    expect_equal(done.stdout, "", "standard output")
    print(f"  {lines[0]} ({time.monotonic() - began:.1f} s)")


@check
def what_is_wrong_at_start_is_one_clear_line(world):
    conf = world.cluster.conf
    lonely = os.path.join(world.directory, "lonely.conf")
    keyring = os.path.join(world.cluster.directory, "keyring")
    with open(lonely, "w") as file:
        file.write(f"[global]\nmon_host = 127.0.0.1:1\nkeyring = {keyring}\n")
    refuses_to_start(world, 1, ["/no/such.conf"], "-c", "/no/such.conf")
    refuses_to_start(world, 1, ["/no/keyring"], "-c", conf, "-k", "/no/keyring")
    refuses_to_start(world, 1, ["no-such-pool"], "-c", conf, "--pool", "no-such-pool")
    refuses_to_start(world, 1, ["client.nobody"], "-c", conf, "-n", "client.nobody")
    refuses_to_start(world, 1, ["127.0.0.1:1"], "-c", lonely, "--connect-timeout", "2")
    refuses_to_start(world, 2, ["--nonsense", "nonsense"], "-c", conf, "--nonsense")
    for endpoint in ("0.0.0.0:1", "[::]:1", "192.0.2.1:8280"):
        done = run(CEPH_TASKD, "-c", conf, "--auth", "none", "--listen", endpoint, env=world.cluster.env, check=False,
                   bound_s=30)
        expect_equal(done.returncode, 2, f"exit code with --auth none and --listen {endpoint}")
        expect("loopback" in done.stderr, f"unclear: {done.stderr!r}")


@check
def ceph_status_shows_the_daemon_and_what_is_wrong_with_it(world):
    daemon = world.test_taskd("--stall-after", "1")
    wait_until(lambda: re.search(r"taskd: +1 ", world.cluster.tool("ceph", "-s").stdout), "ceph -s shows taskd")

    def status():
        services = json.loads(world.cluster.tool("ceph", "service", "status", "-f", "json").stdout)
        return services.get("taskd", {}).get(str(daemon.process.pid), {}).get("status", {})
    wait_until(lambda: status().get("condition") == "ok", "the daemon says that it is well", 30)

    daemon.set_steps({"operation": "rbd/create", "step": "create image", "action": "hold"})
    held = daemon.create("held", asynchronous=True).task_id
    wait_until(lambda: status()["condition"] == "1 tasks make no progress", "the stalled task is told", 30)
    daemon.set_steps()
    daemon.finished(held)
    expect_equal(daemon.create("held").status, 400, "the name is taken")
    wait_until(lambda: status()["tasks_failed"] == "1", "the failure is told", 30)
    for words in ("rbd/create", "held", "[errno 17] RBD image already exists"):
        expect(words in status()["last_failure"], f"no {words!r} in {status()}")
    expect_equal(status()["condition"], "ok", "the condition afterwards")


@check
def sigterm_lets_running_tasks_end_and_leaves_no_process(world):
    daemon = world.test_taskd("--grace", "120")
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "action": "hold"})
    task_id = daemon.create("draining", asynchronous=True).task_id
    wait_until(lambda: daemon.task(task_id)["state"] == "running", "the create runs")
    workers = daemon.workers()
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in daemon.output(), "the stop has begun")
    expect(daemon.is_running(), "it did not wait for the task")
    daemon.set_steps()
    expect_equal(daemon.stop(bound_s=60), 0, "exit code")
    wait_until(lambda: all(is_gone(pid) for pid in workers), "the workers are gone")
    expect("draining" in world.cluster.images(), "the task was not done")


@check
def what_does_not_end_in_the_grace_time_goes_on_at_the_next_start(world):
    daemon = world.test_taskd("--grace", "0.1")
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "attempt": 1, "action": "hold"})
    task_id = daemon.create("resumed", asynchronous=True).task_id
    wait_until(lambda: daemon.task(task_id)["state"] == "running", "the create runs")
    expect_equal(daemon.stop(), 0, "exit code")
    expect("resumed" not in world.cluster.images(), "it was not interrupted")

    daemon = world.test_taskd("--grace", "0.2")

    expect_success(daemon.finished(task_id))
    expect("resumed" in world.cluster.images(), "no image")


@check
def a_killed_front_takes_its_workers_along(world):
    daemon = world.test_taskd()
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "attempt": 1, "action": "hold"})
    task_id = daemon.create("orphan", asynchronous=True).task_id
    wait_until(lambda: daemon.task(task_id)["state"] == "running", "the create runs")
    workers = daemon.workers()
    expect(workers, "no workers")
    daemon.stop(signal.SIGKILL)
    wait_until(lambda: all(is_gone(pid) for pid in workers), "the workers are gone", 30)

    expect_success(world.test_taskd().finished(task_id))


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
