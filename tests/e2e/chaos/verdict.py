"""What must hold when all is over. Each check raises Failed."""

import collections
import json

from harness import expect, expect_equal, wait_until

WATCH_TIMEOUT_S = 40  # librados gives a dead client's watch up after 30 s
OBJECTS_OF_THE_POOL = {"rbd_directory", "rbd_info", "rbd_trash", "rbd_children", "rbd_mirroring", "rbd_task",
                       "rbd_trash_purge_schedule", "rbd_mirror_snapshot_schedule"}


def nothing_executes(world):
    wait_until(lambda: not world.pair.ask("/api/task")["executing_tasks"], "nothing executes")


def every_accepted_task_has_ended_exactly_once(world):
    ends = collections.Counter(task["id"] for task in world.pair.history())
    for slot in world.slots:
        for task_id in slot.accepted:
            expect_equal(ends[task_id], 1, f"ends of {task_id} ({slot.image.name})")
        for task_id in slot.commands:
            expect_equal(ends[task_id], 1, f"ends of {task_id} (a command of {slot.name})")
    twice = [task_id for task_id, count in ends.items() if count != 1]
    expect(not twice, f"ended more than once: {twice}")


def nothing_ran_that_nobody_accepted(world):
    accepted = {task_id for slot in world.slots for task_id in slot.accepted}
    strangers = [task for task in world.pair.history() if task["id"] not in accepted and task["name"] != "command"]
    expect(not strangers, f"tasks that no client knows of: {strangers}")


def no_client_met_a_fault(world):
    problems = [f"{slot.name}: {slot.problem!r}" for slot in world.slots if slot.problem]
    problems += [f"{disturber.name}: {disturber.error!r}" for disturber in world.disturbers if disturber.error]
    expect(not problems, "\n    ".join(problems))


def few_tasks_are_excused(world):
    excused = [text for slot in world.slots for text in slot.excused]
    total = sum(len(slot.accepted) for slot in world.slots)
    expect(len(excused) <= max(2, total // 50), f"{len(excused)} of {total}: {excused}")


def the_cluster_holds_what_the_model_says(world):
    listed = json.loads(world.cluster.long_list("--format", "json")[0])
    sizes = {entry["image"]: entry["size"] for entry in listed if "snapshot" not in entry}
    snapshots = collections.defaultdict(dict)
    for entry in listed:
        if "snapshot" in entry:
            snapshots[entry["image"]][entry["snapshot"]] = entry.get("protected") == "true"
    wanted = {}
    for slot in world.slots:
        wanted.update(slot.image.images())
        expect_equal(snapshots[slot.image.name], slot.image.snapshots, f"snapshots of {slot.image.name}")
    expect_equal(sizes, wanted, "images and their sizes")


def nothing_is_half_removed(world):
    expect_equal(world.cluster.tool("rbd", "trash", "ls", "--all").stdout, "", "trash")


def no_object_is_orphaned(world):
    headers, others = set(), set(OBJECTS_OF_THE_POOL)
    for name in world.cluster.images():
        info = json.loads(world.cluster.tool("rbd", "info", name, "--format", "json").stdout)
        headers.add("rbd_header." + info["id"])
        others |= {"rbd_id." + name, "rbd_object_map." + info["id"]}
    objects = set(world.cluster.tool("rados", "-p", "rbd", "ls").stdout.split())
    expect(headers <= objects, f"headers that are missing: {headers - objects}")
    expect(objects <= headers | others, f"orphans: {objects - headers - others}")


def no_record_is_left(world):
    def records():
        keys = world.cluster.tool("rados", "-p", "rbd", "-N", "taskd", "listomapkeys", "journal").stdout.split()
        return [key for key in keys if key.startswith("t.")]

    wait_until(lambda: not records(), "the journal has no unfinished task", 30)


def nobody_watches_an_image(world):
    def watchers():
        for name in world.cluster.images():
            info = json.loads(world.cluster.tool("rbd", "info", name, "--format", "json").stdout)
            watching = world.cluster.tool("rados", "-p", "rbd", "listwatchers", "rbd_header." + info["id"]).stdout
            if watching:
                return f"{name}: {watching}"
        return ""

    wait_until(lambda: not watchers(), "nobody watches an image", WATCH_TIMEOUT_S)


def no_front_crashed(world):
    crashes = [crash for front in world.pair.fronts for crash in front.crashes]
    expect(not crashes, f"{crashes}")


CHECKS = [no_client_met_a_fault, nothing_executes, every_accepted_task_has_ended_exactly_once,
          nothing_ran_that_nobody_accepted, few_tasks_are_excused, the_cluster_holds_what_the_model_says,
          nothing_is_half_removed, no_object_is_orphaned, no_record_is_left, nobody_watches_an_image, no_front_crashed]
