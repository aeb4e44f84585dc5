"""The measurements, each a function of a Bench that yields lines."""

import contextlib
import datetime
import json
import os
import re
import signal
import statistics
import subprocess
import time

import image_list
from peers import JSON_V1, Dashboard, Ours
from harness import (BUILD, TEST_CEPH_TASKD, Failed, UnixConnection, Watcher, at_once, expect, expect_equal, run,
                     thread_of, wait_until)
from report import Line

CLUSTER_BENCH = os.path.join(BUILD, "tests/bench/cluster_bench")
FIXED_ANSWER = os.path.join(BUILD, "tests/bench/fixed_answer")
ENGINE_BENCH = os.path.join(BUILD, "tests/bench/engine_bench")
BOUND_S = 900
GIB = 1 << 30
LAYERING = 1  # and no object map


def by_turns(bench, *arguments, turns=3):
    """What `cluster_bench` measured by turns."""
    turns = 1 if bench.quick else turns
    done = run(CLUSTER_BENCH, "--conf", bench.cluster.conf, "--turns", str(turns), *arguments, bound_s=BOUND_S)
    return json.loads(done.stdout)


def compared(*arguments, **options):
    """The rates of both sides."""
    found = by_turns(*arguments, **options)
    return found["ours"], found["beside"]


def engine(bench):
    arguments = ["--benchmark_format=json", "--benchmark_filter=hand_over|post|no_op|memory",
                 "--benchmark_enable_random_interleaving",
                 f"--benchmark_repetitions={1 if bench.quick else 5}", f"--benchmark_min_time={0.05 if bench.quick else 0.3}"]
    results = json.loads(run(ENGINE_BENCH, *arguments, bound_s=BOUND_S).stdout)["benchmarks"]

    def of(name, counter):
        found = [one[counter] for one in results
                 if one["name"].startswith(name) and one["run_type"] == "iteration"]
        expect(found, f"engine_bench measured no {name}")
        return found
    # The library gives the counter in seconds.
    names = "hand_over", "post", "no_op/executing:0", "no_op/executing:1000/", "no_op/executing:100000"
    nanoseconds = {name: [value * 1e9 for value in of(name, "ns_per_item")] for name in names}
    idle = nanoseconds["no_op/executing:0"]
    yield Line("no-op task", "ns", idle, "boost::asio::post", nanoseconds["post"], ("<=", 3))
    yield Line("no-op task, absolute", "ns", idle, wanted=("<=", 1000))
    yield Line("no-op task, 100,000 executing", "ns", nanoseconds["no_op/executing:100000"], "none executing", idle,
               ("<=", 1.25))
    yield Line("a cache line handed from core to core", "ns", nanoseconds["hand_over"])
    yield Line("memory of an executing task", "bytes above name, metadata", of("memory", "bytes_above_own"),
               wanted=("<=", 1024))


def commands(bench):
    ours, bare = compared(bench, "--count", str(512 if bench.quick else 4_096), "commands", turns=9)
    yield Line("mon commands, 64 at a time", "per second", ours, "rados_mon_command, 64 threads", bare, (">=", 0.9))


def object_writes(bench):
    ours, bare = compared(bench, "--count", str(5_000 if bench.quick else 15_000), "object-writes", turns=9)
    yield Line("aio writes, 128 in flight", "per second", ours, "rados_aio_write", bare, (">=", 0.85))


# As the bare calls: one client of the cluster, 32 calls at a time. So they stand beside all else, too; what a second client
# costs is in docs/benchmarks.md.
AS_BARE = ("--workers", "1", "--threads", "32", "--per-pool", "32")


