#!/usr/bin/env python3
"""Runs every fuzzer for a while, two at a time. Usage: run.py BUILD_DIR [SECONDS] [NAME...]

BUILD_DIR is that of the asan preset, with the target `fuzzers` built. Each fuzzer begins with the hand-made inputs of
corpus/NAME; what it finds worth keeping stays in BUILD_DIR/fuzz/NAME, so that the next run goes on from there. One that
ends by a fault, a leak, an input that takes 20 s, or 2 GiB of memory has failed: its last words, the input, and how to
run that again are printed.
"""

import base64
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
AT_A_TIME = 2
LONGEST_INPUT = 4096  # bytes; what is larger makes nothing new, only slower
PATIENCE = 180  # seconds beside its time: the corpus comes first, and a slow input has 20


class Outcome:
    def __init__(self, name, status, log, artifacts, command):
        self.name = name
        self.status = status
        self.log = log
        self.artifacts = artifacts
        self.command = command

    def statistic(self, name):
        found = re.search(rf"^stat::{name}:\s*(\d+)", self.log, re.MULTILINE)
        return int(found.group(1)) if found else 0

    @property
    def tried(self):
        return self.statistic("number_of_executed_units")

    @property
    def passed(self):
        return self.status == 0 and self.tried > len(list((HERE / "corpus" / self.name).iterdir()))

    def tell(self):
        if self.passed:
            print(f"{self.name}: {self.tried} inputs, {self.statistic('average_exec_per_sec')} a second,"
                  f" {self.statistic('peak_rss_mb')} MiB")
            return
        print(f"{self.name}: failed (exit code {self.status}); its last words:")
        print(*self.log.splitlines()[-60:], sep="\n")
        for artifact in self.artifacts:
            content = artifact.read_bytes()
            print(f"the input, {len(content)} bytes, as base64: {base64.b64encode(content).decode()}")
            print(f"as hex: {content[:256].hex(' ')}{' …' if len(content) > 256 else ''}")
            print(f"run it again: {self.command} {artifact}")


def environment():
    return dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1",
                ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1")


def run(build, name, seconds):
    own = build / "fuzz" / name
    found = own / "corpus"
    artifacts = own / "artifacts"
    for folder in (found, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(artifacts.iterdir())
    fuzzer = build / "tests" / "fuzz" / f"fuzz_{name}"
    command = [fuzzer, f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", "-timeout=20", "-rss_limit_mb=2048",
               "-print_final_stats=1", f"-artifact_prefix={artifacts}/", found, HERE / "corpus" / name]
    log = own / "log"
    with log.open("w") as output:
        try:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                    env=environment(), timeout=seconds + PATIENCE, check=False).returncode
        except (subprocess.TimeoutExpired, OSError) as problem:
            print(problem, file=output)
            status = -1
    new = sorted(set(artifacts.iterdir()) - before)
    return Outcome(name, status, log.read_text(errors="replace"), new, fuzzer)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    names = sys.argv[3:] or (build / "tests" / "fuzz" / "fuzzers.txt").read_text().split()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for outcome in pool.map(lambda name: run(build, name, seconds), names):
            outcome.tell()
            sys.stdout.flush()
            failed += not outcome.passed
    print(f"{len(names) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
