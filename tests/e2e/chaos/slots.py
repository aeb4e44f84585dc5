"""Clients that know what the cluster must hold. Each has one image, on which it does one thing after the other."""

import collections
import contextlib
import random
import threading
import time

from fronts import NotSent, Unknown
from harness import LONG_S, Failed
from images import Image

COMMANDS = 0.1  # of all tasks
# What may become of a task in this chaos beside success, by its code: nothing of ours was wrong, and whether it took
# effect is the next one's to see.
EXCUSED = {"110": "the cluster did not answer in time"}
CANCELS = 0.1  # of the tasks that are not awaited by their request
CANCELLED = "125"


class Budget:
    """How many tasks there are still to be made, and until when."""

    def __init__(self, tasks, seconds, bound_s):
        self.lock = threading.Lock()
        self.left = tasks
        self.end = time.monotonic() + bound_s
        self.pace_s = seconds / tasks

    def take(self):
        with self.lock:
            if self.left == 0 or time.monotonic() > self.end:
                return False
            self.left -= 1
            return True


class Slot(threading.Thread):
    def __init__(self, number, count, seed, pair, cluster, budget, has_snapshots):
        super().__init__(name=f"slot-{number:02}")
        self.random = random.Random(f"{seed}/{self.name}")
        self.pair = pair
        self.budget = budget
        self.pace_s = budget.pace_s * count
        self.image = Image(f"image-{number:02}", self.random, cluster, has_snapshots)
        self.certain = True  # that the model is right: a task that failed or was cancelled leaves open what it has done
        self.accepted = []  # ids
        self.kinds = collections.Counter()
        self.commands = []  # ids
        self.excused = []
        self.ends = []  # of its tasks, in words
        self.asked_to_stop = set()  # ids
        self.cancelled = 0  # those that did
        self.unknown = 0
        self.refused = 0
        self.problem = None

    def run(self):
        try:
            while self.budget.take():
                began = time.monotonic()
                if self.random.random() < COMMANDS:
                    self.command()
                elif self.certain:
                    self.act(self.image.next_step())
                else:
                    self.clear_up()
                time.sleep(max(0, self.random.uniform(0.5, 1.5) * self.pace_s - (time.monotonic() - began)))
            while self.image.trash_id or not self.certain:
                if self.certain:
                    self.act(self.image.restore())
                else:
                    self.clear_up()
        except Exception as error:
            self.problem = error

    def command(self):
        """Its outcome is nobody's promise, but it ends, and once."""
        try:
            answer = self.pair.send("POST", "/api/command", {"command": {"prefix": "osd pool ls", "format": "json"}})
        except (NotSent, Unknown):
            return
        if answer.status != 503 and answer.task_id:
            self.commands.append(answer.task_id)

    # --- one operation

    def act(self, step):
        """@returns whether it has taken effect. @raises Failed unless it has, or is excused"""
        end = self.carry_out(step)
        self.kinds[step.name] += 1
        code = str((end["exception"] or {}).get("code"))
        self.ends.append(f"{step.name} {end['id']} {'done' if end['success'] else code} {end['end_time'][11:19]}")
        if end["success"] or (not self.certain and code == "404"):
            step.effect()
            return True
        if code == CANCELLED and end["id"] in self.asked_to_stop:
            self.cancelled += 1
        elif "worker died under this task" in end["exception"]["detail"]:
            self.excused.append(f"{step.name} {end['id']}: its worker died under it three times")
        elif code in EXCUSED:
            self.excused.append(f"{step.name} {end['id']}: {EXCUSED[code]}")
        else:
            raise Failed(f"{self.image.name}: {step.name} failed: {end}; the last ones: {self.ends[-8:]}")
        self.certain = False
        return False

    def clear_up(self):
        """Makes the model right again, unless one of the steps fails in its turn."""
        if all(self.act(step) for step in self.image.clearance()):
            self.image.forget()
            self.certain = True

    def carry_out(self, step):
        """Submits it until somebody has accepted it, then waits for its end."""
        deadline = time.monotonic() + 2 * LONG_S
        headers = self.random.choice([{}, {"Prefer": "respond-async"}])
        while time.monotonic() < deadline:
            task_id = self.submit(step, headers)
            if task_id:
                self.accepted.append(task_id)
                if headers and self.random.random() < CANCELS:
                    self.cancel(task_id)
                return self.end_of(task_id)
            time.sleep(self.random.uniform(0.1, 0.5))
        raise Failed(f"{self.image.name}: nobody accepted {step.name}")

    def cancel(self, task_id):
        time.sleep(self.random.uniform(0, 0.5))
        self.asked_to_stop.add(task_id)
        with contextlib.suppress(NotSent, Unknown):
            self.pair.send("DELETE", f"/api/task/{task_id}" + self.random.choice(["", "?force=1"]))

    def submit(self, step, headers):
        """The id of the task that was accepted, or None."""
        try:
            answer = self.pair.send(step.method, step.path, step.body, headers)
        except NotSent:
            return None
        except Unknown:
            self.unknown += 1
            return self.find(step.name)
        if answer.status == 503:
            # Not accepted, unless the front died before it could take back what was under way: whoever is active knows.
            self.refused += 1
            return answer.task_id if self.is_there(answer.task_id) else None
        if not answer.task_id:
            raise Failed(f"{self.image.name}: {step.method} {step.path}: {answer}")
        return answer.task_id

    def is_there(self, task_id):
        """Whether there is this task: 404 is a promise, and anything else no answer."""
        end = time.monotonic() + 2 * LONG_S
        while time.monotonic() < end:
            with contextlib.suppress(NotSent, Unknown):
                status = self.pair.send("GET", f"/api/task/{task_id}").status
                if status in (200, 404):
                    return status == 200
            time.sleep(self.random.uniform(0.1, 0.5))
        raise Failed(f"{self.image.name}: nobody told whether there is the task {task_id}")

    def find(self, name):
        """The task of ours that we did not know of."""
        executing = self.pair.ask("/api/task?detail=1")["executing_tasks"]
        tasks = [task for task in executing + self.pair.history(name) if task in self.image]
        new = {task["id"] for task in tasks if task["name"] == name} - set(self.accepted)
        if len(new) > 1:
            raise Failed(f"{self.image.name}: one request became the tasks {sorted(new)}")
        return new.pop() if new else None

    def end_of(self, task_id):
        end = time.monotonic() + 2 * LONG_S
        while time.monotonic() < end:
            try:
                view = self.pair.send("GET", f"/api/task/{task_id}?wait=1").body
                if view.get("state") == "finished":
                    return view
            except (NotSent, Unknown):
                pass
            time.sleep(self.random.uniform(0.2, 0.6))
        raise Failed(f"{self.image.name}: task {task_id} was accepted and has not ended")
