#!/usr/bin/python3
"""Makes the pool `rbd` as `ceph osd pool create` and `rbd pool init` do, or waits until it serves.

One process for all steps: each start of the `ceph` command would cost 0.15 s and more.
"""

import json
import sys

import rados
import rbd

POOL = "rbd"


def mon_command(cluster, **command):
    code, _, message = cluster.mon_command(json.dumps(command), b"")
    if code:
        raise RuntimeError(f"{command['prefix']}: {message} (errno {-code})")


def main(conf, timeout):
    limits = dict.fromkeys(("client_mount_timeout", "rados_mon_op_timeout", "rados_osd_op_timeout"), timeout)
    with rados.Rados(conffile=conf, rados_id="admin", conf=limits) as cluster:
        if not cluster.pool_exists(POOL):
            mon_command(cluster, prefix="osd pool create", pool=POOL)
        with cluster.open_ioctx(POOL) as ioctx:
            rbd.RBD().pool_init(ioctx, True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (rados.Error, rbd.Error, RuntimeError) as error:
        sys.exit(f"vstart: {error}")
