"""The two servers that are asked the same: ceph-taskd and the Ceph dashboard, each on a cluster of its own."""

import http.client
import json
import os
import subprocess
import urllib.parse

from harness import VSTART, Cluster, Daemon, Failed, UnixConnection, run, wait_until

ANSWER_BOUND_S = 60
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
        try:
            body = json.loads(text) if text else ""
        except ValueError:
            body = text.decode(errors="replace")
        return cls(response.status, dict(response.getheaders()), body)


class DashboardCluster(Cluster):
    """One whose mgr serves the dashboard."""

    def __init__(self, directory):
        super().__init__(directory, "--dashboard")
        exported = dict(line.removeprefix("export ").split("=", 1)
                        for line in self.vstart("env").splitlines() if "=" in line)
        self.url = exported["VSTART_DASHBOARD_URL"].strip("'\"")
        self.user = exported["VSTART_DASHBOARD_USER"].strip("'\"")
        self.password = exported["VSTART_DASHBOARD_PASSWORD"].strip("'\"")


class Server:
    """A cluster, and how to ask the server on it."""

    def __init__(self, name, cluster):
        self.name = name
        self.cluster = cluster
        self.ids = {}  # image name -> id, of images that are or were in the trash
        self.watchers = []
        for pool, application in POOLS:
            cluster.tool("ceph", "osd", "pool", "create", pool, "8")
            if application:
                cluster.tool("rbd", "pool", "init", pool)

    def connect(self):
        raise NotImplementedError

    def headers(self):
        return {}

    def ask(self, method, path, headers=None, body=None):
        headers = {**(headers or {}), **self.headers()}
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
            return Reply.of(connection.getresponse())
        finally:
            connection.close()

    def rbd(self, *words):
        return self.cluster.tool("rbd", *words).stdout

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
            watcher.kill()
            watcher.wait()
        self.watchers = []

    def close(self):
        self.end_watchers()
        self.cluster.wipe()


class Ours(Server):
    def __init__(self, directory):
        super().__init__("ceph-taskd", Cluster(os.path.join(directory, "ours")))
        self.daemon = Daemon(self.cluster, directory)

    def connect(self):
        return UnixConnection(self.daemon.socket, ANSWER_BOUND_S)

    def close(self):
        self.daemon.stop()
        super().close()


class Dashboard(Server):
    def __init__(self, directory):
        super().__init__("dashboard", DashboardCluster(os.path.join(directory, "dashboard")))
        self.token = None
        login = self.ask("POST", "/api/auth", {"Accept": "application/vnd.ceph.api.v1.0+json",
                                               "Content-Type": "application/json"},
                         {"username": self.cluster.user, "password": self.cluster.password})
        if login.status != 201:
            raise Failed(f"login at the dashboard: {login.status} {login.body}")
        self.token = login.body["token"]

    @staticmethod
    def is_installed():
        return os.path.isdir("/usr/share/ceph/mgr/dashboard")

    def connect(self):
        address = urllib.parse.urlsplit(self.cluster.url)
        return http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_BOUND_S)

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}