def images(bench):
    def beside_bare(daemon, turns, count, calls="images"):
        count = 64 if bench.quick else count
        return by_turns(bench, "--count", str(count), "--socket", daemon.socket, calls, turns=turns)
    with bench.daemon("images", *AS_BARE) as daemon:
        found = beside_bare(daemon, 5, 256)
        by_trash = beside_bare(daemon, 3, 256, "images-by-trash")
    ours, bare = found["ours"], found["beside"]
    what = "images made and removed, 32 at a time"
    yield Line(what, "per second", ours, "librbd, 32 threads", bare, (">=", 0.9))
    yield Line("an image of them, of all processors' time", "ms", found["ours_busy_ms"], "librbd, 32 threads",
               found["beside_busy_ms"])
    yield Line(what, "per second", by_trash["ours"], "librbd by the trash, 32 threads", by_trash["beside"])
    yield Line("an image of them, of all processors' time", "ms", by_trash["ours_busy_ms"], "librbd by the trash, 32 threads",
               by_trash["beside_busy_ms"])
    rates = {clients: dashboard_images(bench, 16 if bench.quick else 96, clients) for clients in (4, 16)}
    best = max(rates.values())
    yield Line("images made and removed", "per second", ours, "dashboard at its best", [best], (">=", 2))
    with bench.daemon("images_by_two") as daemon:
        found = beside_bare(daemon, 3, 128)
    yield Line("the same with two workers, 16 at a time", "per second", found["ours"], "librbd, 32 threads", found["beside"])


def dashboard_images(bench, count, clients):
    dashboard = Dashboard(bench.cluster)

    def ask(connection, method, name, good):
        body = json.dumps({"pool_name": "rbd", "name": name, "size": 1 << 20}) if method == "POST" else None
        path = "/api/block/image" + ("" if body else f"/rbd%2F{name}")
        connection.request(method, path, body, {**JSON_V1, **dashboard.headers})
        answer = connection.getresponse()
        text = answer.read()
        expect(answer.status in good, lambda: f"{method} {path}: {answer.status} {text[:200]}")

    def share(first, method):
        names = [f"dashboard-{clients}-{number}" for number in range(first, count, clients)]
        good = 201, 202, 204
        # It resets connections now and then when there are more than it has threads, before or after it did what was asked.
        while names:
            with contextlib.closing(dashboard.connect()) as connection, contextlib.suppress(ConnectionError):
                while names:
                    ask(connection, method, names[-1], good)
                    names.pop()
            good = 201, 202, 204, 400, 404
    began = time.monotonic()
    for method in ("POST", "DELETE"):
        at_once([lambda first=first: share(first, method) for first in range(clients)])
        wanted = count if method == "POST" else 0
        wait_until(lambda: len(named(bench, f"dashboard-{clients}-")) == wanted, "the dashboard is done", BOUND_S)
    return count / (time.monotonic() - began)


def named(bench, prefix):
    return [name for name in bench.pool.names() if name.startswith(prefix)]


def until_gone(bench, prefix, look_every_s=0.005):
    while named(bench, prefix) or bench.pool.has_trash():
        time.sleep(look_every_s)


def removals(bench):
    with bench.daemon("removals", *AS_BARE) as daemon:
        yield from many_removals(bench, daemon)
    with bench.daemon("small_removal") as daemon:
        yield from a_small_one_behind_a_large_one(bench, daemon)


def many_removals(bench, daemon):
    count = 20 if bench.quick else 150

    def one_by_one(ask):
        return lambda names: [ask(name) for name in names]

    sides = {"ours": one_by_one(lambda name: daemon.delete(name, asynchronous=True)),
             "rbd-task": one_by_one(bench.add_rbd_task),
             "librbd": lambda names: bench.pool.remove_all(names, 32)}
    rates = {side: [] for side in sides}
    for turn in range(1 if bench.quick else 3):
        for side in (*list(sides)[turn:], *list(sides)[:turn]):
            prefix = f"removed-{turn}-{side}-"
            names = [f"{prefix}{n}" for n in range(count)]
            bench.pool.create_all(names)
            began = time.monotonic()
            # To look costs a part of what is measured, so it is done while each of them works, and not too often.
            at_once([lambda remove=sides[side], names=names: remove(names),
                     lambda prefix=prefix: until_gone(bench, prefix, look_every_s=0.05)])
            rates[side].append(count / (time.monotonic() - began))
    what = f"{count} removals queued at once"
    yield Line(what, "per second", rates["ours"], "ceph rbd task add remove", rates["rbd-task"], (">=", 6))
    yield Line(what, "per second", rates["ours"], "librbd, 32 threads", rates["librbd"])
    yield Line(f"{count} removals by librbd, 32 threads", "per second", rates["librbd"], "ceph rbd task add remove",
               rates["rbd-task"])


