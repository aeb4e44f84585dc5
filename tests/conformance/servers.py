"""The two servers that are asked the same: ceph-taskd and the Ceph dashboard, each on a cluster of its own."""

import gzip
import http.client
import json
import os
import subprocess
import time
import urllib.parse

from harness import VSTART, Cluster, Daemon, Failed, UnixConnection, run, wait_until

ANSWER_BOUND_S = 60
SYSTEM_PYTHON = "/usr/bin/python3"  # for which Ceph's packages bring the bindings
MANY_NAMESPACES = "h1many"
CACHE_ENTRIES = 128  # dashboard/plugins/ttl_cache.py
POOLS = [("h1pool", "rbd"), ("h1empty", None)]


class Reply:
    """What a server answered, as far as it is compared."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @classmethod
    def of(cls, response):
        text = response.read()
        if response.getheader("Content-Encoding") == "gzip":
            text = gzip.decompress(text)
        try:
            body = json.loads(text) if text else ""
        except ValueError:
            body = text.decode(errors="replace")
        return cls(response.status, dict(response.getheaders()), body)


class DashboardCluster(Cluster):
    """One whose mgr serves the dashboard."""

    def __init__(self, directory, *options):
        super().__init__(directory, "--dashboard", *options)
        exported = dict(line.removeprefix("export ").split("=", 1)
                        for line in self.vstart("env").splitlines() if "=" in line)
        self.url = exported["VSTART_DASHBOARD_URL"].strip("'\"")
        self.user = exported["VSTART_DASHBOARD_USER"].strip("'\"")
        self.password = exported["VSTART_DASHBOARD_PASSWORD"].strip("'\"")

    def mgr_urls(self):
        """Of the dashboards of all mgrs, active or not."""
        options = json.loads(self.tool("ceph", "config", "dump", "--format", "json").stdout)
        return [f"http://127.0.0.1:{option['value']}/" for option in options
                if option["name"].startswith("mgr/dashboard/") and option["name"].endswith("/server_port")]


class Server:
    """A cluster, and how to ask the server on it. `close` undoes also a `start` that failed half way."""

    name = ""
    cluster_type = Cluster

    def __init__(self, directory):
        self.directory = os.path.join(directory, self.name)
        self.cluster = None
        self.ids = {}  # image name -> id, of images that are or were in the trash
        self.watchers = []
        self.trash_read_at = 0

    def start(self):
        self.cluster = self.cluster_type(self.directory)
        for pool, application in POOLS:
            self.cluster.tool("ceph", "osd", "pool", "create", pool, "8")
            if application:
                self.cluster.tool("rbd", "pool", "init", pool)

    def connect(self):
        raise NotImplementedError

    def headers(self):
        return {}

    def ask(self, method, path, headers=None, body=None):
        headers = {**(headers or {}), **self.headers()}
        began = time.monotonic()
        connection = self.connect()
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
            if data is None and method in ("POST", "PUT"):
                data = b""
            if data is not None:
                headers["Content-Length"] = str(len(data))
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(data)
            reply = Reply.of(connection.getresponse())
            reply.seconds = time.monotonic() - began
            return reply
        finally:
            connection.close()
            if path.startswith("/api/block/image/trash"):
                self.trash_read_at = time.monotonic()  # or before, which nobody can tell: a purge reads it as well

    def settled(self, reply, success):
        """What an answer of 202 would have been, had it waited: how long tasks take is the machine's affair."""
        if reply.status != 202:
            return reply
        path = "/api/task?name=" + urllib.parse.quote(reply.body["name"], safe="")
        task = wait_until(lambda: self.finished(path, reply.body["metadata"]), f"the end of {reply.body}")
        body = task["ret_value"] if task["success"] else task["exception"]
        status = success if task["success"] else task["exception"].get("status", 500)
        settled = Reply(status, reply.headers, "" if status == 204 else body)
        settled.seconds = reply.seconds
        return settled

    def finished(self, path, metadata):
        """The newest of such tasks, if none is under way."""
        tasks = self.ask("GET", path, {"Accept": "application/vnd.ceph.api.v1.0+json"}).body
        if any(task["metadata"] == metadata for task in tasks["executing_tasks"]):
            return None
        return next((task for task in tasks["finished_tasks"] if task["metadata"] == metadata), None)

    def wait_for_mirroring(self):
        """Either server looks at mirroring beside the answers, and has an empty object to tell of it until then."""
        headers = {"Accept": "application/vnd.ceph.api.v1.0+json"}
        wait_until(lambda: self.ask("GET", "/api/summary", headers).body["rbd_mirroring"],
                   f"what {self.name} knows of mirroring")

    def rbd(self, *words):
        return self.cluster.tool("rbd", *words).stdout

    def bindings(self, pool, *lines):
        """Runs lines of Python that know `rbd` and `io`, the pool: for what rbd(8) refuses, and for many calls."""
        program = ["import sys, rados, rbd", "cluster = rados.Rados(conffile='')", "cluster.connect()",
                   f"io = cluster.open_ioctx({pool!r})", *lines, "io.close()", "cluster.shutdown()"]
        self.cluster.tool(SYSTEM_PYTHON, "-c", "\n".join(program))

    def learn_trash_ids(self, pool):
        for entry in json.loads(self.rbd("trash", "ls", "--all", "--format", "json", pool)):
            self.ids[entry["name"]] = entry["id"]

    def watch(self, spec):
        """Keeps the image in use."""
        watcher = subprocess.Popen(["rbd", "watch", spec], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=self.cluster.env)  # it ends with its input
        self.watchers.append(watcher)
        wait_until(lambda: "watcher=" in self.rbd("status", spec), f"{spec} is in use")

    def end_watchers(self):
        for watcher in self.watchers:
            watcher.stdin.close()
            try:
                watcher.wait(ANSWER_BOUND_S)
            except subprocess.TimeoutExpired:
                watcher.kill()
                watcher.wait()
        self.watchers = []

    def close(self):
        self.end_watchers()
        run(VSTART, "wipe", "--dir", self.directory)


