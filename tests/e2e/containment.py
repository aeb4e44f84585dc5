"""What is sick, slow, too much or deadly holds up nothing else.

Each check is a function; the names of checks may be given as arguments.
"""

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import sys
import time

from harness import TEST_CEPH_TASKD, Suite, Watcher, at_once, expect, expect_equal, thread_of, wait_until
from world import (GIB, World, accepted, await_some_progress, cancel, check_of, expect_cancelled, expect_ended_once,
                   expect_no_record, expect_success, start_deletes)

FRONT_ANSWERS_WITHIN_S = 5  # milliseconds on a machine that has nothing else to do

suite = Suite()
check = check_of(suite)


def create_in(daemon, pool, name):
    body = {"pool_name": pool, "name": name, "size": 1 << 20, "features": ["layering"]}
    return daemon.post("/api/block/image", body, headers={"Prefer": "respond-async"})


# --- what crashes or is taken over


def limits_of(pid, name):
    with open(f"/proc/{pid}/limits") as limits:
        line = next(line for line in limits if line.startswith(name))
        return line[len(name):].split()[:2]


def status_of(pid, field):
    with open(f"/proc/{pid}/status") as status:
        return next(line.split()[1] for line in status if line.startswith(field + ":"))


def sockets_of(pid):
    folder = f"/proc/{pid}/fd"
    links = []
    for descriptor in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"{folder}/{descriptor}"))
    return {link for link in links if "socket" in link}


@check
def front_and_workers_write_no_core_files_and_a_worker_has_less_than_its_front(world):
    daemon = world.start()
    wait_until(lambda: len(daemon.workers()) == 2, "two workers run")
    for worker in daemon.workers():
        wait_until(lambda worker=worker: status_of(worker, "NoNewPrivs") == "1", "a worker has begun")
        to_reach_files = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH

        def has_others(worker=worker):
            return [name for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")
                    if int(status_of(worker, name), 16) & ~to_reach_files]
        wait_until(lambda: not has_others(), "a worker has given up its capabilities")
        expect_equal(sockets_of(worker) & sockets_of(daemon.pid), set(), "sockets that a worker has of its front")
    for process in [daemon.pid, *daemon.workers()]:
        expect_equal(limits_of(process, "Max core file size"), ["0", "0"], "core files")


# --- who is served first


@check
def the_front_is_served_before_its_workers(world):
    refused = subprocess.run(["nice", "-n", "-10", "true"], stderr=subprocess.PIPE, check=True).stderr
    daemon = world.start()
    wait_until(lambda: len(daemon.workers()) == 2, "two workers run")
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    expect_equal(os.getpriority(os.PRIO_PROCESS, daemon.pid), usual if refused else usual - 10, "the front's nice value")
    for worker in daemon.workers():
        wait_until(lambda worker=worker: os.getpriority(os.PRIO_PROCESS, worker) == usual, "a worker has its own")


@check
def what_answers_http_runs_before_all_others(world):
    is_allowed = subprocess.run(["chrt", "--rr", "1", "true"], stderr=subprocess.DEVNULL).returncode == 0
    for arguments, wanted in (([], os.SCHED_RR if is_allowed else os.SCHED_OTHER), (["--no-real-time"], os.SCHED_OTHER)):
        daemon = world.start("one", *arguments)
        thread = thread_of(daemon.pid, "taskd-http-0")
        expect_equal(os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK, wanted, "how the front's thread is scheduled")
        wait_until(lambda: daemon.workers(), "a worker runs")
        for process in (daemon.pid, *daemon.workers()):
            expect_equal(os.sched_getscheduler(process), os.SCHED_OTHER, "how all else is scheduled")
        daemon.stop()


# --- a pool that does not answer


