"""Web pages as a person at a browser meets them: ceph-taskd's own, and the dashboard's with our tasks in it.

What a check does in the browser is in the *_page.mjs files, which node runs. Here: the clusters and servers they need,
and what a browser cannot do (stop a daemon, keep an image in use), which they ask for over HTTP. Arguments: which page,
then names of checks or parts of them, if not all.
"""

import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(HERE, "../../conformance")]

from harness import CEPH_TASKD, at_once, expect_equal, run, wait_until  # noqa: E402
from nginx import Nginx  # noqa: E402
from servers import DashboardCluster  # noqa: E402
from world import World, cancel, expect_cancelled  # noqa: E402

DIRECTORY = os.environ["TASKD_BROWSER_DIR"]
SCREENSHOTS = os.path.join(DIRECTORY, "screenshots")
BOUND_S = 540  # for all checks of one page


class Helper(http.server.ThreadingHTTPServer):
    """Lets the checks call methods of their world: POST /METHOD with a list of arguments."""

    daemon_threads = True

    def __init__(self, world):
        self.world = world
        super().__init__(("127.0.0.1", 0), Call)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Call(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        arguments = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, body = 200, getattr(self.server.world, self.path[1:])(*arguments)
        except Exception as error:  # the check's to judge
            status, body = 500, f"{type(error).__name__}: {error}"
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class BrowsedWorld(World):
    """A cluster, and what a check may ask for that a browser cannot do."""

    daemon = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.watchers = []

    def create(self, name):
        """By another client than the browser; returns the task's id."""
        return self.daemon.create(name).task_id

    def watch(self, spec):
        """Keeps the image in use."""
        self.watchers.append(subprocess.Popen(["rbd", "watch", spec], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL, env=self.cluster.env))  # ends with its input
        wait_until(lambda: "watcher=" in self.cluster.tool("rbd", "status", spec).stdout, f"{spec} is in use", 60)

    def end_watchers(self):
        for watcher in self.watchers:
            watcher.stdin.close()
            watcher.wait(60)
        self.watchers = []

    def environment(self):
        """What the checks are told."""
        return {"PAGE_URL": self.daemon.url}

    def close(self):
        self.end_watchers()
        super().close()


class OwnPage(BrowsedWorld):
    """The page at `/` of ceph-taskd."""

    def __init__(self, directory):
        super().__init__(directory)
        self.port = 0
        self.serve()

    def serve(self, auth="none", *options):
        """(Re)starts the daemon, at the address that it had."""
        self.stop()
        self.daemon = self.start("one", *options, auth=auth, listen=f"127.0.0.1:{self.port}")
        self.port = urllib.parse.urlsplit(self.daemon.url).port

    def stop(self):
        for daemon in self.daemons.values():
            expect_equal(daemon.stop(), 0, "exit code of the daemon")
        self.daemons = {}

    def change_roles(self):
        """Another daemon takes over, and the one that was the active one stands by. Returns the other's address."""
        other = self.start("two", auth="none")
        expect_equal(self.daemons.pop("one").stop(), 0, "exit code of the daemon")
        wait_until(lambda: other.get("/healthz").body["state"] == "active", "the other is active", 60)
        standby = self.start("one", auth="none", listen=f"127.0.0.1:{self.port}")
        wait_until(lambda: standby.get("/healthz").body["state"] == "standby", "it stands by", 60)
        return other.url

    def start_removals(self, *names):
        for name in names:
            self.daemon.delete(name, asynchronous=True)

    def make_user(self, name, role, password):
        run(CEPH_TASKD, "user", "create", name, role, "-i", "-", text=password, env=self.cluster.env)

    def create_many(self, names):
        at_once([lambda name=name: self.daemon.create(name) for name in names])


class DashboardPage(BrowsedWorld):
    """The page of the real dashboard, behind one address with ceph-taskd; two mgrs serve it, one at a time."""

    def __init__(self, directory):
        super().__init__(directory, DashboardCluster, "--mgrs", "2")
        self.daemon = self.start("one", "--trusted-proxy", "127.0.0.1", auth="dashboard")
        self.nginx = Nginx(os.path.join(directory, "nginx"), [self.daemon], self.cluster.mgr_urls())

    def environment(self):
        return {"PAGE_URL": self.nginx.url.rstrip("/"), "PAGE_USER": self.cluster.user,
                "PAGE_PASSWORD": self.cluster.password}

    def tasks_of(self, name):
        """Executing ones that change this image."""
        return [task for task in self.daemon.executing() if task["metadata"].get("image_spec") == "rbd/" + name]

    def cancel(self, name):
        for task in self.tasks_of(name):
            expect_cancelled(self.daemon, cancel(self.daemon, task["id"]).body["id"])

    def active_mgr(self):
        return json.loads(self.cluster.tool("ceph", "mgr", "stat").stdout)

    def replace_mgr(self):
        """Has the other mgr take over; returns when its dashboard serves."""
        before = self.dashboard_url()
        self.cluster.tool("ceph", "mgr", "fail", self.active_mgr()["active_name"])
        wait_until(lambda: self.dashboard_url() not in (None, before), "the other mgr's dashboard is announced", 120)

    def dashboard_url(self):
        return json.loads(self.cluster.tool("ceph", "mgr", "services").stdout).get("dashboard")

    def show_logs(self):
        super().show_logs()
        print("  nginx:\n    " + "\n    ".join(self.nginx.log().splitlines()[-15:]))

    def close(self):
        self.nginx.close()
        super().close()


PAGES = {"own_page": OwnPage, "dashboard_page": DashboardPage}


def run_checks(page, world, names):
    """Has node run the checks of this page; returns how many passed and how many failed."""
    helper = Helper(world)
    command = ["node", "--test-reporter", os.path.join(HERE, "reporter.mjs"), "--test-reporter-destination", "stdout",
               *(["--test-name-pattern", "|".join(names)] if names else []), os.path.join(HERE, page + ".mjs")]
    environment = dict(os.environ, HELPER_URL=helper.url, SCREENSHOTS=os.path.join(SCREENSHOTS, page),
                       NODE_PACKAGES=os.path.join(DIRECTORY, "node_modules"), **world.environment())
    passed = failed = 0
    node = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    bound = threading.Timer(BOUND_S, node.terminate)  # which ends the browser as well
    bound.start()
    try:
        for line in node.stdout:
            print(line, end="", flush=True)
            passed += line.startswith("ok ")
            failed += line.startswith("FAILED ")
        if node.wait() != 0 and not failed:
            print(f"FAILED  {page}: node ended with {node.returncode}")
            failed = 1
    finally:
        bound.cancel()
        if node.poll() is None:
            node.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.wait(10)
            node.kill()
        helper.shutdown()
    if failed:
        world.show_logs()
    return passed, failed


def main(page, *names):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the cluster is wiped on the way out
    screenshots = os.path.join(SCREENSHOTS, page)
    shutil.rmtree(screenshots, ignore_errors=True)
    os.makedirs(screenshots)
    directory = tempfile.mkdtemp(prefix="taskd-browser.")
    world = None
    try:
        world = PAGES[page](directory)
        passed, failed = run_checks(page, world, names)
    finally:
        if world is not None:
            world.close()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"screenshots: {screenshots}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