class Ours(Server):
    name = "ceph-taskd"
    daemon = None

    def start(self):
        super().start()
        self.daemon = Daemon(self.cluster, os.path.dirname(self.directory))
        self.wait_for_mirroring()

    def connect(self):
        return UnixConnection(self.daemon.socket, ANSWER_BOUND_S)

    def close(self):
        if self.daemon:
            self.daemon.stop()
        super().close()


class Dashboard(Server):
    name = "dashboard"
    cluster_type = DashboardCluster
    token = None

    def start(self):
        super().start()
        self.cluster.tool("ceph", "osd", "pool", "create", MANY_NAMESPACES, "8")
        self.bindings(MANY_NAMESPACES, f"for number in range({CACHE_ENTRIES + 12}):",
                      "    rbd.RBD().namespace_create(io, str(number))")
        login = self.ask("POST", "/api/auth", {"Accept": "application/vnd.ceph.api.v1.0+json",
                                               "Content-Type": "application/json"},
                         {"username": self.cluster.user, "password": self.cluster.password})
        if login.status != 201:
            raise Failed(f"login at the dashboard: {login.status} {login.body}")
        self.token = login.body["token"]
        self.wait_for_mirroring()

    def forget_cached_lists(self):
        """It keeps lists of images for 30 s, but no more than CACHE_ENTRIES of them (contract 6.14)."""
        path = f"/api/block/pool/{MANY_NAMESPACES}/namespace"
        listed = self.ask("GET", path, {"Accept": "application/vnd.ceph.api.v1.0+json"})
        if listed.status != 200:
            raise Failed(f"{path}: {listed.status} {listed.body}")

    @staticmethod
    def is_installed():
        return os.path.isdir("/usr/share/ceph/mgr/dashboard")

    def connect(self):
        address = urllib.parse.urlsplit(self.cluster.url)
        return http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_BOUND_S)

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}