@check
def a_pool_that_does_not_answer_holds_up_no_other(world):
    tool = world.cluster.tool
    tool("ceph", "osd", "pool", "create", "sick", "8")
    tool("rbd", "pool", "init", "sick")
    daemon = world.start("one", "--stall-after", "2")
    accepted([create_in(daemon, "sick", f"old-{n}") for n in range(4)])
    wait_until(lambda: not daemon.executing(), "the sick pool's first images are made")
    tool("ceph", "osd", "pool", "set", "sick", "size", "3")
    tool("ceph", "osd", "pool", "set", "sick", "min_size", "3")  # with one OSD its placement groups are inactive
    wait_until(lambda: "undersized" in tool("ceph", "pg", "ls-by-pool", "sick").stdout, "the pool is sick")

    ids = accepted(at_once([lambda n=n: create_in(daemon, "sick", f"new-{n}") for n in range(60)]))
    refused = at_once([lambda n=n: daemon.request("DELETE", f"/api/block/image/sick%2Fold-{n}") for n in range(4)])
    expect_equal({answer.status for answer in refused}, {503}, "a delete whose image cannot be looked up")

    began = time.monotonic()
    well = accepted(at_once([lambda n=n: daemon.create(f"well-{n}", asynchronous=True) for n in range(60)]))
    expect_success_of(daemon, well)
    gone = accepted(at_once([lambda n=n: daemon.delete(f"well-{n}", asynchronous=True) for n in range(60)]))
    expect_success_of(daemon, gone)
    print(f"  60 creates and 60 deletes of the other pool took {time.monotonic() - began:.1f} s")

    executing = {task["id"]: task for task in daemon.executing()}
    expect_equal(set(executing), set(ids), "what the sick pool has to do")

    def stalled():
        return [task for task in daemon.executing() if task["stalled_since"]]
    wait_until(stalled, "its tasks are marked stalled")
    expect(all("sick" in task["waiting_for"] for task in stalled()), lambda: f"they do not say why: {stalled()}")
    running = [task["id"] for task in daemon.executing() if task["state"] == "running"]
    expect_equal(cancel(daemon, running[0], force=True).status, 202, "cancel by force")
    expect_cancelled(daemon, running[0])

    tool("ceph", "osd", "pool", "set", "sick", "min_size", "1")
    tool("ceph", "osd", "pool", "set", "sick", "size", "1", "--yes-i-really-mean-it")
    ids.remove(running[0])
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    expect_no_record(world)


def expect_success_of(daemon, ids):
    for task_id in ids:
        ended = daemon.finished(task_id)
        expect(ended["success"], lambda: f"failed: {ended}")


@check
def any_number_of_requests_for_what_does_not_answer_leaves_the_front_alive(world):
    daemon = world.start()
    world.make_images(["asked-for"], 1 << 20)
    with world.cluster.frozen("osd.0"), Watcher(daemon, "/api/task", "/healthz") as watcher:
        with concurrent.futures.ThreadPoolExecutor(250) as pool:
            # Each under a name of its own: equal requests would be one task.
            path = "/api/block/image/rbd%2Fasked-"
            answers = list(pool.map(lambda n: daemon.request("DELETE", f"{path}{n}", timeout=60), range(2000)))
    expect_equal({answer.status for answer in answers}, {503}, "statuses")
    expect(watcher.slowest() < FRONT_ANSWERS_WITHIN_S, f"an answer took {watcher.slowest():.1f} s")
    wait_until(lambda: daemon.get("/readyz").status == 200, "it takes tasks again", 60)
    expect_equal(daemon.delete("asked-for").status, 204, "a delete afterwards")
    expect_no_record(world)


# --- a task that makes no progress


@check
def a_task_without_progress_says_since_when_and_goes_on(world):
    daemon = world.start("one", "--stall-after", "2")
    task_id = start_deletes(world, daemon, "stalls", 1)[0]
    await_some_progress(daemon)
    with world.cluster.frozen("osd.0"):
        view = wait_until(lambda: daemon.task(task_id)["stalled_since"] and daemon.task(task_id), "it is stalled", 20)
        expect(view["begin_time"] < view["stalled_since"], lambda: f"since when? {view}")
        expect("pool rbd" in view["waiting_for"], lambda: f"what does it wait for? {view}")
    wait_until(lambda: not daemon.task(task_id)["stalled_since"], "it goes on", 60)
    expect_success_of(daemon, [task_id])


