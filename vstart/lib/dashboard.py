"""Usage: dashboard.py CONF TIMEOUT configure MGR=PORT...
       dashboard.py CONF TIMEOUT await PASSWORD_FILE

`configure` is for the time before the mgrs start: a module reads its options when it is loaded.
`await` makes the user and returns once the dashboard has answered a request that uses the cluster.
"""

import errno
import json
import sys
import time
import urllib.request

from session import Failure, checked, mon_command, run

USER = "admin"


def configure(cluster, ports):
    values = {"ssl": "false", "server_addr": "127.0.0.1"}
    values |= {f"{mgr}/server_port": port for mgr, port in (pair.split("=") for pair in ports)}
    for name, value in values.items():
        # force: no mgr has told the mons yet which options its modules have.
        mon_command(cluster, "config set", who="mgr", name=f"mgr/dashboard/{name}", value=value, force=True)


def await_serving(cluster, password, timeout):
    end = time.monotonic() + timeout
    url = until(end, lambda: json.loads(mon_command(cluster, "mgr services", format="json")).get("dashboard"))
    create_user(cluster, password)
    login = until(end, lambda: request(url, "auth", "1.0", {"username": USER, "password": password}))
    # The first request makes the mgr connect to the cluster; several at once then crash 16.2.15.
    until(end, lambda: request(url, "block/image", "2.0", token=login["token"]) is not None)


def create_user(cluster, password):
    prefix = "dashboard ac-user-create"
    command = {"prefix": prefix, "username": USER, "rolename": "administrator", "force_password": True}
    answer = cluster.mgr_command(json.dumps(command), password.encode())
    if answer[0] != -errno.EEXIST:
        checked(answer, prefix)


def request(url, path, version, body=None, token=None):
    """The decoded answer, or None while the dashboard is not ready."""
    headers = {"Accept": f"application/vnd.ceph.api.v{version}+json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body else None
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}api/{path}", data, headers), timeout=10) as answer:
            return json.load(answer)
    except OSError:  # also all of urllib's errors
        return None


def until(end, question):
    """The first true answer before the monotonic time `end`."""
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise Failure("the dashboard did not begin to serve in time")


def main(conf, timeout, verb, *operands):
    if verb == "configure":
        run(lambda cluster: configure(cluster, operands), conf, timeout)
    else:
        with open(operands[0], encoding="ascii") as file:
            password = file.read().strip()
        run(lambda cluster: await_serving(cluster, password, int(timeout)), conf, timeout)


main(*sys.argv[1:])
