"""Every claim about speed beside its alternative, in one run on one machine. See docs/benchmarks.md."""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from peers import Pool
import subjects
from harness import CEPH_TASKD, Cluster, Daemon, Failed, UnixConnection, expect
from report import finish, show


class Bench:
    """A cluster with the real dashboard, and what the subjects need of it."""

    def __init__(self, directory, quick):
        self.directory, self.quick = directory, quick
        self.cluster = Cluster(os.path.join(directory, "cluster"), "--dashboard")
        self.pool = Pool(self.cluster.conf)

    @contextlib.contextmanager
    def daemon(self, name, *arguments, **options):
        directory = os.path.join(self.directory, name)
        os.makedirs(directory)
        daemon = Daemon(self.cluster, directory, *arguments, **options)
        try:
            yield daemon
        finally:
            daemon.stop()

    def add_rbd_task(self, name):
        """What `ceph rbd task add remove` sends, without the start of a program."""
        self.pool.mgr_command({"prefix": "rbd task add remove", "image_spec": f"rbd/{name}"})

    def first_answer(self, end_by):
        """Starts a daemon, and ends it by this signal. @returns Milliseconds to its first answer."""
        directory = tempfile.mkdtemp(prefix="start.", dir=self.directory)
        socket = os.path.join(directory, "taskd.sock")
        began = time.monotonic()
        with open(os.path.join(directory, "log"), "wb") as log:
            process = subprocess.Popen([CEPH_TASKD, "-c", self.cluster.conf, "--socket", socket, "--no-listen"],
                                       stdout=log, stderr=log, env=self.cluster.env)
        try:
            end = time.monotonic() + 60
            while not self.answers(socket):
                expect(process.poll() is None and time.monotonic() < end, "the daemon does not answer")
                time.sleep(0.001)
            return (time.monotonic() - began) * 1000
        finally:
            process.send_signal(end_by)
            process.wait(60)

    @staticmethod
    def answers(socket):
        try:
            with contextlib.closing(UnixConnection(socket, 10)) as connection:
                connection.request("GET", "/api/task")
                return connection.getresponse().status == 200
        except OSError:
            return False

    def close(self):
        self.pool.close()
        self.cluster.wipe()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shows in two minutes that all of it runs; no figures to quote")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    parser.add_argument("subjects", nargs="*", choices=[[], *(one.__name__ for one in subjects.ALL)])
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="taskd-bench.")
    lines, passed, failed, began = [], 0, 0, time.monotonic()
    try:
        bench = Bench(directory, options.quick)
        try:
            for subject in subjects.ALL:
                if options.subjects and subject.__name__ not in options.subjects:
                    continue
                since = time.monotonic()
                try:
                    for line in subject(bench):
                        show(line)
                        lines.append(line)
                    passed += 1
                except (Failed, OSError, subprocess.SubprocessError) as failure:
                    failed += 1
                    print(f"FAILED  {subject.__name__}: {failure}", flush=True)
                print(f"  ({subject.__name__}: {time.monotonic() - since:.0f} s)", flush=True)
        finally:
            bench.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if lines:
        finish(lines, options.json, time.monotonic() - began)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
