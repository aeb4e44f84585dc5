"""An accepted task ends as it should, whatever dies in between; an unaccepted one leaves nothing.

Each check is a function; the names of checks may be given as arguments. A check begins without a daemon and starts the
ones that it wants.
"""

import json
import os
import signal
import sys

from harness import LONG_S, TEST_CEPH_TASKD, Suite, at_once, expect, expect_equal, is_gone, wait_until
from world import (GIB, SLOW_BYTES, World, accepted, await_some_progress, await_state, cancel, check_of, expect_cancelled,
                   expect_ended_once, expect_no_record, expect_success, history, start_deletes, state)

suite = Suite()
check = check_of(suite)


# --- death


@check
def tasks_of_a_killed_daemon_go_on_with_their_ids_and_begin_times(world):
    # In its long form they are of 1 TiB: 262,144 objects each, many minutes of an OSD's time.
    size = 1024 * GIB if os.environ.get("TASKD_E2E_LONG") else SLOW_BYTES
    daemon = world.start()
    ids = start_deletes(world, daemon, "killed", 40, size)
    await_some_progress(daemon)
    before = {task["id"]: task["begin_time"] for task in daemon.executing()}
    expect(len(before) > 30, "most had ended before the kill")
    workers = daemon.workers()
    daemon.stop(signal.SIGKILL)
    wait_until(lambda: all(is_gone(pid) for pid in workers), "the workers are gone", 10)

    daemon = world.start()
    listed = {task["id"]: task["begin_time"] for task in daemon.get("/api/task?detail=1").body["executing_tasks"]}
    listed.update({task["id"]: task["begin_time"] for task in history(daemon)["tasks"]})
    expect(set(before) <= set(listed), lambda: f"not listed at once: {set(before) - set(listed)}")
    for task_id, begin_time in before.items():
        expect_equal(listed[task_id], begin_time, f"begin time of {task_id}")
    wait_until(lambda: not daemon.executing(), "all deletes have ended", 30 * LONG_S)
    last = daemon.get("/api/task?detail=1").body["finished_tasks"]
    expect(all(task["attempts"] > 1 for task in last if task["id"] in before), lambda: f"attempts: {last}")
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    expect_equal(world.images("killed-"), [], "images that are left")
    expect_no_record(world)


@check
def what_runs_at_sigterm_goes_on_at_the_next_start(world):
    daemon = world.start("one", "--grace", "0.2")
    ids = start_deletes(world, daemon, "stopped", 10)
    await_some_progress(daemon)
    expect_equal(daemon.stop(), 0, "exit code")
    daemon = world.start("one")
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)


@check
def the_history_outlives_a_killed_daemon(world):
    daemon = world.start()
    ids = accepted(at_once([lambda n=n: daemon.create(f"kept-{n}") for n in range(10)]))
    wait_until(lambda: not daemon.executing(), "all have ended")
    failed = daemon.create("kept-0", size=2 << 20)
    expect_equal(failed.status, 400, "an image that exists")
    expect_no_record(world)
    before = history(daemon, search="kept")
    daemon.stop(signal.SIGKILL)
    daemon = world.start()
    expect_equal(history(daemon, search="kept"), before, "history")
    expect_equal([task["id"] for task in history(daemon, search="kept", state="failed")["tasks"]], [failed.task_id],
                 "failed")
    expect(set(ids) <= {task["id"] for task in before["tasks"]}, "not all ends are in the history")


# --- a cluster that does not answer


@check
def a_stopped_osd_means_503_and_nothing_half_accepted(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "before", 5)
    await_some_progress(daemon)
    with world.cluster.frozen("osd.0"):
        answers = at_once([lambda n=n: daemon.create(f"refused-{n}") for n in range(10)])
        for answer in answers:
            expect_equal(answer.status, 503, "status while the OSD is stopped")
            expect(answer.headers.get("Retry-After"), "a 503 without Retry-After")
            expect("not accepted" in answer.body["detail"], lambda: f"unclear: {answer.body}")
        listed = {task["id"] for task in daemon.executing()}
        ended = {task["id"] for task in history(daemon)["tasks"]}
        expect_equal(listed, set(ids) - ended, "what is listed meanwhile: what was accepted and has not ended")
        expect(listed, "nothing was under way when the OSD was stopped")
        wait_until(lambda: daemon.get("/readyz").status == 503, "/readyz says that it cannot take tasks", 30)
        expect_equal(daemon.get("/healthz").status, 200, "/healthz")
    wait_until(lambda: daemon.get("/readyz").status == 200, "/readyz says that it takes tasks again", 60)
    expect_ended_once(daemon, ids)
    expect_no_record(world)
    expect_equal(world.images("refused-"), [], "images of refused tasks")
    expect(not [task for task in history(daemon)["tasks"] if "refused" in json.dumps(task)], "its end is kept")
    expect_equal(daemon.create("after").status, 201, "a create when the OSD is back")


# --- what an operation leaves when its process dies


