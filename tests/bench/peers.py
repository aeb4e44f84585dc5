"""Who is asked in a benchmark: librbd itself, Ceph's dashboard, our daemon."""

import contextlib
import ctypes
import errno
import http.client
import json
import os
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
os.environ.setdefault("TASKD_SOURCE_DIR", os.path.abspath(os.path.join(HERE, "../..")))
os.environ.setdefault("TASKD_BINARY_DIR", os.path.join(os.environ["TASKD_SOURCE_DIR"], "build/release"))

from harness import UnixConnection, at_once, expect, expect_equal  # noqa: E402

JSON_V1 = {"Accept": "application/vnd.ceph.api.v1.0+json", "Content-Type": "application/json"}
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

    def create(self, names, size=64 << 20, features=None):
        for name in names:
            order = ctypes.c_int(0)
            if features is None:  # the cluster's
                rc = self.rbd.rbd_create(self.pool, name.encode(), ctypes.c_uint64(size), ctypes.byref(order))
            else:
                rc = self.rbd.rbd_create2(self.pool, name.encode(), ctypes.c_uint64(size), ctypes.c_uint64(features),
                                          ctypes.byref(order))
            expect_equal(rc, 0, f"create {name}")

    def names(self):
        """Of the images in the pool, from its directory alone."""
        size = ctypes.c_size_t(1 << 16)
        while True:
            buffer = ctypes.create_string_buffer(size.value)
            rc = self.rbd.rbd_list(self.pool, buffer, ctypes.byref(size))
            if rc >= 0:
                return buffer.raw[:rc].decode().rstrip("\0").split("\0") if rc else []
            expect_equal(rc, -errno.ERANGE, "rbd_list")

    def has_trash(self):
        """Whether anything is in the trash: where a removal has begun, the name may be gone before the image."""
        count = ctypes.c_size_t(0)
        rc = self.rbd.rbd_trash_list(self.pool, None, ctypes.byref(count))
        expect(rc in (0, -errno.ERANGE), lambda: f"rbd_trash_list: {rc}")
        return rc != 0

    def mgr_command(self, command):
        words = ctypes.c_char_p(json.dumps(command).encode())
        output, status = ctypes.c_void_p(), ctypes.c_void_p()
        sizes = ctypes.c_size_t(), ctypes.c_size_t()
        rc = self.rados.rados_mgr_command(self.cluster, ctypes.byref(words), ctypes.c_size_t(1), None, ctypes.c_size_t(0),
                                          ctypes.byref(output), ctypes.byref(sizes[0]),
                                          ctypes.byref(status), ctypes.byref(sizes[1]))
        for buffer in (output, status):
            self.rados.rados_buffer_free(buffer)
        expect_equal(rc, 0, command["prefix"])

    def create_all(self, names, clients=16):
        at_once([lambda n=n: self.create(names[n::clients]) for n in range(clients)])

    def remove_all(self, names, clients):
        def remove(share):
            for name in share:
                expect_equal(self.rbd.rbd_remove(self.pool, name.encode()), 0, f"remove {name}")
        at_once([lambda n=n: remove(names[n::clients]) for n in range(clients)])

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
            connection.request("POST", "/api/auth", login, JSON_V1)
            self.headers = {"Authorization": "Bearer " + json.loads(connection.getresponse().read())["token"]}

    def connect(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=BOUND_S)


class Ours:
    def __init__(self, daemon):
        self.daemon = daemon
        self.headers = {}

    def connect(self):
        return UnixConnection(self.daemon.socket, BOUND_S)
