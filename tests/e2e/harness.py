"""A cluster, a ceph-taskd and its clients for end-to-end tests. Standard library only."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = os.environ["TASKD_SOURCE_DIR"]
BUILD = os.environ["TASKD_BINARY_DIR"]
CEPH_TASKD = os.path.join(BUILD, "src/daemon/ceph-taskd")
CEPH_TASK = os.path.join(BUILD, "src/cli/ceph-task")
TEST_CEPH_TASKD = os.path.join(BUILD, "tests/e2e/test-ceph-taskd")
VSTART = os.path.join(SOURCE, "vstart/vstart.sh")

# A PG without replicas whose read lease runs out while its OSD is frozen stays "laggy" for ever in Ceph 16, and its
# requests with it: nothing but a replica's answer makes it look again. With vstart's short timers the lease is 2.4 s.
CONF = "[osd]\nosd pool default read lease ratio = 200\n"

LONG_S = 240  # for what takes as long as the machine takes; a hang is what it catches


class Failed(Exception):
    """A check found something else than it wanted."""


def expect(condition, what):
    if not condition:
        raise Failed(what() if callable(what) else what)


def expect_equal(got, wanted, what):
    expect(got == wanted, f"{what}: expected {wanted!r}, got {got!r}")


def wait_until(condition, what, bound_s=LONG_S):
    """Polls until the condition holds; returns what it gave."""
    end = time.monotonic() + bound_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Failed(f"not within {bound_s} s: {what}")
        time.sleep(0.02)


def run(*command, env=None, bound_s=LONG_S, check=True, text=None):
    """Runs a program to its end; returns the finished process."""
    done = subprocess.run(command, env=env, input=text, capture_output=True, text=True, timeout=bound_s)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return done


class Cluster:
    def __init__(self, directory, *options):
        self.directory = directory
        self.conf = os.path.join(directory, "ceph.conf")
        run(VSTART, "start", "--dir", directory, *options, env={"VSTART_EXTRA_CONF": CONF, **os.environ})
        self.env = dict(os.environ, CEPH_CONF=self.conf)

    def vstart(self, command, *arguments):
        return run(VSTART, command, "--dir", self.directory, *arguments).stdout

    def pid(self, daemon):
        pids = dict(line.split() for line in self.vstart("pids").splitlines())
        return int(pids[daemon])

    @contextlib.contextmanager
    def frozen(self, daemon):
        pid = self.pid(daemon)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def tool(self, *command, **options):
        """`ceph …`, `rbd …` in this cluster."""
        return run(*command, env=self.env, **options)

    def images(self):
        return self.tool("rbd", "ls").stdout.split()

    def long_list(self, *options):
        """`rbd ls -l`: its output, and how many seconds it took. It opens clones, in which that of 16.2.15 can hang for
        ever (src/rbd/open_image.hpp says why), so it is tried again."""
        for hung in range(3):
            began = time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                output = self.tool("rbd", "ls", "-l", *options, bound_s=60).stdout
                return output, time.monotonic() - began
            print(f"  rbd ls -l hung, {hung + 1} times now", flush=True)
        raise Failed("rbd ls -l hung three times")

    def wipe(self):
        self.vstart("wipe")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        text = response.read()
        self.status = response.status
        self.headers = response.headers
        self.body = json.loads(text) if text else None
        self.task_id = response.headers.get("X-Task-Id")

    def __repr__(self):
        return f"{self.status} {self.body}"


class Daemon:
    """A running ceph-taskd. Over TCP everybody may do everything, unless `auth` says otherwise; None: as it comes."""

    def __init__(self, cluster, directory, *arguments, auth="none", program=CEPH_TASKD, env=None,
                 listen="127.0.0.1:0"):
        self.socket = os.path.join(directory, "taskd.sock")
        self.log = os.path.join(directory, "taskd.log")
        self.steps = os.path.join(directory, "steps.json")
        command = [program, "-c", cluster.conf, "--socket", self.socket, "--listen", listen,
                   *(["--auth", auth] if auth else []), *arguments]
        environment = dict(cluster.env, TASKD_TEST_STEPS=self.steps, **(env or {}))
        self.mark = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.cli_env = dict(cluster.env, CEPH_TASKD_URL="unix:" + self.socket)
        self.url = wait_until(self.ready_url, "ceph-taskd is ready", 60)

    def output(self):
        with open(self.log, "rb") as log:
            log.seek(self.mark)
            return log.read().decode(errors="replace")

    def ready_url(self):
        expect(self.process.poll() is None, lambda: "ceph-taskd ended: " + self.output())
        ready = re.search(r"^ceph-taskd ready:.*?(https?://\S+)", self.output(), re.M)
        return ready and ready.group(1)

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def request(self, method, path, body=None, headers=None, timeout=LONG_S):
        connection = UnixConnection(self.socket, timeout)
        with contextlib.closing(connection):
            headers = dict(headers or {})
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
                body = json.dumps(body)
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body, **options)

    def create(self, name, size=1 << 20, asynchronous=False, **more):
        body = {"pool_name": "rbd", "name": name, "size": size, "features": ["layering"], **more}
        return self.post("/api/block/image", body, headers={"Prefer": "respond-async"} if asynchronous else {})

    def delete(self, name, asynchronous=False):
        headers = {"Prefer": "respond-async"} if asynchronous else {}
        return self.request("DELETE", "/api/block/image/rbd%2F" + name, headers=headers)

    def task(self, task_id, wait_s=0):
        return self.get(f"/api/task/{task_id}" + (f"?wait={wait_s}" if wait_s else "")).body

    def finished(self, task_id, bound_s=LONG_S):
        """The task's end."""
        def ended():
            view = self.task(task_id, 5)
            return view if view.get("state") == "finished" else None
        return wait_until(ended, f"task {task_id} has ended", bound_s)

    def executing(self):
        return self.get("/api/task?detail=true").body["executing_tasks"]

    def workers(self):
        """Process ids of its workers."""
        pids = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                    if int(fields[1]) == self.pid and fields[0] != "Z":
                        pids.append(int(entry))
        return pids

    def set_steps(self, *rules):
        """What the workers of test-ceph-taskd do at which step."""
        with open(self.steps + ".new", "w") as file:
            json.dump(rules, file)
        os.rename(self.steps + ".new", self.steps)

    def cli(self, *arguments, **options):
        return run(CEPH_TASK, *arguments, env=self.cli_env, **options)

    def stop(self, number=signal.SIGTERM, bound_s=60):
        """Ends it; returns its exit code."""
        if self.is_running():
            self.process.send_signal(number)
        return self.process.wait(bound_s)