def ends_at(world, daemon, operation, step, submit):
    """The worker exits before this step of the first attempt; the second one ends the task as it should."""
    daemon.set_steps({"operation": operation, "step": step, "attempt": 1, "action": "exit"})
    ended = daemon.finished(accepted([submit()])[0])
    expect(ended["success"], lambda: f"{operation} that was ended before {step!r}: {ended}")
    expect_equal(ended["attempts"], 2, f"attempts of {operation} that was ended before {step!r}")


@check
def an_operation_whose_process_dies_before_any_of_its_steps_ends_as_it_should(world):
    daemon = world.start(program=TEST_CEPH_TASKD)
    for n, step in enumerate(["check", "create image", "set configuration"]):
        ends_at(world, daemon, "rbd/create", step,
                lambda n=n: daemon.create(f"step-{n}", configuration={"rbd_qos_iops_limit": 100}, asynchronous=True))
        expect("rbd_qos_iops_limit" in world.cluster.tool("rbd", "config", "image", "ls", f"rbd/step-{n}").stdout,
               "the configuration is missing")
    for n, step in enumerate(["look up the image", "look for what is in the way", "remove snapshot a",
                              "remove snapshot b", "remove image"]):
        daemon.set_steps()
        name = f"gone-{n}"
        accepted([daemon.create(name)])
        for snapshot in ("a", "b"):
            world.cluster.tool("rbd", "snap", "create", "--no-progress", f"rbd/{name}@{snapshot}")
        world.cluster.tool("rbd", "snap", "protect", f"rbd/{name}@b")
        ends_at(world, daemon, "rbd/delete", step, lambda name=name: daemon.delete(name, asynchronous=True))
    expect_equal(world.images("gone-"), [], "images that are left")
    expect_no_record(world)


@check
def a_delete_hits_no_other_image_that_got_the_name_meanwhile(world):
    daemon = world.start("one", "--per-pool", "1")
    world.make_images(["busy"], 128 * GIB)
    world.make_images(["reused"], 1 << 20)
    busy = accepted([daemon.delete("busy", asynchronous=True)])
    task_id = accepted([daemon.delete("reused", asynchronous=True)])[0]
    world.cluster.tool("rbd", "rm", "--no-progress", "rbd/reused")
    world.make_images(["reused"], 2 << 20)
    expect(daemon.task(task_id)["state"] == "queued", "it ran too early for this check")
    expect_ended_once(daemon, busy + [task_id])
    ended = daemon.finished(task_id)
    expect(not ended["success"] and ended["exception"]["status"] == 404, lambda: f"its end: {ended}")
    expect_equal(world.images("reused"), ["reused"], "the other image")


# --- fencing


@check
def a_fenced_worker_costs_no_task(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "worker-fenced", 8)
    await_some_progress(daemon)
    victim = world.owner()["addresses"][0]
    world.cluster.tool("ceph", "osd", "blocklist", "add", victim, "600")
    ids += accepted(at_once([lambda n=n: daemon.create(f"beside-{n}", asynchronous=True) for n in range(8)]))
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    wait_until(lambda: victim not in world.owner()["addresses"], "the fenced worker is replaced")


@check
def a_fenced_front_connects_anew_and_goes_on(world):
    daemon = world.start()
    ids = start_deletes(world, daemon, "front-fenced", 8)
    await_some_progress(daemon)
    victim = world.owner()["addresses"][-1]
    world.cluster.tool("ceph", "osd", "blocklist", "add", victim, "600")
    wait_until(lambda: victim not in world.owner()["addresses"] and state(daemon) == "active", "it goes on", 60)
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids)
    expect_equal(daemon.create("after-the-fence").status, 201, "a create by the new client")


# --- what the journal holds


@check
def records_that_cannot_be_read_are_kept_and_in_nobodys_way(world):
    world.start().stop()
    newer = {"version": 1000, "id": "NEWER", "new": True}
    kept = {"t.BROKEN": "{", "t.NEWER": json.dumps(newer), "f.2026-01-01T00:00:00.000000Z.ODD": "[]",
            "t.ILL": json.dumps({"version": 1, "id": "ILL", "kind": "operation", "name": 5})}
    for key, value in kept.items():
        world.journal("setomapval", key, value)
    daemon = world.start()
    await_state(daemon, "active")
    accepted([daemon.create("beside-broken-records")])
    # The history is read behind the first answer.
    for key in kept:
        wait_until(lambda key=key: f"left alone: {key}" in daemon.output(), f"{key} is told of")
    expect("newer ceph-taskd" in daemon.output(), "it is not said why a newer record is left alone")
    for n in range(3):
        expect_equal(daemon.create(f"behind-broken-records-{n}").status, 201, "a create, at whose end is dropped what may be")
    wait_until(lambda: set(world.journal_keys("t.")) == {"t.BROKEN", "t.NEWER", "t.ILL"}, "only those are left", 30)
    expect("f.2026-01-01T00:00:00.000000Z.ODD" in world.journal_keys("f."), "what cannot be read was dropped for its age")
    daemon.stop()
    for key in kept:
        world.journal("rmomapkey", key)


