"""Who is active, who stands by, and how one takes over from the other; what systemd is told.

Each check is a function; the names of checks may be given as arguments.
"""

import contextlib
import os
import signal
import socket
import sys
import time

from harness import Answer, Daemon, Suite, UnixConnection, at_once, expect, expect_equal
from world import (GIB, World, accepted, await_some_progress, await_state, check_of, expect_ended_once,
                   expect_no_record, expect_success, start_deletes, state)

suite = Suite()
check = check_of(suite)


def seconds_until_active(daemon, bound_s):
    began = time.monotonic()
    await_state(daemon, "active", bound_s)
    return time.monotonic() - began


# --- take-over


@check
def a_standby_takes_over_from_a_killed_active_one_and_fences_it_first(world):
    active, standby = world.start("one"), world.start("two")
    expect_equal((state(active), state(standby)), ("active", "standby"), "states")
    world.make_images([f"old-{n}" for n in range(40)], GIB)
    calls = [lambda n=n: active.delete(f"old-{n}", asynchronous=True) for n in range(40)]
    calls += [lambda n=n: active.create(f"new-{n}", asynchronous=True) for n in range(460)]
    ids = accepted(at_once(calls))
    expect(active.executing(), "nothing executes any more: there is nothing to take over")
    addresses = world.owner()["addresses"]
    expect(len(addresses) > 1, "the owner tells of no worker")
    active.stop(signal.SIGKILL)

    print(f"  took over after {seconds_until_active(standby, 15):.1f} s")
    expect(set(addresses) <= world.fenced_addresses(), lambda: f"not all of {addresses} are fenced")
    log = standby.output()
    expect(log.index("fenced ") < log.index("of an earlier life go on"), "it resumed before it had fenced")
    expect_ended_once(standby, ids)
    expect_success(standby, ids)
    expect_equal((len(world.images("old-")), len(world.images("new-"))), (0, 460), "images")
    expect_no_record(world)


@check
def a_standby_takes_over_within_five_seconds_of_a_clean_stop(world):
    active, standby = world.start("one"), world.start("two")
    task_id = accepted([active.create("before-the-stop")])[0]
    fenced = world.fenced_addresses()
    expect_equal(active.stop(), 0, "exit code")
    print(f"  took over after {seconds_until_active(standby, 5):.1f} s")
    expect_equal(world.fenced_addresses(), fenced, "who left in order need not be fenced: blocklist")
    expect_ended_once(standby, [task_id])


@check
def a_standby_takes_over_from_a_frozen_active_one_which_then_stands_by(world):
    """To the standby one that does not run is one of another host that is dead: only its lock's end tells."""
    active, standby = world.start("one"), world.start("two")
    ids = start_deletes(world, active, "frozen", 8)
    await_some_progress(active)
    addresses = world.owner()["addresses"]
    questions = []
    active.process.send_signal(signal.SIGSTOP)
    try:
        print(f"  took over after {seconds_until_active(standby, 15):.1f} s")
        expect(set(addresses) <= world.fenced_addresses(), lambda: f"not all of {addresses} are fenced")
        # They wait in its socket: it reads them before it can have asked for its lock.
        questions = [Waiting(active, path) for path in ["/api/summary", "/api/task", f"/api/task/{ids[0]}"] * 5]
    finally:
        active.process.send_signal(signal.SIGCONT)
    told = {question.answer().status for question in questions}
    expect(told <= {303, 503}, lambda: f"it told what it remembered before it knew that it is not active: {told}")
    await_state(active, "standby")
    expect_ended_once(standby, ids)
    expect_success(standby, ids)
    expect_no_record(world)
    expect_equal(standby.stop(), 0, "exit code")
    await_state(active, "active", 5)


# --- roles over HTTP


@check
def a_standby_sends_clients_to_the_active_one(world):
    active, standby = world.start("one"), world.start("two")
    expect_equal(active.get("/readyz").body["state"], "active", "state")
    expect_equal((standby.get("/healthz").status, standby.get("/readyz").status), (200, 503), "health of a standby")
    answer = standby.get("/api/summary?a=1")
    expect_equal((answer.status, answer.headers.get("Location")), (303, active.url + "/api/summary?a=1"), "redirect")
    answer = standby.create("by-the-standby")
    expect_equal((answer.status, answer.headers.get("Location")), (303, active.url + "/api/block/image"), "redirect")
    expect_equal(world.images("by-the-standby"), [], "images of the standby")


@check
def a_standby_of_an_active_one_without_url_answers_503(world):
    directory = os.path.join(world.directory, "quiet")
    os.makedirs(directory, exist_ok=True)
    quiet = QuietDaemon(world.cluster, directory)
    world.daemons["quiet"] = quiet
    await_state(quiet, "active")
    answer = world.start("two").get("/api/summary")
    expect_equal(answer.status, 503, "status")
    expect("standby" in answer.body["detail"], lambda: f"unclear: {answer.body}")


# --- systemd


class Systemd:
    """The socket on which it is told how a service is."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(60)

    def next(self, wanted):
        """Waits until it is told `wanted`; returns how long that took."""
        began = time.monotonic()
        while wanted not in self.socket.recv(4096).decode().splitlines():
            pass
        return time.monotonic() - began


@check
def systemd_is_told_that_it_is_ready_that_it_lives_and_that_it_stops(world):
    systemd = Systemd(world.directory)
    daemon = world.start(env={"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "900000"})
    systemd.next("READY=1")
    with world.cluster.frozen("osd.0"):  # nothing that a new start would mend
        for _ in range(5):
            systemd.next("WATCHDOG=1")
    expect_equal(daemon.stop(), 0, "exit code")
    systemd.next("STOPPING=1")


class Waiting:
    """A request that was sent, to whoever is there to read it or not."""

    def __init__(self, daemon, path):
        self.connection = UnixConnection(daemon.socket, 60)
        self.connection.request("GET", path)

    def answer(self):
        with contextlib.closing(self.connection):
            return Answer(self.connection.getresponse())


class QuietDaemon(Daemon):
    """One that listens on its Unix socket only."""

    def __init__(self, cluster, directory):
        super().__init__(cluster, directory, "--no-listen")

    def ready_url(self):
        expect(self.process.poll() is None, lambda: "ceph-taskd ended: " + self.output())
        return "ceph-taskd ready:" in self.output() and "unix:" + self.socket


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