def threads_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"^Threads:\s+(\d+)", status.read(), re.M).group(1))


def thread_of(pid, name):
    """The id of the thread of this name."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/comm") as comm:
            if comm.read().strip() == name:
                return int(thread)
    raise Failed(f"process {pid} has no thread {name}")


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def at_once(calls):
    """Makes all calls at the same moment, each in a thread; returns their results in order."""
    start = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def one(number, call):
        start.wait()
        try:
            results[number] = call()
        except Exception as error:  # the caller's to judge
            results[number] = error

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise Failed(f"a call failed: {result!r}")
    return results


def journal(cluster):
    """All that the daemon keeps in the cluster, as text."""
    program = ("import rados\n"
               "with rados.Rados(conffile='') as cluster, cluster.open_ioctx('rbd') as pool:\n"
               "    pool.set_namespace('taskd')\n"
               "    for entry in pool.list_objects():\n"
               "        with rados.ReadOpCtx() as op:\n"
               "            values, _ = pool.get_omap_vals(op, '', '', 100000)\n"
               "            pool.operate_read_op(op, entry.key)\n"
               "            for name, value in values: print(name, value.decode(errors='replace'))\n")
    return cluster.tool("/usr/bin/python3", "-c", program).stdout


class Watcher:
    """Asks the daemon again and again in a thread of its own, and keeps what it got and how long that took."""

    def __init__(self, daemon, *paths):
        self.daemon = daemon
        self.paths = paths
        self.answers = []
        self.latencies_s = []
        self.error = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        try:
            while not self.stopping.is_set():
                for path in self.paths:
                    began = time.monotonic()
                    answer = self.daemon.get(path, timeout=30)
                    self.latencies_s.append(time.monotonic() - began)
                    self.answers.append(answer)
                self.stopping.wait(0.01)
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self.thread.join()
        if kind is None:
            expect(self.error is None, f"a question was not answered: {self.error!r}")
            expect(self.answers, "nothing was asked")
            bad = [answer.status for answer in self.answers if answer.status != 200]
            expect(not bad, f"answers other than 200: {bad}")

    def slowest(self):
        return max(self.latencies_s)

    def usual(self):
        return sorted(self.latencies_s)[len(self.latencies_s) // 2]


class Suite:
    """Runs checks (functions) and prints what became of them."""

    def __init__(self):
        self.checks = []

    def check(self, function):
        self.checks.append(function)
        return function

    def main(self, names, make_world):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the cluster is wiped on the way out
        unknown = set(names) - {check.__name__ for check in self.checks}
        if unknown:
            sys.exit(f"no such checks: {sorted(unknown)}")
        passed, failed = 0, []
        wanted = [one for one in self.checks if not names or one.__name__ in names]
        directory = tempfile.mkdtemp(prefix="taskd-e2e.")
        world = None
        try:
            world = make_world(directory)
            for check in wanted:
                began = time.monotonic()
                try:
                    check(world)
                    passed += 1
                    print(f"ok      {check.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
                except Exception as error:  # Failed, and what a broken daemon makes of our calls
                    failed.append(check.__name__)
                    print(f"FAILED  {check.__name__}: {type(error).__name__}: {error}", flush=True)
                    world.show_logs()
        finally:
            if world is not None:
                world.close()
            shutil.rmtree(directory, ignore_errors=True)
        print(f"{passed} passed, {len(failed)} failed")
        return 1 if failed or passed == 0 else 0