def a_small_one_behind_a_large_one(bench, daemon):
    large = 64 * GIB if bench.quick else 400 * GIB

    def ours(image):
        return daemon.delete(image, asynchronous=True).task_id

    times = {}
    for name, ask in (("ours", ours), ("theirs", bench.add_rbd_task)):
        bench.pool.create([f"large-{name}"], large, features=LAYERING)
        bench.pool.create([f"small-{name}"], 4 << 20)
        ask(f"large-{name}")
        began = time.monotonic()
        asked = ask(f"small-{name}")
        until_gone(bench, f"small-{name}")
        times[name] = (time.monotonic() - began) * 1000
        if name == "ours":
            expect(named(bench, "large-ours"), "the large one was gone first: nothing was measured")
            task = daemon.finished(asked)
            times["start"] = (moment(task["started_at"]) - moment(task["begin_time"])).total_seconds() * 1000
        until_gone(bench, f"large-{name}")
    yield Line("small removal given to a worker behind a large one", "ms", [times["start"]], wanted=("<=", 100))
    yield Line("small image gone behind a large one", "ms", [times["ours"]], "ceph rbd task", [times["theirs"]])


def moment(utc):
    return datetime.datetime.fromisoformat(utc.removesuffix("Z"))


def requests_per_second(bench, url, headers=None):
    words = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    done = run("wrk", "-t1", "-c8", "-d1s" if bench.quick else "-d3s", *words, url)
    errors = re.search(r"Non-2xx.*", done.stdout)
    expect(not errors, lambda: f"{url}: {errors.group(0)}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))


def summary(bench):
    dashboard = Dashboard(bench.cluster)
    at = f"http://{dashboard.address.netloc}/api/summary"
    ours, theirs, bare = [], [], []
    # Asked so often it would be served among all others anyway, after a second.
    with bench.daemon("summary", "--request-rate", "0", "--no-real-time") as daemon:
        for _ in range(100):
            daemon.post("/api/command", {"target": "mon", "command": {"prefix": "osd pool ls"}})
        text = json.dumps(daemon.get("/api/summary").body)
        with fixed_answer(text, daemon) as fixed:
            for _ in range(1 if bench.quick else 3):
                ours.append(requests_per_second(bench, daemon.url + "/api/summary"))
                bare.append(requests_per_second(bench, fixed))
                theirs.append(requests_per_second(bench, at, {**JSON_V1, **dashboard.headers}))
    yield Line("GET /api/summary, 100 tasks", "per second", ours, "dashboard", theirs, (">=", 50))
    yield Line("GET /api/summary, 100 tasks", "per second", ours, "bare Beast, fixed body", bare, (">=", 0.7))


@contextlib.contextmanager
def fixed_answer(text, daemon):
    """A server that the system serves as it serves the daemon's front."""
    process = subprocess.Popen([FIXED_ANSWER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write(text)
        process.stdin.close()
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, daemon.pid))
        front = thread_of(daemon.pid, "taskd-http-0")
        os.sched_setscheduler(process.pid, os.sched_getscheduler(front), os.sched_getparam(front))
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.terminate()
        process.wait()


def milliseconds(call):
    began = time.monotonic()
    result = call()
    return (time.monotonic() - began) * 1000, result


def long_list(bench):
    count = 2_000 if bench.quick else 100_000
    arguments = ("--no-journal", "--queue", str(2 * count))
    with bench.daemon("long-list", *arguments, program=TEST_CEPH_TASKD) as daemon:
        daemon.set_steps({"operation": "rbd/create", "step": "check", "action": "hold"})
        run(CLUSTER_BENCH, "--socket", daemon.socket, "--count", str(count), "submit", bound_s=BOUND_S)
        for n in range(10):
            daemon.delete(f"no-image-{n}", asynchronous=True)
        times = []
        for _ in range(20):
            took, answer = milliseconds(lambda: daemon.get("/api/task?name=rbd/del*"))
            expect_equal(len(answer.body["executing_tasks"]), 10, "tasks that match")
            times.append(took)
        daemon.stop(signal.SIGKILL)
    yield Line(f"glob that matches 10 of {count:,} executing", "ms", times, wanted=("<=", 5))


def lists(bench):
    count = 60 if bench.quick else 1000
    dashboard = Dashboard(bench.cluster)
    with bench.daemon("lists") as daemon:
        ours = Ours(daemon)
        already = len(bench.pool.names())
        image_list.arrange(bench.cluster, bench.pool, count - already)
        image_list.timed(ours, image_list.ALL, count)
        wait_until(lambda: image_list.is_complete(dashboard, count), "the dashboard lists all images", 120)
        times = {"dashboard": [], "rbd": [], "with": [], "without": []}
        times["dashboard"].append(image_list.timed(dashboard, image_list.ALL, count))
        for _ in range(1 if bench.quick else 3):
            times["rbd"].append(bench.cluster.long_list()[1] * 1000)
            for _ in range(5):
                times["with"].append(image_list.timed(ours, image_list.ALL, count))
                times["without"].append(image_list.timed(ours, image_list.ALL + "&omit_usage=true", count))
    yield Line(f"list of {count:,} images, with usage", "ms", times["with"], "dashboard", times["dashboard"], ("<=", 0.01))
    yield Line(f"list of {count:,} images", "ms", times["without"], "dashboard", times["dashboard"], ("<=", 0.01))
    yield Line(f"list of {count:,} images", "ms", times["without"], "rbd ls -l", times["rbd"], ("<=", 0.1))


def busy_summary(bench):
    count = 100 if bench.quick else 1000
    bench.pool.create_all([f"busy-{n}" for n in range(count)])
    with bench.daemon("busy") as daemon, fixed_answer(json.dumps(daemon.get("/api/summary").body), daemon) as fixed:
        address = fixed.removeprefix("http://").rstrip("/")
        # Who asks is mostly not on this machine: it is not to wait for a core itself, where the system allows that.
        with subprocess.Popen(["nice", "-n", "-20", CLUSTER_BENCH, "--socket", daemon.socket, "--beside", address, "probe"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as probe:
            try:
                for n in range(count):
                    daemon.delete(f"busy-{n}", asynchronous=True)
                wait_until(lambda: not named(bench, "busy-"), "all are removed", BOUND_S)
                found = json.loads(probe.communicate(timeout=60)[0])
            finally:
                probe.kill()
    ours, beside = ([sorted(found[side])[len(found[side]) * 99 // 100]] for side in ("ours", "beside"))
    yield Line(f"p99 of /api/summary while {count:,} deletes run", "ms", ours, wanted=("<=", 5))
    yield Line(f"p99 of /api/summary while {count:,} deletes run", "ms", ours, "bare Beast, fixed body", beside)


def start(bench):
    """After a clean end of the daemon before. After a kill, monitors have to commit the fence of the dead one."""
    connects, times = [], {signal.SIGTERM: [], signal.SIGKILL: []}
    bench.first_answer(signal.SIGTERM)
    for _ in range(1 if bench.quick else 7):
        for before, took in times.items():
            connects.append(float(run(CLUSTER_BENCH, "--conf", bench.cluster.conf, "connect").stdout) * 1000)
            # How this one ends is what the next one finds.
            after = signal.SIGKILL if before is signal.SIGTERM else signal.SIGTERM
            took.append(bench.first_answer(after))
    connect = statistics.median(connects)
    yield Line("start to first answer, less a connect", "ms", [statistics.median(times[signal.SIGTERM]) - connect],
               wanted=("<=", 150))
    yield Line("the same in place of one that was killed", "ms", [statistics.median(times[signal.SIGKILL]) - connect])


def memory(bench):
    count = 2_000 if bench.quick else 1_000_000
    with bench.daemon("memory") as daemon:
        def resident():
            with open(f"/proc/{daemon.pid}/status") as status:
                return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024

        def send(tasks):
            run(CLUSTER_BENCH, "--socket", daemon.socket, "--count", str(tasks), "ask", bound_s=BOUND_S)
            time.sleep(0 if bench.quick else 12)  # the front gives memory back every ten seconds (HeapTrim)
            return resident()
        early = send(count // 10)
        yield Line(f"front's memory after {count:,} tasks", "MiB", [send(count - count // 10)],
                   f"after {count // 10:,}", [early], ("<=", 1.05))


# What says how much is listed comes first: later the mgr lists tasks of its own (`removals`), and there is a history.
ALL = (engine, commands, object_writes, summary, start, busy_summary, images, removals, lists, long_list, memory)
