"""How long a list of images takes: the dashboard's, and ours without and with usage, by turns on one cluster.

Prints the medians and their ratios. Then grows the pool to 10,000 images and times pages of 100: the first, when all
names have to be read, others, and some that come after an image was made.
"""

import argparse
import contextlib
import ctypes
import http.client
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
os.environ.setdefault("TASKD_SOURCE_DIR", os.path.abspath(os.path.join(HERE, "../..")))

from harness import Cluster, Daemon, Failed, UnixConnection, expect_equal, wait_until  # noqa: E402

ALL = "/api/block/image?offset=0&limit=-1&search=&sort=+name"
LIST_VERSION = {"Accept": "application/vnd.ceph.api.v2.0+json"}
LOGIN_VERSION = {"Accept": "application/vnd.ceph.api.v1.0+json", "Content-Type": "application/json"}
BOUND_S = 600


class Pool:
    """librbd by its C interface: no process an image."""

    def __init__(self, conf):
        self.rados = ctypes.CDLL("librados.so.2")
        self.rbd = ctypes.CDLL("librbd.so.1")
        self.cluster = ctypes.c_void_p()
        self.pool = ctypes.c_void_p()
        expect_equal(self.rados.rados_create(ctypes.byref(self.cluster), b"admin"), 0, "rados_create")
        self.rados.rados_conf_read_file(self.cluster, conf.encode())
        expect_equal(self.rados.rados_connect(self.cluster), 0, "rados_connect")
        expect_equal(self.rados.rados_ioctx_create(self.cluster, b"rbd", ctypes.byref(self.pool)), 0, "open pool")

    def create(self, names):
        for name in names:
            order = ctypes.c_int(0)
            rc = self.rbd.rbd_create(self.pool, name.encode(), ctypes.c_uint64(64 << 20), ctypes.byref(order))
            expect_equal(rc, 0, f"create {name}")

    def create_all(self, names, clients=16):
        threads = [threading.Thread(target=self.create, args=(names[n::clients],)) for n in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self):
        self.rados.rados_ioctx_destroy(self.pool)
        self.rados.rados_shutdown(self.cluster)


class Dashboard:
    def __init__(self, cluster):
        lines = [line.removeprefix("export ") for line in cluster.vstart("env").splitlines() if "=" in line]
        exported = dict(line.split("=", 1) for line in lines)
        self.address = urllib.parse.urlsplit(exported["VSTART_DASHBOARD_URL"].strip("'\""))
        login = json.dumps({"username": exported["VSTART_DASHBOARD_USER"].strip("'\""),
                            "password": exported["VSTART_DASHBOARD_PASSWORD"].strip("'\"")})
        with contextlib.closing(self.connect()) as connection:
            connection.request("POST", "/api/auth", login, LOGIN_VERSION)
            self.headers = {"Authorization": "Bearer " + json.loads(connection.getresponse().read())["token"]}

    def connect(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=BOUND_S)


class Ours:
    def __init__(self, daemon):
        self.daemon = daemon
        self.headers = {}

    def connect(self):
        return UnixConnection(self.daemon.socket, BOUND_S)


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