@check
def slow_work_that_goes_on_is_not_stalled(world):
    daemon = world.start("one", "--stall-after", "5")
    world.make_images(["slow"], 512 * GIB)
    task_id = accepted([daemon.delete("slow", asynchronous=True)])[0]
    while (view := daemon.task(task_id))["state"] != "finished":
        expect(view["stalled_since"] is None, lambda: f"marked stalled: {view}")
    expect(view["success"], lambda: f"failed: {view}")


# --- heavy tasks, too many tasks


@check
def large_deletes_hold_up_no_small_ones(world):
    daemon = world.start()
    large = [f"large-{n}" for n in range(40)]
    world.make_images(large, 64 * GIB)
    world.make_images(["small"], 1 << 20)
    ids = accepted(at_once([lambda name=name: daemon.delete(name, asynchronous=True) for name in large]))
    await_some_progress(daemon)
    began = time.monotonic()
    expect_success_of(daemon, accepted([daemon.create("quick", asynchronous=True),
                                        daemon.delete("small", asynchronous=True)]))
    print(f"  a create and a small delete took {time.monotonic() - began:.1f} s beside 40 large ones")
    listed = {task["id"] for task in daemon.executing()}
    expect(len(listed & set(ids)) > 20, "most large ones had ended: there was nothing to be held up by")
    expect_success_of(daemon, ids)


@check
def a_full_queue_is_503_and_comes_back_whole(world):
    """More than may wait after a new start, as what ran then waits too."""
    arguments = ("--queue", "5", "--workers", "1", "--threads", "1")
    daemon = world.start("one", *arguments, program=TEST_CEPH_TASKD)
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "action": "hold"})
    answers = [daemon.create("full-0", asynchronous=True)]
    wait_until(lambda: daemon.task(answers[0].task_id)["state"] == "running", "the first one runs")
    answers += [daemon.create(f"full-{n}", asynchronous=True) for n in range(1, 6)]
    ids = accepted(answers)
    refused = daemon.create("full-6", asynchronous=True)
    expect_equal(refused.status, 503, "one too many")
    expect(refused.headers.get("Retry-After"), "no Retry-After")
    daemon.stop(signal.SIGKILL)
    daemon = world.start("one", *arguments, program=TEST_CEPH_TASKD)
    expect({task["id"] for task in daemon.executing()} == set(ids), "not all of them go on")
    daemon.set_steps()
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)


# --- an operation that kills its worker


@check
def only_the_one_of_16_that_aborts_its_worker_fails_and_says_with_what(world):
    daemon = world.start("one", "--workers", "1", program=TEST_CEPH_TASKD)
    daemon.set_steps()
    accepted([daemon.create("poison")])
    daemon.set_steps({"operation": "rbd/create", "step": "create image", "attempt": 1, "action": "hold"},
                     {"operation": "rbd/delete", "step": "remove image", "action": "abort"})
    honest = accepted(at_once([lambda n=n: daemon.create(f"honest-{n}", asynchronous=True) for n in range(15)]))
    wait_until(lambda: [task["state"] for task in daemon.executing()] == ["running"] * 15, "15 honest ones run")
    worker = daemon.workers()
    killer = accepted([daemon.delete("poison", asynchronous=True)])[0]

    ended = daemon.finished(killer)
    expect_success_of(daemon, honest)

    expect(not ended["success"], "a task that kills its worker succeeded")
    expect_equal(ended["attempts"], 3, "attempts")
    for words in ("died under this task 3 times", "signal 6 (Aborted)", "FAILED ceph_assert"):
        expect(words in ended["exception"]["detail"], f"no {words!r} in {ended['exception']}")
    expect(not set(worker) & set(daemon.workers()), "the worker with the 16 in it lives")
    expect_equal(len(world.images("honest-")), 15, "images")
    expect_no_record(world)
    print(f"  15 succeeded; the one failed with: {ended['exception']['detail']}")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
