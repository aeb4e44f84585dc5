"""Clients that know what the cluster must hold. Each has the name of one image and makes and removes it in turn: names
are used again and again, so that an operation that goes by the name would hit the wrong image sooner or later."""

import contextlib
import random
import threading
import time
import urllib.parse

from fronts import NotSent, Unknown
from harness import LONG_S, Failed

MIB = 1 << 20
GIB = 1 << 30
COMMANDS = 0.1  # of all tasks
# What may become of a task in this chaos beside success, by its code: nothing of ours was wrong, and whether it took
# effect is the next one's to see.
EXCUSED = {"110": "the cluster did not answer in time", "worker": "its worker died under it three times"}
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
    def __init__(self, number, count, seed, pair, budget):
        super().__init__(name=f"slot-{number:02}")
        self.random = random.Random(f"{seed}/{self.name}")
        self.pair = pair
        self.budget = budget
        self.pace_s = budget.pace_s * count
        self.image = f"image-{number:02}"
        self.size = None  # of the image as the model has it; None: there is none
        self.certain = True  # that the model is right: an excused failure leaves open what it has done
        self.accepted = []  # ids
        self.commands = []  # ids
        self.excused = []
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
                elif self.size is None and self.certain:
                    self.create()
                else:
                    self.delete()
                time.sleep(max(0, self.random.uniform(0.5, 1.5) * self.pace_s - (time.monotonic() - began)))
            while not self.certain:
                self.delete()
        except Exception as error:
            self.problem = error

    # --- one operation

    def create(self):
        size = self.random.choice([0, MIB, GIB, 4 * GIB, 16 * GIB]) + self.random.randrange(4) * MIB
        body = {"pool_name": "rbd", "name": self.image, "size": size, "features": ["layering"]}
        end = self.carry_out("rbd/create", "POST", "/api/block/image", body)
        self.size, self.certain = size, self.is_success(end)

    def delete(self):
        path = "/api/block/image/" + urllib.parse.quote("rbd/" + self.image, safe="")
        end = self.carry_out("rbd/delete", "DELETE", path)
        is_gone = not self.certain and str((end["exception"] or {}).get("code")) == "404"
        self.certain = is_gone or self.is_success(end)
        if self.certain:
            self.size = None

    def command(self):
        """Its outcome is nobody's promise, but it ends, and once."""
        try:
            answer = self.pair.send("POST", "/api/command", {"command": {"prefix": "osd pool ls", "format": "json"}})
        except (NotSent, Unknown):
            return
        if answer.status != 503 and answer.task_id:
            self.commands.append(answer.task_id)

    def is_success(self, end):
        """Whether the operation has taken effect. @raises Failed unless it has, or is excused"""
        if end["success"]:
            return True
        code = str(end["exception"].get("code"))
        if code == CANCELLED and end["id"] in self.asked_to_stop:
            self.cancelled += 1
            return False
        if "worker died under this task" in end["exception"]["detail"]:
            code = "worker"
        if code not in EXCUSED:
            raise Failed(f"{self.image}: {end['name']} failed: {end}")
        self.excused.append(f"{end['name']} {end['id']}: {EXCUSED[code]}")
        return False

    def carry_out(self, name, method, path, body=None):
        """Submits it until somebody has accepted it, then waits for its end."""
        deadline = time.monotonic() + 2 * LONG_S
        headers = self.random.choice([{}, {"Prefer": "respond-async"}])
        while time.monotonic() < deadline:
            task_id = self.submit(name, method, path, body, headers)
            if task_id:
                self.accepted.append(task_id)
                if headers and self.random.random() < CANCELS:
                    self.cancel(task_id)
                return self.end_of(task_id)
            time.sleep(self.random.uniform(0.1, 0.5))
        raise Failed(f"{self.image}: nobody accepted {name}")

    def cancel(self, task_id):
        """What it leaves, the delete at the end finds out."""
        time.sleep(self.random.uniform(0, 0.5))
        self.asked_to_stop.add(task_id)
        with contextlib.suppress(NotSent, Unknown):
            self.pair.send("DELETE", f"/api/task/{task_id}" + self.random.choice(["", "?force=1"]))

    def submit(self, name, method, path, body, headers):
        """The id of the task that was accepted, or None."""
        try:
            answer = self.pair.send(method, path, body, headers)
        except NotSent:
            return None
        except Unknown:
            self.unknown += 1
            return self.find(name)
        if answer.status == 503:
            # Not accepted, unless the front died before it could take back what was under way.
            self.refused += 1
            return self.find(name)
        if not answer.task_id:
            raise Failed(f"{self.image}: {method} {path}: {answer}")
        return answer.task_id

    def find(self, name):
        """The task of ours that we did not know of."""
        executing = [task for task in self.pair.ask("/api/task?detail=1")["executing_tasks"] if self.is_mine(task)]
        ended = [task for task in self.pair.history(self.image) if self.is_mine(task)]
        new = {task["id"] for task in executing + ended if task["name"] == name} - set(self.accepted)
        if len(new) > 1:
            raise Failed(f"{self.image}: one request became the tasks {sorted(new)}")
        return new.pop() if new else None

    def is_mine(self, task):
        metadata = task["metadata"]
        return metadata.get("image_name", metadata.get("image_spec", "").rpartition("/")[2]) == self.image

    def end_of(self, task_id):
        end = time.monotonic() + 2 * LONG_S
        while time.monotonic() < end:
            found = [task for task in self.pair.history(self.image) if task["id"] == task_id]
            if found:
                return found[-1]
            time.sleep(self.random.uniform(0.2, 0.6))
        raise Failed(f"{self.image}: task {task_id} was accepted and has not ended")
