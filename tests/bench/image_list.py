"""How long a list of images takes: the dashboard's, and ours without and with usage, by turns on one cluster.

Prints the medians and their ratios. Then grows the pool to 10,000 images and times pages of 100: the first, when all
names have to be read, others, and some that come after an image was made.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import tempfile
import time

from peers import Dashboard, Ours, Pool
from harness import Cluster, Daemon, Failed, expect_equal, wait_until

ALL = "/api/block/image?offset=0&limit=-1&search=&sort=+name"
LIST_VERSION = {"Accept": "application/vnd.ceph.api.v2.0+json"}


def timed(server, path, images):
    """Milliseconds to the last byte."""
    with contextlib.closing(server.connect()) as connection:
        connection.connect()
        began = time.monotonic()
        connection.request("GET", path, headers={**LIST_VERSION, **server.headers})
        response = connection.getresponse()
        text = response.read()
        took = time.monotonic() - began
    expect_equal(response.status, 200, f"status of {path}: {text[:300]}")
    expect_equal(sum(len(pool["value"]) for pool in json.loads(text)), images, f"images of {path}")
    return took * 1000


def is_complete(server, images):
    try:
        return timed(server, ALL, images)
    except Failed:
        return None


def arrange(cluster, pool, images):
    """So many images, 20 snapshots, 10 clones and 10 images in a namespace among them."""
    pool.create_all([f"image-{n:05}" for n in range(images - 20)])
    for n in range(20):
        cluster.tool("rbd", "snap", "create", f"rbd/image-{n:05}@s")
    for n in range(10):
        cluster.tool("rbd", "snap", "protect", f"rbd/image-{n:05}@s")
        cluster.tool("rbd", "clone", f"rbd/image-{n:05}@s", f"rbd/clone-{n}")
    cluster.tool("rbd", "namespace", "create", "rbd/tenant")
    for n in range(10):
        cluster.tool("rbd", "create", f"rbd/tenant/inside-{n}", "--size", "64M")


def describe(name, values):
    print(f"{name:>28}: {statistics.median(values):9.1f} ms   (from {min(values):.1f} to {max(values):.1f})", flush=True)
    return statistics.median(values)


def measure(options, cluster, daemon, pool):
    dashboard, ours = Dashboard(cluster), Ours(daemon)
    arrange(cluster, pool, options.images)
    timed(ours, ALL, options.images)  # the first use of each
    # A young mgr does not know the pool at first, and remembers for 30 s that it did not.
    wait_until(lambda: is_complete(dashboard, options.images), "the dashboard lists all images", 120)
    times = {"dashboard": [], "without usage": [], "with usage": []}
    for _ in range(options.turns):
        times["dashboard"].append(timed(dashboard, ALL, options.images))
        for _ in range(5):
            times["without usage"].append(timed(ours, ALL + "&omit_usage=true", options.images))
            times["with usage"].append(timed(ours, ALL, options.images))
    print(f"{options.images} images, all of them:")
    theirs = describe("dashboard", times["dashboard"])
    for name in ("without usage", "with usage"):
        print(f"{'':>28}  ratio: 1/{theirs / describe('ours, ' + name, times[name]):.0f}")

    pool.create_all([f"more-{n:05}" for n in range(options.many - options.images)])
    pages = []
    for n in range(50):
        offset = n * 7919 % (options.many - 100)
        pages.append(timed(ours, f"/api/block/image?offset={offset}&limit=100&search=&sort=+name", 100))
    changed = []
    for n in range(20):
        pool.create([f"image-{n:05}-new"])
        changed.append(timed(ours, f"/api/block/image?offset={n * 400}&limit=100&search=&sort=+name", 100))
    print(f"{options.many} images, pages of 100 with usage:")
    describe("nothing read before", pages[:1])
    describe("each after a new image", changed)
    describe("others", pages[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=3, help="of the dashboard; ours has five for each")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="taskd-bench.")
    try:
        cluster = Cluster(os.path.join(directory, "cluster"), "--dashboard")
        try:
            daemon = Daemon(cluster, directory)
            pool = Pool(cluster.conf)
            try:
                measure(options, cluster, daemon, pool)
            finally:
                pool.close()
                daemon.stop()
        finally:
            cluster.wipe()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
