"""Works with images through two ceph-taskd while these, their workers, the OSDs, the mon and the mgr are killed
and stopped at random; at the end every accepted task must have ended exactly once, and the cluster hold what a model says.

The seed decides what is done and when; how far the processes are by then, it does not.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness import Cluster, Failed, wait_until  # noqa: E402

from disturbances import OfOurs, OfTheCluster  # noqa: E402
from fronts import Front, Pair  # noqa: E402
from images import path_of  # noqa: E402
from slots import Budget, Slot  # noqa: E402
from verdict import CHECKS  # noqa: E402

# The bound: in this chaos tasks take longer than planned. More slots, so that there are 2,000 of them all the same.
LONG = {"tasks": 2000, "seconds": 1200, "bound": 2400, "slots": 64}


class DurableCluster(Cluster):
    """Two OSDs with a copy of everything each, so that one that is killed loses nothing."""

    osds = 2

    def __init__(self, directory):
        self.directory = directory
        self.conf = os.path.join(directory, "ceph.conf")
        self.env = dict(os.environ, CEPH_CONF=self.conf)
        self.vstart("start", "--osds", str(self.osds), "--size", str(self.osds), "--objectstore", "bluestore")


class World:
    def __init__(self, directory, options):
        self.cluster = DurableCluster(os.path.join(directory, "cluster"))
        self.pair = Pair([Front(self.cluster, directory, name) for name in ("one", "two")])
        self.disturbers = []
        self.slots = []
        for front in self.pair.fronts:
            front.start()
        self.await_active()
        budget = Budget(options.tasks, options.seconds, options.bound)
        has_snapshots = self.pair.send("POST", path_of("rbd/none", "snap"), {}).status != 404
        self.slots = [Slot(number, options.slots, options.seed, self.pair, self.cluster, budget, has_snapshots)
                      for number in range(options.slots)]
        self.disturbers = [OfOurs(options.seed, self.pair, self.cluster), OfTheCluster(options.seed, self.cluster)]

    def await_active(self):
        def active():
            for front in self.pair.fronts:
                front.supervise()
            return self.pair.active()

        wait_until(active, "a front is active")

    def play(self, options):
        for thread in self.slots + self.disturbers:
            thread.start()
        end = time.monotonic() + options.bound
        while time.monotonic() < end and any(slot.is_alive() for slot in self.slots):
            time.sleep(0.5)
        for disturber in self.disturbers:
            disturber.stop()
        for daemon in ["mon.a", "mgr.x"] + [f"osd.{n}" for n in range(self.cluster.osds)]:
            self.cluster.vstart("revive", daemon)  # where its disturber met an error
        self.await_active()
        for slot in self.slots:
            slot.join()

    def figures(self):
        done = {}
        for disturber in self.disturbers:
            done.update(disturber.done)
        print("disturbances: " + ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
        alone = collections.Counter(name for disturber in self.disturbers for name in disturber.died_alone)
        if alone:
            print(f"died without us: {dict(alone)}")
        print(f"operations accepted: {sum(len(slot.accepted) for slot in self.slots)}; commands: "
              f"{sum(len(slot.commands) for slot in self.slots)}; cancelled: "
              f"{sum(slot.cancelled for slot in self.slots)}; requests refused with 503: "
              f"{sum(slot.refused for slot in self.slots)}; without an answer: "
              f"{sum(slot.unknown for slot in self.slots)}")
        kinds = sum((slot.kinds for slot in self.slots), collections.Counter())
        print("by kind: " + ", ".join(f"{name} {count}" for name, count in sorted(kinds.items())))
        for slot in self.slots:
            for text in slot.excused:
                print(f"excused: {text}")

    def show_logs(self):
        for front in self.pair.fronts:
            with open(front.log, errors="replace") as log:
                print(f"  the last lines of {front.name}:\n    " + "    ".join(log.readlines()[-40:]))

    def close(self):
        for disturber in self.disturbers:
            if disturber.is_alive():
                disturber.stop()
        for front in self.pair.fronts:
            if front.process:
                front.process.kill()
                front.process.wait()
        self.cluster.wipe()


def judge(world):
    """The number of checks that passed and failed."""
    passed, failed = 0, 0
    for check in CHECKS:
        try:
            check(world)
            passed += 1
            print(f"ok      {check.__name__}", flush=True)
        except Failed as problem:
            failed += 1
            print(f"FAILED  {check.__name__}: {problem}", flush=True)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=90, help="how long tasks are submitted and things go wrong")
    parser.add_argument("--slots", type=int, default=24, help="clients")
    parser.add_argument("--long", action="store_true", help="{tasks} tasks in {seconds} s".format(**LONG))
    options = parser.parse_args()
    options.bound = options.seconds
    if options.long:
        vars(options).update(LONG)
    print(f"seed {options.seed}: {options.tasks} tasks in {options.seconds} s", flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the cluster is wiped on the way out
    directory = tempfile.mkdtemp(prefix="taskd-chaos.")
    world = None
    passed, failed = 0, 1
    try:
        world = World(directory, options)
        world.play(options)
        world.figures()
        passed, failed = judge(world)
        if failed:
            world.show_logs()
    except Exception as error:
        print(f"FAILED  {type(error).__name__}: {error}")
    finally:
        if world is not None:
            world.close()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"seed {options.seed}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
