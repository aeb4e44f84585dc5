"""Sends the recorded requests of a Ceph dashboard 16.2.15 to ceph-taskd, and, where it is installed, to a running
dashboard on an equal cluster, and compares status, headers that matter and bodies.

Every difference is printed with its reason; one without a reason, and a reason without a difference, is a failure.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import differences  # noqa: E402
import scene  # noqa: E402
from normal import comparable  # noqa: E402
from servers import Dashboard, Ours, Reply  # noqa: E402


def recorded():
    with open(os.path.join(HERE, "exchanges.jsonl")) as file:
        return [json.loads(line) for line in file]


class Comparison:
    """Of one exchange."""

    def __init__(self, exchange, ours, running):
        self.exchange = exchange
        path = exchange["path"]
        self.ours = comparable(path, ours)
        self.theirs = {}
        record = Reply(exchange["status"], exchange["response_headers"], exchange["response_body"])
        if exchange["id"] not in differences.RECORDED_ODDITIES or running is None:
            self.theirs["recorded"] = comparable(path, record)
        if running is not None and exchange["id"] not in differences.RUNNING_ODDITIES:
            self.theirs["running"] = comparable(path, running)

    def unlike(self):
        """{source: its answer} of those that differ from ours and no rule explains."""
        return {source: theirs for source, theirs in self.theirs.items()
                if theirs != self.ours and not any(rule(self.exchange, theirs, self.ours) for rule in differences.RULES)}

    def reason(self):
        return differences.INTENDED.get(self.exchange["id"]) or (
            differences.RECORDED_ODDITIES.get(self.exchange["id"]) if "running" not in self.theirs else None)


def shown(theirs, ours):
    """The parts of two answers that differ."""
    lines = []
    for part in ("status", "headers", "body"):
        if theirs[part] != ours[part]:
            lines += leaves(part, theirs[part], ours[part])
    return lines[:12]


def leaves(where, theirs, ours):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = sorted(set(theirs) | set(ours))
        missing = object()
        return [line for key in keys if theirs.get(key, missing) != ours.get(key, missing)
                for line in leaves(f"{where}.{key}", theirs.get(key, "<absent>"), ours.get(key, "<absent>"))]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [line for index, pair in enumerate(zip(theirs, ours)) if pair[0] != pair[1]
                for line in leaves(f"{where}[{index}]", *pair)]
    return [f"{where}: theirs {json.dumps(theirs)[:300]} ours {json.dumps(ours)[:300]}"]


def judge(comparison):
    """Prints what is to be said; returns whether all is well."""
    name = comparison.exchange["id"]
    unlike, reason = comparison.unlike(), comparison.reason()
    if not unlike and name in differences.INTENDED:
        print(f"FAILED  {name}: no longer differs, yet is listed as if it did")
        return False
    if not unlike:
        return True
    print(f"{'differs' if reason else 'FAILED '} {name}: {comparison.exchange['method']} {comparison.exchange['path']}"
          + (f": {reason}" if reason else ""))
    if not reason:
        for source, theirs in unlike.items():
            for line in shown(theirs, comparison.ours):
                print(f"    {source}: {line}")
    return bool(reason)


def play(servers, exchanges):
    """Asks all servers the same, one after the other; yields (exchange, {server name: reply})."""
    for exchange in exchanges:
        replies = {}
        for server in servers:
            if exchange["id"] in scene.BEFORE:
                scene.BEFORE[exchange["id"]](server)
            replies[server.name] = server.ask(exchange["method"], scene.path_on(server, exchange["path"]),
                                              exchange["request_headers"], exchange["request_body"])
        yield exchange, replies


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--recorded-only", action="store_true", help="without a running dashboard")
    parser.add_argument("--keep-answers", metavar="FILE", help="writes every answer there, as JSON lines")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the clusters are wiped on the way out
    directory = tempfile.mkdtemp(prefix="taskd-conformance.")
    servers = []
    passed = failed = 0
    began = time.monotonic()
    try:
        servers.append(Ours(directory))
        if Dashboard.is_installed() and not options.recorded_only:
            servers.append(Dashboard(directory))
        else:
            print("without a running dashboard")
        for exchange, replies in play(servers, recorded()):
            if options.keep_answers:
                with open(options.keep_answers, "a") as file:
                    file.write(json.dumps({"id": exchange["id"], **{name: vars(reply) for name, reply in
                                                                    replies.items()}}) + "\n")
            if judge(Comparison(exchange, replies["ceph-taskd"], replies.get("dashboard"))):
                passed += 1
            else:
                failed += 1
    except Exception as error:
        failed += 1
        print(f"FAILED  {type(error).__name__}: {error}")
    finally:
        for server in servers:
            server.close()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
