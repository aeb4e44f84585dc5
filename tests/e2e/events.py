"""What viewers of the task list are told while it changes: GET /api/task/events.

Each check is a function; the names of checks may be given as arguments.
"""

import json
import os
import signal
import sys
import time

from event_stream import EventStream
from harness import Suite, UnixConnection, expect, expect_equal, wait_until
from world import World, accepted, await_state, check_of, start_deletes

suite = Suite()
check = check_of(suite)


class Viewer(EventStream):
    """At the daemon's own socket."""

    def __init__(self, daemon, last_event_id=None, timeout=60):
        super().__init__(UnixConnection(daemon.socket, timeout), last_event_id)


@check
def a_viewer_sees_an_image_made_and_removed(world):
    daemon = world.start()
    viewer = Viewer(daemon)
    expect_equal(viewer.next(), ("reset", {}), "first event")

    made = accepted([daemon.create("seen")])[0]
    told = viewer.until_end_of(made)
    expect(told[-1]["success"], told[-1])
    expect_equal(told[-1], next(task for task in daemon.get("/api/task?detail=1").body["finished_tasks"]
                                if task["id"] == made), "the end as the list has it")

    removed = start_deletes(world, daemon, "slow", 1)[0]
    told = viewer.until_end_of(removed)
    progress = [task["progress"] for task in told]
    print(f"  progress of the removal: {progress}")
    expect_equal(progress, sorted(progress), "progress grows")
    expect(any(task["state"] == "running" and 0 < task["progress"] < 100 for task in told), f"no progress: {told}")
    expect_equal((told[-1]["success"], progress[-1]), (True, 100), "its end")


@check
def a_viewer_that_was_away_is_told_what_it_missed(world):
    daemon = world.start()
    viewer = Viewer(daemon)
    viewer.next()
    viewer.until_end_of(accepted([daemon.create("before")])[0])
    place = viewer.last_event_id
    viewer.close()
    missed = accepted([daemon.create("missed")])[0]

    viewer = Viewer(daemon, place)

    expect_equal([task["state"] for task in viewer.until_end_of(missed)], ["finished"], "states that are told")


@check
def streams_end_with_the_daemon_and_the_next_one_begins_anew(world):
    active, standby = world.start("one"), world.start("two")
    viewer = Viewer(active)
    viewer.next()
    viewer.until_end_of(accepted([active.create("of-the-first")])[0])
    answer = standby.get("/api/task/events")
    expect_equal((answer.status, answer.headers["Location"]), (303, active.url + "/api/task/events"), "of a standby")

    began = time.monotonic()
    expect_equal(active.stop(), 0, "exit code")
    expect_equal(viewer.next(), None, "after SIGTERM")
    print(f"  stopped in {time.monotonic() - began:.1f} s")
    expect(time.monotonic() - began < 5, "the end waited for a viewer")

    await_state(standby, "active")
    expect_equal(Viewer(standby, viewer.last_event_id).next(), ("reset", {}), "of another life")


@check
def a_stream_ends_when_the_role_is_lost(world):
    active, standby = world.start("one"), world.start("two")
    viewer = Viewer(active)
    viewer.next()
    os.kill(active.pid, signal.SIGSTOP)
    await_state(standby, "active")
    os.kill(active.pid, signal.SIGCONT)

    expect_equal(viewer.next(), None, "after the take-over")
    wait_until(lambda: active.get("/api/task/events").status in (303, 503), "it sends viewers away", 30)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
