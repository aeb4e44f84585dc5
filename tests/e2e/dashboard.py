"""The web page's address: nginx before ceph-taskd and the real dashboard of two mgrs, whose time zone is not UTC.

Each check is a function; the names of checks may be given as arguments. They run in this order.
"""

import contextlib
import datetime
import gzip
import http.client
import json
import os
import re
import signal
import ssl
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))

from certificate import Pair  # noqa: E402
from event_stream import EventStream  # noqa: E402
from harness import Daemon, Suite, expect, expect_equal, wait_until  # noqa: E402
from nginx import Nginx  # noqa: E402
from servers import DashboardCluster  # noqa: E402

suite = Suite()
check = suite.check

MEDIA_TYPE = "application/vnd.ceph.api.v1.0+json"
ZONE = "America/New_York"  # hours behind UTC, all the year
PASSWORD = "The-password-1!"
FAILOVER_BOUND_S = 120  # the monitors give a mgr 30 s


class Site:
    """A server as a browser reaches it: cookies, one connection for each request."""

    def __init__(self, url, ca=None):
        self.address = urllib.parse.urlsplit(url).netloc
        self.tls = ssl.create_default_context(cafile=ca) if ca else None
        self.cookie = None

    def connect(self, timeout=60):
        if self.tls:
            return http.client.HTTPSConnection(self.address, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(self.address, timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = self.connect(timeout)
        with contextlib.closing(connection):
            headers = {"Accept": MEDIA_TYPE, **({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}
            if body is not None:
                headers["Content-Type"] = "application/json"
                body = json.dumps(body)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.text = response.read()
            return response

    def get(self, path, **options):
        answer = self.request("GET", path, **options)
        expect_equal(answer.status, 200, f"GET {path} at {self.address}: {answer.text[:300]}")
        return json.loads(answer.text)

    def login(self, name, password):
        answer = self.request("POST", "/api/auth", {"username": name, "password": password})
        expect_equal(answer.status, 201, f"login of {name} at {self.address}: {answer.text}")
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer


def tasks_of(listing, name, metadata=None):
    """Of both lists, as (list, task)."""
    return [(part, task) for part in ("executing_tasks", "finished_tasks") for task in listing[part]
            if task["name"] == name and (metadata is None or task["metadata"] == metadata)]


def seconds(utc):
    return datetime.datetime.fromisoformat(utc.removesuffix("Z")).replace(tzinfo=datetime.timezone.utc).timestamp()


class World:
    def __init__(self, directory):
        self.directory = directory
        os.environ["TZ"] = ZONE  # the cluster's daemons get it, and so does ceph-taskd
        os.environ.setdefault("VSTART_TIMEOUT", "200")  # of seconds; two dashboards at once take a busy machine long
        try:
            self.cluster = DashboardCluster(os.path.join(directory, "cluster"), "--mgrs", "2")
        finally:
            del os.environ["TZ"]
        # The dashboards of both, for the standby's takes a moment longer.
        for url in self.cluster.mgr_urls():
            wait_until(lambda: self.answers(url), f"{url} answers")
        self.daemon, self.standby = (self.start_daemon(name) for name in ("one", "two"))
        self.nginx = Nginx(os.path.join(directory, "nginx"), [self.daemon, self.standby], self.cluster.mgr_urls())
        self.page = Site(self.nginx.url)
        self.page.login(self.cluster.user, self.cluster.password)
        wait_until(lambda: self.page.request("GET", "/api/summary").status == 200, "ceph-taskd knows the users")

    def start_daemon(self, name):
        directory = os.path.join(self.directory, name)
        os.mkdir(directory)
        return Daemon(self.cluster, directory, "--trusted-proxy", "127.0.0.1", auth="dashboard")

    @staticmethod
    def answers(url):
        try:
            return Site(url).request("GET", "/").status in (200, 303)
        except OSError:
            return False

    def active_mgr(self):
        return json.loads(self.cluster.tool("ceph", "mgr", "stat", "--format", "json").stdout)["active_name"]

    def dashboard(self):
        """The active mgr's own, without anybody before it."""
        services = json.loads(self.cluster.tool("ceph", "mgr", "services", "--format", "json").stdout)
        site = Site(services["dashboard"])
        site.cookie = self.page.cookie
        return site

    def user(self, role):
        """A new user's sight of our address."""
        path = os.path.join(self.directory, "password")
        with open(path, "w") as file:
            file.write(PASSWORD)
        words = ["ceph", "dashboard", "ac-user-create", f"user-{role or 'none'}", *([role] if role else [])]
        self.cluster.tool(*words, "--force-password", "-i", path)
        site = Site(self.nginx.url)
        site.login(f"user-{role or 'none'}", PASSWORD)
        wait_until(lambda: site.request("GET", "/api/task").status == 200, f"ceph-taskd knows {words[3]}")
        return site

    def remove_by_the_mgr(self, name):
        """By rbd_support, which makes an event of the progress module of it. Returns the time span in which it began."""
        self.cluster.tool("rbd", "create", name, "--size", "1M")
        before = time.time()
        self.cluster.tool("ceph", "rbd", "task", "add", "remove", f"rbd/{name}")
        wait_until(lambda: name not in self.cluster.images(), f"the mgr has removed {name}")
        return before, time.time()

    def make_pool_by_the_mgr(self, name):
        before = time.time()
        answer = self.page.request("POST", "/api/pool", {"pool": name, "pg_num": 1, "pool_type": "replicated",
                                                         "application_metadata": []})
        expect(answer.status in (201, 202), lambda: f"POST /api/pool: {answer.status} {answer.text}")
        return before, time.time()

    def listed(self, site, name, metadata, path="/api/task"):
        """The task, once it is listed as finished; it must never be there twice."""
        def found():
            tasks = tasks_of(site.get(path), name, metadata)
            expect(len(tasks) <= 1, lambda: f"{name} is listed twice: {tasks}")
            return tasks[0][1] if tasks and tasks[0][0] == "finished_tasks" else None
        return wait_until(found, f"{name} {metadata} at {path}", 60)

    def show_logs(self):
        print("  ceph-taskd:\n    " + "\n    ".join(self.daemon.output().splitlines()[-25:]))
        print("  nginx:\n    " + "\n    ".join(self.nginx.log("access.log").splitlines()[-15:]))

    def close(self):
        self.nginx.close()
        for daemon in (self.daemon, self.standby):
            daemon.stop()
        self.cluster.wipe()


def expect_between(utc, span, what):
    expect(span[0] - 1 <= seconds(utc) <= span[1] + 1,
           f"{what}: {utc} is {seconds(utc) - span[0]:.1f} s after the earliest time that it can be")


@check
def the_page_comes_from_the_mgr_and_is_compressed(world):
    for _ in range(4):  # both mgrs are asked, and one of them is a standby
        answer = world.page.request("GET", "/")
        expect_equal(answer.status, 200, "status of /")
        expect(b"<cd-root>" in answer.text, lambda: f"not the dashboard's page: {answer.text[:200]}")
    script = re.search(rb'src="(main[^"]*\.js)"', answer.text).group(1).decode()
    answer = world.page.request("GET", "/" + script, headers={"Accept-Encoding": "gzip"})
    expect_equal(answer.headers["Content-Encoding"], "gzip", f"coding of {script}")
    expect(len(answer.text) * 2 < len(gzip.decompress(answer.text)), "it is not smaller")


@check
def a_login_at_the_mgr_makes_and_removes_images_by_ours(world):
    page = world.page
    for name in ("vm-1", "odd a%41-name"):
        answer = page.request("POST", "/api/block/image", {"pool_name": "rbd", "name": name, "size": 1 << 20,
                                                           "features": ["layering"]})
        expect_equal(answer.status, 201, f"create {name}: {answer.text}")
        expect(answer.headers["X-Task-Id"], "it was not ours to do")
        answer = page.request("GET", "/api/block/image?limit=10",
                              headers={"Accept": "application/vnd.ceph.api.v2.0+json"})
        expect_equal(answer.headers["X-Total-Count"], "1", "X-Total-Count")
        spec = urllib.parse.quote(urllib.parse.quote("rbd/" + name, safe=""), safe="")
        answer = page.request("DELETE", "/api/block/image/" + spec)
        expect_equal(answer.status, 204, f"remove {name}: {answer.text}")
    expect_equal(world.cluster.images(), [], "images that are left")
    names = [task["name"] for task in page.get("/api/summary")["finished_tasks"]]
    expect_equal(names, ["rbd/delete", "rbd/create"] * 2, "the tasks of the summary")
    expect_equal(tasks_of(world.dashboard().get("/api/task"), "rbd/delete"), [], "what the mgr knows of it")


@check
def events_come_through_nginx_as_they_happen(world):
    with contextlib.closing(EventStream(world.page.connect(), headers={"Cookie": world.page.cookie})) as stream:
        expect_equal(stream.next()[0], "reset", "the first event")
        answer = world.page.request("POST", "/api/block/image", {"pool_name": "rbd", "name": "streamed", "size": 1 << 20,
                                                                 "features": ["layering"]})
        expect_equal(answer.status, 201, "create")
        # nginx keeps nothing back: the end is told while the stream goes on, which no buffer of nginx's would fill.
        told = stream.until_end_of(answer.headers["X-Task-Id"])
        expect(told[-1]["success"], lambda: f"the end: {told[-1]}")


@check
def behind_tls_the_shipped_file_serves_page_logins_and_tasks(world):
    pair = Pair(world.directory, "nginx")
    directory = os.path.join(world.directory, "nginx-tls")
    with Nginx(directory, [world.daemon, world.standby], world.cluster.mgr_urls(), pair) as nginx:
        site = Site(nginx.url, ca=pair.certificate)
        expect_equal(site.request("GET", "/").status, 200, "the page")
        site.login(world.cluster.user, world.cluster.password)
        expect_equal(site.request("GET", "/api/summary").status, 200, "the summary")
        # It compares the Origin with what the browser asked for, which was https.
        answer = site.request("DELETE", "/api/block/image/rbd%2Fnone", headers={"Origin": nginx.url.rstrip("/")})
        expect_equal(answer.status, 404, f"a change from the page itself: {answer.text}")


@check
def another_sites_page_may_change_nothing(world):
    answer = world.page.request("DELETE", "/api/block/image/rbd%2Fnone", headers={"Origin": "http://evil.example"})
    expect_equal(answer.status, 403, "a change for a page of another site")
    answer = world.page.request("DELETE", "/api/block/image/rbd%2Fnone", headers={"Origin": world.nginx.url.rstrip("/")})
    expect_equal(answer.status, 404, "a change for our own page")


@check
def an_event_of_the_mgr_is_listed_once_in_utc(world):
    span = world.remove_by_the_mgr("by-mgr")
    metadata = {"image_spec": "rbd/by-mgr"}
    for path in ("/api/task", "/api/summary"):
        task = world.listed(world.page, "rbd/delete", metadata, path)
        expect_between(task["begin_time"], span, f"begin at {path}")
        expect_between(task["end_time"], span, f"end at {path}")
        expect_equal((task["success"], task["progress"]), (True, 100), f"how it ended, at {path}")
    # What the mgr says itself shows that its time zone is another: else this would prove nothing.
    shifted = tasks_of(world.dashboard().get("/api/task"), "rbd/delete", metadata)[0][1]["begin_time"]
    # To the second: the mgr's way through local time as a float may cost it a microsecond.
    expect(round(seconds(task["begin_time"]) - seconds(shifted)) in (4 * 3600, 5 * 3600),
           lambda: f"the mgr is not in {ZONE}: {shifted} and {task['begin_time']}")


@check
def a_task_of_the_dashboard_is_listed_once_in_utc(world):
    span = world.make_pool_by_the_mgr("of-mgr")
    shown = None
    for path in ("/api/task", "/api/summary"):
        shown = world.listed(world.page, "pool/create", None, path)
        expect_between(shown["begin_time"], span, f"begin at {path}")
        expect_between(shown["end_time"], (span[0], span[1] + 10), f"end at {path}")
    theirs = tasks_of(world.dashboard().get("/api/task"), "pool/create")[0][1]
    for key in ("metadata", "progress", "success", "exception", "ret_value"):
        expect_equal(shown[key], theirs[key], key)
    ends = [task["end_time"] for task in world.page.get("/api/task")["finished_tasks"]]
    expect_equal(ends, sorted(ends, reverse=True), "newest first")


@check
def a_glob_and_the_callers_scopes_hold_for_the_mgrs_tasks(world):
    def names(site, glob=""):
        path = "/api/task" + (f"?name={urllib.parse.quote(glob)}" if glob else "")
        return {task["name"] for task in site.get(path)["finished_tasks"]}
    manager, nobody = world.user("pool-manager"), world.user(None)
    # Making users took a while in which nobody asked, so the mgr's part may have to be looked at anew.
    wait_until(lambda: mgrs_part(world), "the mgr's tasks", 60)
    wait_until(lambda: names(manager) == {"pool/create"}, "what a manager of pools sees", 60)
    expect_equal(names(nobody), set(), "what a user without any role sees")
    expect_equal(names(world.page, "pool/*"), {"pool/create"}, "pool/*")
    expect_equal(names(world.page, "rbd/d*"), {"rbd/delete"}, "rbd/d*")
    expect_equal(names(world.page, "nothing"), set(), "a glob for nothing")


class Latencies:
    """Of one path and of /healthz, which knows no mgr and so tells how busy the machine is: turn by turn, on one
    connection to ceph-taskd itself."""

    def __init__(self, world, path, count=200):
        address = urllib.parse.urlsplit(world.daemon.url).netloc
        connection = http.client.HTTPConnection(address, timeout=30)
        taken = {path: [], "/healthz": []}
        with contextlib.closing(connection):
            for _ in range(count):
                for target, times in taken.items():
                    began = time.monotonic()
                    connection.request("GET", target, headers={"Accept": MEDIA_TYPE, "Cookie": world.page.cookie})
                    response = connection.getresponse()
                    response.read()
                    times.append(1000 * (time.monotonic() - began))
                    expect_equal(response.status, 200, target)
                time.sleep(0.012)  # below the limit of a user's requests
        self.median_ms, self.machine_ms = (sorted(times)[count // 2] for times in taken.values())
        self.slowest_ms = max(taken[path])

    def __str__(self):
        return (f"median {self.median_ms:.2f} ms (/healthz {self.machine_ms:.2f} ms), "
                f"slowest {self.slowest_ms:.1f} ms")


def expect_as_fast(world, usual, state):
    for path, before in usual.items():
        now = Latencies(world, path)
        print(f"  mgr {state}: {path}: {now}; before: {before}", flush=True)
        as_busy = max(1, now.machine_ms / before.machine_ms)
        expect(now.median_ms < 3 * as_busy * before.median_ms + 2, f"{path} is slower with the mgr {state}")
        expect(now.slowest_ms < 1000, f"{path} waited with the mgr {state}")


def is_of_mgr(task):
    return task["name"] == "pool/create" or task["metadata"] == {"image_spec": "rbd/by-mgr"}


def mgrs_part(world):
    return [task for task in world.page.get("/api/task")["finished_tasks"] if is_of_mgr(task)]


@check
def without_the_mgr_our_answers_keep_their_speed_and_its_part_comes_back(world):
    # What of these each check did itself, so that this one stands alone.
    if not mgrs_part(world):
        world.remove_by_the_mgr("by-mgr")
    event = world.listed(world.page, "rbd/delete", {"image_spec": "rbd/by-mgr"})
    paths = ("/api/summary", "/api/task")
    usual = {path: Latencies(world, path) for path in paths}
    old = world.active_mgr()
    with world.cluster.frozen("mgr." + old):
        expect_as_fast(world, usual, "frozen")
        wait_until(lambda: not mgrs_part(world), "the part of the frozen mgr is dropped", 20)
        expect_as_fast(world, usual, "frozen and its part dropped")
        for path in paths:
            listing = world.page.get(path)
            expect(all(isinstance(listing[part], list) for part in ("executing_tasks", "finished_tasks")), "no arrays")
    wait_until(lambda: mgrs_part(world), "the part of the thawed mgr is back", 60)
    # It may have been replaced meanwhile.
    old = wait_until(world.active_mgr, "a mgr is active")
    began = time.monotonic()
    os.kill(world.cluster.pid("mgr." + old), signal.SIGKILL)
    expect_as_fast(world, usual, "killed")
    # The monitors miss it, and the other takes over.
    summary = wait_until(lambda: (lambda now: now if now["mgr_id"] not in ("", old) and now["mgr_host"] else None)(
        world.page.get("/api/summary")), "the summary names the other mgr", FAILOVER_BOUND_S)
    print(f"  {time.monotonic() - began:.1f} s after the kill of mgr.{old} the summary names mgr.{summary['mgr_id']}")
    expect(summary["mgr_host"] in world.cluster.mgr_urls(), lambda: f"mgr_host is {summary['mgr_host']}")
    back = world.listed(world.page, "rbd/delete", {"image_spec": "rbd/by-mgr"})
    print(f"  {time.monotonic() - began:.1f} s after it its events are listed again", flush=True)
    # The mgr itself keeps it only to some milliseconds.
    expect(abs(seconds(back["begin_time"]) - seconds(event["begin_time"])) < 1,
           lambda: f"the event began at {event['begin_time']}, as another mgr tells it at {back['begin_time']}")
    expect_as_fast(world, usual, "replaced")


@check
def after_the_failover_the_page_goes_on_by_itself(world):
    """At the surviving mgr, with the old one still in nginx's configuration."""
    def page_is_there():
        return world.page.request("GET", "/api/feature_toggles").status == 200
    wait_until(page_is_there, "the dashboard answers through nginx", FAILOVER_BOUND_S)
    for _ in range(6):
        expect(page_is_there(), "nginx did not pass over the dead mgr")
    span = world.make_pool_by_the_mgr("of-other")
    tasks = wait_until(lambda: [task for _, task in tasks_of(world.page.get("/api/summary"), "pool/create")
                                if task["metadata"].get("pool_name") == "of-other"], "the new mgr's task", 60)
    expect_equal(len(tasks), 1, "how often it is listed")
    expect_between(tasks[0]["begin_time"], span, "its begin")


@check
def a_ceph_taskd_that_dies_is_replaced_behind_the_page(world):
    expect_equal(world.standby.get("/healthz").body["state"], "standby", "the second daemon")
    answer = world.page.request("POST", "/api/block/image", {"pool_name": "rbd", "name": "stays", "size": 1 << 20,
                                                             "features": ["layering"]})
    expect_equal(answer.status, 201, f"create: {answer.text}")
    began = time.monotonic()
    world.daemon.stop(signal.SIGKILL)

    def summary():
        answer = world.page.request("GET", "/api/summary")
        expect(answer.status in (200, 502, 503), lambda: f"{answer.status} {answer.text}")
        return answer.status == 200 and json.loads(answer.text)
    first = wait_until(summary, "the other serves through nginx", 60)
    print(f"  {time.monotonic() - began:.1f} s after the kill the summary is there again")
    made = {"pool_name": "rbd", "namespace": None, "image_name": "stays"}
    expect_equal(len(tasks_of(first, "rbd/create", made)), 1, "the task of before")
    for _ in range(6):
        expect_equal(world.page.request("GET", "/api/summary").status, 200, "nginx did not pass over the dead one")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
