"""A bounded session of client.admin with the cluster, for the programs beside this file."""

import json
import sys

import rados


class Failure(Exception):
    """The cluster says no, or says nothing in time."""


def checked(answer, prefix):
    code, output, message = answer
    if code:
        raise Failure(f"{prefix}: {message} (errno {-code})")
    return output


def mon_command(cluster, prefix, **arguments):
    return checked(cluster.mon_command(json.dumps({"prefix": prefix, **arguments}), b""), prefix)


def run(action, conf, timeout):
    """Calls action(cluster); a failure ends the program with its message."""
    limits = dict.fromkeys(("client_mount_timeout", "rados_mon_op_timeout", "rados_osd_op_timeout"), str(timeout))
    try:
        with rados.Rados(conffile=conf, rados_id="admin", conf=limits) as cluster:
            action(cluster)
    except (Failure, rados.Error) as error:
        sys.exit(f"vstart: {error}")
