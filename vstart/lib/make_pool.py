"""Usage: make_pool.py CONF TIMEOUT [MUTED_HEALTH_CODE...]

Makes the pool `rbd` as `ceph osd pool create` and `rbd pool init` do, or waits until it serves.
One process for all steps: each start of the `ceph` command would cost 0.15 s and more.
"""

import sys

import rbd
from session import Failure, mon_command, run

POOL = "rbd"


def make_pool(cluster, muted):
    for code in muted:
        mon_command(cluster, "health mute", code=code, sticky=True)
    if not cluster.pool_exists(POOL):
        mon_command(cluster, "osd pool create", pool=POOL)
    with cluster.open_ioctx(POOL) as ioctx:
        try:
            rbd.RBD().pool_init(ioctx, True)
        except rbd.Error as error:
            raise Failure(f"initialise pool {POOL}: {error}") from error


_, conf, timeout, *muted = sys.argv
run(lambda cluster: make_pool(cluster, muted), conf, timeout)
