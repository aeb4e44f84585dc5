"""Sends the recorded requests of a Ceph dashboard 16.2.15 to ceph-taskd, and, where it is installed, to a running
dashboard on an equal cluster, and compares status, headers that matter and bodies.

Every difference is printed with its reason; one without a reason, and a reason without a difference, is a failure.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import differences  # noqa: E402
import document  # noqa: E402
import scene  # noqa: E402
from described import Description  # noqa: E402
from harness import Failed  # noqa: E402
from normal import comparable  # noqa: E402
from servers import Dashboard, Ours, Reply  # noqa: E402


def exchanges_to_ask(recorded_only):
    """Those of a record, and those whose answer only a running dashboard gives."""
    with open(os.path.join(HERE, "exchanges.jsonl")) as file:
        exchanges = [json.loads(line) for line in file]
    return [exchange for exchange in exchanges if "status" in exchange or not recorded_only]


class Comparison:
    """Of one exchange."""

    def __init__(self, exchange, ours, running):
        self.exchange = exchange
        path = exchange["path"]
        self.ours = comparable(path, ours)
        self.theirs = {}
        self.is_complete = running is not None
        if "status" in exchange and (exchange["id"] not in differences.RECORDED_ODDITIES or running is None):
            record = Reply(exchange["status"], exchange["response_headers"], exchange["response_body"])
            if "content-encoding" in record.headers:
                record.body = ours.body  # the record holds none of a compressed answer
            self.theirs["recorded"] = comparable(path, record)
        if running is not None and exchange["id"] not in differences.RUNNING_ODDITIES:
            self.theirs["running"] = comparable(path, running)

    def unlike(self):
        """{source: its answer} of those that differ from ours and no rule explains."""
        return {source: theirs for source, theirs in self.theirs.items()
                if theirs != self.ours
                and not any(rule(self.exchange, theirs, self.ours) for rule in differences.RULES)}

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
    if not unlike and name in differences.INTENDED and comparison.is_complete:
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


def success_of(exchange):
    """The status of an answer to it that is no failure."""
    if exchange.get("status") in (200, 201, 204):
        return exchange["status"]
    if exchange["method"] == "POST":
        return 201 if exchange["path"].endswith(("/image", "/snap", "/namespace", "/peer")) else 200
    return 204 if exchange["method"] == "DELETE" else 200


def judge_document():
    is_true = document.is_true(exchanges_to_ask(False))
    if not is_true:
        print("FAILED  docs/conformance.md is not what --write-document makes")
    return is_true


def judge_description(server, exchanges, replies):
    """Whether what it answered is as it says itself, at /api/openapi.json."""
    description = Description(server.ask("GET", "/api/openapi.json", {}, None).body)
    problems = {problem for exchange, reply in zip(exchanges, replies)
                for problem in description.problems_of_answer(exchange["method"], exchange["path"], reply.status,
                                                              reply.headers, reply.body)}
    for problem in sorted(problems):
        print(f"FAILED  not as described: {problem}")
    return not problems


class Servers:
    """The servers, started together and asked at the same time, each in its own thread."""

    def __init__(self, servers):
        self.servers = servers
        self.threads = concurrent.futures.ThreadPoolExecutor(len(servers))
        self.stop = threading.Event()

    def start(self):
        for start in [self.threads.submit(server.start) for server in self.servers]:
            start.result()

    def answers(self, exchanges):
        """{server name: [its reply to each]}."""
        playing = {server.name: self.threads.submit(self.play, server, exchanges) for server in self.servers}
        return {name: replies.result() for name, replies in playing.items()}

    def play(self, server, exchanges):
        replies = []
        for exchange in exchanges:
            if self.stop.is_set():
                raise Failed("stopped")
            if exchange["id"] in scene.BEFORE:
                scene.BEFORE[exchange["id"]](server)
            reply = server.ask(exchange["method"], scene.path_on(server, exchange["path"]),
                               exchange["request_headers"], scene.body_on(server, exchange["request_body"]))
            replies.append(reply if exchange["id"].startswith("202.") else server.settled(reply, success_of(exchange)))
        return replies

    def close(self):
        self.stop.set()
        self.threads.shutdown()
        for server in self.servers:
            server.close()


def keep(file_name, exchanges, answers):
    with open(file_name, "w") as file:
        for index, exchange in enumerate(exchanges):
            replies = {name: vars(replies[index]) for name, replies in answers.items()}
            file.write(json.dumps({"id": exchange["id"], **replies}) + "\n")


def servers_of(options, directory):
    if options.recorded_only or not Dashboard.is_installed():
        print("without a running dashboard")
        return [Ours(directory)]
    return [Ours(directory), Dashboard(directory)]


def end(*_):
    """The clusters are wiped on the way out, which a second signal, as timeout(1) sends, must not cut short."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--recorded-only", action="store_true", help="without a running dashboard")
    parser.add_argument("--keep-answers", metavar="FILE", help="write every answer there, as JSON lines")
    parser.add_argument("--write-document", action="store_true", help="only make docs/conformance.md")
    options = parser.parse_args()
    if options.write_document:
        document.write(exchanges_to_ask(False))
        return 0
    signal.signal(signal.SIGTERM, end)
    directory = tempfile.mkdtemp(prefix="taskd-conformance.")
    servers = Servers(servers_of(options, directory))
    verdicts = [judge_document()]
    began = time.monotonic()
    try:
        exchanges = exchanges_to_ask(len(servers.servers) == 1)
        servers.start()
        answers = servers.answers(exchanges)
        if options.keep_answers:
            keep(options.keep_answers, exchanges, answers)
        verdicts.append(judge_description(servers.servers[0], exchanges, answers["ceph-taskd"]))
        for index, exchange in enumerate(exchanges):
            replies = {name: replies[index] for name, replies in answers.items()}
            verdicts.append(judge(Comparison(exchange, replies["ceph-taskd"], replies.get("dashboard"))))
    except Exception as error:
        verdicts.append(False)
        print(f"FAILED  {type(error).__name__}: {error}")
    finally:
        servers.close()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{verdicts.count(True)} passed, {verdicts.count(False)} failed")
    return 1 if False in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
