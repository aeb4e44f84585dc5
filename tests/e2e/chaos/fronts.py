"""The two ceph-taskd, one active and one standby, as a supervisor keeps them; and one client of both."""

import contextlib
import http.client
import json
import os
import subprocess
import threading
import time

from harness import CEPH_TASKD, Answer, Failed, UnixConnection

# Longer than anything of ours is stopped: who stops a front does not make its clients give up.
ANSWER_BOUND_S = 60


class NotSent(Exception):
    """Nobody took the request."""


class Unknown(Exception):
    """The request was sent, and nothing is known of what became of it."""


class Front:
    def __init__(self, cluster, directory, name):
        self.cluster = cluster
        self.name = name
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        self.socket = os.path.join(self.directory, "taskd.sock")
        self.log = os.path.join(self.directory, "taskd.log")
        self.process = None
        self.killed = False
        self.crashes = []

    def start(self):
        command = [CEPH_TASKD, "-c", self.cluster.conf, "--socket", self.socket, "--listen", "127.0.0.1:0",
                   "--auth", "none"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.cluster.env)
        self.killed = False

    def supervise(self):
        """Starts it again if it ended: without a monitor it may, of a signal that we did not send it may not."""
        code = self.process.poll()
        if code is None:
            return
        if code < 0 and not self.killed:
            self.crashes.append(f"{self.name} ended by signal {-code}")
        self.start()

    def signal(self, number, kills=False):
        self.killed = self.killed or kills
        self.process.send_signal(number)

    def workers(self):
        pids = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                    if int(fields[1]) == self.process.pid and fields[0] != "Z":
                        pids.append(int(entry))
        return sorted(pids)

    def request(self, method, path, body=None, headers=None, bound_s=ANSWER_BOUND_S):
        connection = UnixConnection(self.socket, bound_s)
        with contextlib.closing(connection):
            try:
                connection.connect()
            except OSError as error:
                raise NotSent(f"{self.name}: {error}") from error
            try:
                headers = dict(headers or {})
                if body is not None:
                    headers["Content-Type"] = "application/json"
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                return Answer(connection.getresponse())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unknown(f"{self.name}: {error!r}") from error

    def state(self):
        try:
            return self.request("GET", "/healthz", bound_s=2).body["state"]
        except (NotSent, Unknown):
            return "gone"


class Pair:
    """Whichever of the fronts is active."""

    def __init__(self, fronts):
        self.fronts = fronts
        self.lock = threading.Lock()
        self.favourite = fronts[0]

    def active(self):
        return next((front for front in self.fronts if front.state() == "active"), None)

    def send(self, method, path, body=None, headers=None):
        """One try at each front, the one that served last first.
        @raises NotSent, Unknown"""
        with self.lock:
            first = self.favourite
        refusal = None
        for front in sorted(self.fronts, key=lambda front: front is not first):
            try:
                answer = front.request(method, path, body, headers)
            except NotSent as error:
                refusal = refusal or error
                continue
            if answer.status == 303 or (answer.status == 503 and answer.task_id is None):
                refusal = NotSent(f"{front.name}: {answer}")  # it says that it did not take the request
                continue
            with self.lock:
                self.favourite = front
            return answer
        raise refusal

    def ask(self, path, bound_s=240):
        """A GET that is repeated until somebody answers."""
        end = time.monotonic() + bound_s
        while True:
            try:
                answer = self.send("GET", path)
                if answer.status == 200:
                    return answer.body
                problem = answer
            except (NotSent, Unknown) as error:
                problem = error
            if time.monotonic() > end:
                raise Failed(f"nobody answered {path} in {bound_s} s: {problem}")
            time.sleep(0.2)

    def history(self, search=""):
        """All of it that holds this text, oldest first."""
        tasks = []
        while True:
            page = self.ask(f"/api/task/history?limit=1000&offset={len(tasks)}&search={search}")
            tasks += page["tasks"]
            if len(tasks) >= page["total"] or not page["tasks"]:
                return tasks[::-1]