@check
def a_command_that_was_interrupted_is_not_sent_again(world):
    world.start().stop()
    record = {"version": 1, "id": "01M88ET4NVYF7G8CFG2B0WQ2E7", "kind": "command", "name": "command",
              "metadata": {"target": "mon"}, "arguments": {}, "bound": {}, "begin_time": "2026-11-25T04:18:22.011043Z",
              "attempts": 1, "priority": "normal", "heavy": False, "deadline": ""}
    world.journal("setomapval", "t." + record["id"], json.dumps(record))
    daemon = world.start()
    expect_ended_once(daemon, [record["id"]])
    ended = history(daemon, search=record["id"][:1])["tasks"]
    ended = [task for task in ended if task["id"] == record["id"]][0]
    expect(not ended["success"] and "unknown" in ended["exception"]["detail"], lambda: f"its end: {ended}")
    expect_no_record(world)


# --- cancel, deadline, conflict


@check
def a_waiting_task_is_cancelled_at_once_and_does_nothing(world):
    daemon = world.start("one", "--per-pool", "1")
    first, second = start_deletes(world, daemon, "wait", 2)
    expect_equal(cancel(daemon, second).status, 202, "cancel")
    expect_cancelled(daemon, second, 5)
    expect_ended_once(daemon, [first, second])
    expect_success(daemon, [first])
    expect_equal(cancel(daemon, second).status, 409, "cancel of what has ended")
    expect_equal(world.images("wait-"), ["wait-1"], "images that are left")
    expect_no_record(world)


@check
def a_running_delete_that_is_cancelled_can_be_resumed(world):
    daemon = world.start()
    world.make_images(["big"], 256 * GIB)
    task_id = accepted([daemon.delete("big", asynchronous=True)])[0]
    await_some_progress(daemon)
    expect_equal(cancel(daemon, task_id).status, 202, "cancel")
    ended = expect_cancelled(daemon, task_id)
    expect("half removed" in ended["exception"]["detail"], lambda: f"does not say what is left: {ended}")
    expect_no_record(world)
    daemon.stop(signal.SIGKILL)
    daemon = world.start()
    expect(task_id not in {task["id"] for task in daemon.executing()}, "a cancelled task came back")
    again = accepted([daemon.delete("big", asynchronous=True)])[0]
    expect_ended_once(daemon, [again])
    expect_success(daemon, [again])
    expect_equal(world.cluster.tool("rbd", "trash", "ls", "--all").stdout, "", "half removed images")


@check
def force_ends_what_does_not_stop_and_nothing_else(world):
    daemon = world.start("one", "--workers", "1")
    ids = start_deletes(world, daemon, "forced", 4)
    await_some_progress(daemon)
    with world.cluster.frozen("osd.0"):
        daemon.cli("cancel", ids[0], "--force")
        ended = expect_cancelled(daemon, ids[0])
    expect("half removed" in ended["exception"]["detail"], lambda: f"does not say what may be left: {ended}")
    expect_ended_once(daemon, ids)
    expect_success(daemon, ids[1:])
    expect_no_record(world)
    again = accepted([daemon.delete("forced-0", asynchronous=True)])
    expect_ended_once(daemon, again)
    expect_success(daemon, again)
    expect_equal(world.cluster.tool("rbd", "trash", "ls", "--all").stdout, "", "half removed images")


@check
def a_deadline_cancels(world):
    daemon = world.start()
    world.make_images(["late"], 1024 * GIB)
    answer = daemon.request("DELETE", "/api/block/image/rbd%2Flate?deadline=1", headers={"Prefer": "respond-async"})
    expect_cancelled(daemon, accepted([answer])[0])
    expect_no_record(world)


@check
def a_deadline_outlives_the_daemon(world):
    daemon = world.start()
    world.make_images(["overdue"], 1024 * GIB)
    answer = daemon.request("DELETE", "/api/block/image/rbd%2Foverdue?deadline=6", headers={"Prefer": "respond-async"})
    task_id = accepted([answer])[0]
    await_some_progress(daemon)
    daemon.stop(signal.SIGKILL)
    ended = expect_cancelled(world.start(), task_id)
    expect("deadline" in ended["exception"]["detail"], lambda: f"does not say why: {ended}")


@check
def the_same_with_other_arguments_is_refused_with_409_that_names_the_task(world):
    daemon = world.start()
    world.make_images(["contested"])
    task_id = accepted([daemon.delete("contested", asynchronous=True)])[0]
    answer = daemon.request("DELETE", "/api/block/image/rbd%2Fcontested?snapshots=refuse")
    expect_equal((answer.status, answer.body.get("task_id")), (409, task_id), "answer")
    same = daemon.delete("contested", asynchronous=True)
    expect_equal((same.status, same.task_id), (202, task_id), "answer to the same")
    expect_ended_once(daemon, [task_id])


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
