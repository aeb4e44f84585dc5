"""What the journal costs: creates per second with it and without it, by turns, in one run on one cluster.

Two daemons, one with `--no-journal`; many clients, each with one connection, each create awaited. The turns are short and
their order changes (with, without, without, with), so that what else the machine does hits both alike.

There are twice as many clients as creates run at a time on a pool: the daemons always have work. With fewer of them
(`--clients 16`, `1`) it shows what a single create waits for its record.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
os.environ.setdefault("TASKD_SOURCE_DIR", os.path.abspath(os.path.join(HERE, "../..")))

from harness import Answer, Cluster, Daemon, UnixConnection, at_once, expect_equal  # noqa: E402


def create_all(daemon, names):
    """One client's share, over one connection."""
    with contextlib.closing(UnixConnection(daemon.socket, 60)) as connection:
        for name in names:
            body = {"pool_name": "rbd", "name": name, "size": 1 << 20, "features": ["layering"]}
            connection.request("POST", "/api/block/image", json.dumps(body), {"Content-Type": "application/json"})
            answer = Answer(connection.getresponse())
            if answer.status == 202:  # it took longer than a request waits
                expect_equal(daemon.finished(answer.task_id)["success"], True, f"success of {name}")
            else:
                expect_equal(answer.status, 201, f"status of {name}")


def turn(daemon, label, creates, clients):
    """Creates per second."""
    names = [f"{label}-{n}" for n in range(creates)]
    began = time.monotonic()
    at_once([lambda n=n: create_all(daemon, names[n::clients]) for n in range(clients)])
    took = time.monotonic() - began
    expect_equal(len(daemon.executing()), 0, "tasks that execute after the last answer")
    return creates / took


def measure(options, directory, cluster):
    daemons = {}
    for name, arguments in (("with", []), ("without", ["--no-journal"])):
        os.makedirs(os.path.join(directory, name))
        daemons[name] = Daemon(cluster, os.path.join(directory, name), *arguments)
    try:
        rates = {"with": [], "without": []}
        for name, daemon in daemons.items():
            turn(daemon, f"warm-up-{name}", options.creates, options.clients)
        for number in range(options.turns):
            for name in ("with", "without") if number % 2 == 0 else ("without", "with"):
                rates[name].append(turn(daemons[name], f"{name}-{number}", options.creates, options.clients))
    finally:
        for daemon in daemons.values():
            daemon.stop()
    for name, values in rates.items():
        print(f"{name:>8} journal: {statistics.harmonic_mean(values):7.1f} creates/s"
              f"   (turns: {' '.join(f'{value:.0f}' for value in values)})")
    print(f"ratio: {statistics.harmonic_mean(rates['with']) / statistics.harmonic_mean(rates['without']):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--turns", type=int, default=10, help="of each of the two")
    parser.add_argument("--creates", type=int, default=480, help="in a turn")
    parser.add_argument("--clients", type=int, default=32)
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="taskd-bench.")
    try:
        cluster = Cluster(os.path.join(directory, "cluster"))
        try:
            measure(options, directory, cluster)
        finally:
            cluster.wipe()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
