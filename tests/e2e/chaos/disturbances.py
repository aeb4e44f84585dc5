"""What goes wrong while tasks run: one thread disturbs ours, another the cluster's daemons. By process id only."""

import json
import os
import random
import signal
import subprocess
import threading
import time

from harness import Failed


class Disturber(threading.Thread):
    """Does one thing after the other until it is stopped; each mends what it broke before the next begins."""

    def __init__(self, name, seed, pause_s):
        super().__init__(name=name)
        self.random = random.Random(f"{seed}/{name}")
        self.pause_s = pause_s
        self.stopping = threading.Event()
        self.done = {}
        self.died_alone = []  # daemons
        self.error = None

    def actions(self):
        raise NotImplementedError

    def keep_up(self):
        """Between two actions."""

    def run(self):
        try:
            while not self.stopping.wait(self.random.uniform(*self.pause_s)):
                self.keep_up()
                action = self.random.choice(self.actions())
                print(f"{time.strftime('%H:%M:%S')} {self.name}: {action.__name__}", flush=True)
                action()
                self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
        except Exception as error:  # told at the end
            self.error = error

    def stop(self):
        self.stopping.set()
        self.join()

    def some_time(self, least_s, most_s):
        time.sleep(self.random.uniform(least_s, most_s))

    def stop_for(self, send, least_s, most_s):
        send(signal.SIGSTOP)
        try:
            self.some_time(least_s, most_s)
        finally:
            send(signal.SIGCONT)


class OfOurs(Disturber):
    def __init__(self, seed, pair, cluster):
        super().__init__("ours", seed, (0.5, 3))
        self.pair = pair
        self.cluster = cluster

    def actions(self):
        return [self.kill_active_front, self.kill_any_front, self.stop_active_front, self.stop_front_beyond_its_lock,
                self.end_active_front_in_order, self.kill_worker, self.kill_worker, self.kill_all_workers,
                self.stop_worker, self.fence_something]

    def keep_up(self):
        for front in self.pair.fronts:
            front.supervise()

    def chosen(self):
        return self.pair.active() or self.random.choice(self.pair.fronts)

    def kill(self, front, number=signal.SIGKILL):
        front.signal(number, kills=True)
        front.process.wait(60)
        self.some_time(0, 2)
        front.start()

    def kill_active_front(self):
        self.kill(self.chosen())

    def kill_any_front(self):
        self.kill(self.random.choice(self.pair.fronts))

    def end_active_front_in_order(self):
        self.kill(self.chosen(), signal.SIGTERM)

    def stop_active_front(self):
        self.stop_for(self.chosen().signal, 0.5, 5)

    def stop_front_beyond_its_lock(self):
        self.stop_for(self.chosen().signal, 11, 15)

    def send_to(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # it was replaced meanwhile

    def kill_worker(self):
        for pid in self.chosen().workers()[:1]:
            self.send_to(pid, signal.SIGKILL)

    def kill_all_workers(self):
        for pid in self.chosen().workers():
            self.send_to(pid, signal.SIGKILL)

    def stop_worker(self):
        workers = self.chosen().workers()
        if workers:
            pid = self.random.choice(workers)
            self.stop_for(lambda number: self.send_to(pid, number), 0.5, 8)

    def fence_something(self):
        """A worker, or the front itself."""
        path = os.path.join(self.chosen().directory, "owner")
        if os.path.exists(path):
            os.remove(path)
        try:
            self.cluster.tool("rados", "-p", "rbd", "-N", "taskd", "getomapval", "journal", "owner_description", path,
                              bound_s=10)
            with open(path) as file:
                addresses = json.load(file)["addresses"]
            if addresses:
                self.cluster.tool("ceph", "osd", "blocklist", "add", self.random.choice(addresses), "600", bound_s=10)
        except (Failed, OSError, ValueError, subprocess.TimeoutExpired):
            pass  # the cluster has troubles of its own just now


class OfTheCluster(Disturber):
    def __init__(self, seed, cluster):
        super().__init__("cluster", seed, (1, 4))
        self.cluster = cluster

    def actions(self):
        return [self.kill_osd, self.kill_osd, self.stop_osd, self.kill_mon, self.stop_mon, self.kill_mgr,
                self.stop_mgr]

    def kill(self, daemon, least_s, most_s):
        if daemon in self.cluster.vstart("pids"):
            self.cluster.vstart("kill", daemon)
        else:
            self.died_alone.append(daemon)  # of what we did to it before; no fault of ours
        self.some_time(least_s, most_s)
        self.cluster.vstart("revive", daemon)

    def stop_a(self, daemon, least_s, most_s):
        pids = dict(line.split() for line in self.cluster.vstart("pids").splitlines())
        if daemon not in pids:
            self.kill(daemon, 0, 0)
            return
        pid = int(pids[daemon])
        self.stop_for(lambda number: os.kill(pid, number), least_s, most_s)

    def osd(self):
        return f"osd.{self.random.randrange(self.cluster.osds)}"

    def kill_osd(self):
        self.kill(self.osd(), 0, 4)

    def stop_osd(self):
        self.stop_a(self.osd(), 0.5, 6)

    def kill_mon(self):
        self.kill("mon.a", 0, 3)

    def stop_mon(self):
        self.stop_a("mon.a", 0.5, 4)

    def kill_mgr(self):
        self.kill("mgr.x", 0, 3)

    def stop_mgr(self):
        self.stop_a("mgr.x", 0.5, 4)
