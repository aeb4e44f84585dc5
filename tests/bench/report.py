"""What a benchmark found, as a table for people and as JSON for programs."""

import json
import os
import platform
import statistics


class Line:
    """One measurement: ours, beside somebody else's or alone.

    `wanted` is ("<=" or ">=", a number): of the ratio of the medians, or of our median when nobody is beside it.
    """

    def __init__(self, what, unit, ours, beside=None, theirs=None, wanted=None):
        self.what, self.unit, self.ours, self.beside, self.theirs, self.wanted = what, unit, ours, beside, theirs, wanted

    @property
    def figure(self):
        ours = statistics.median(self.ours)
        return ours / statistics.median(self.theirs) if self.theirs else ours

    @property
    def verdict(self):
        if self.wanted is None:
            return ""
        relation, number = self.wanted
        holds = self.figure <= number if relation == "<=" else self.figure >= number
        return "holds" if holds else "DOES NOT HOLD"

    def json(self):
        return {"what": self.what, "unit": self.unit, "ours": self.ours, "beside": self.beside, "theirs": self.theirs,
                "figure": self.figure, "wanted": self.wanted, "verdict": self.verdict}


def spread(values):
    return " / ".join(f"{value:,.4g}" for value in (min(values), statistics.median(values), max(values)))


def show(line):
    """A paragraph, as soon as it is known: the table comes last."""
    print(f"* {line.what}, {line.unit} (min / median / max)", flush=True)
    print(f"    ours: {spread(line.ours)}")
    if line.theirs:
        print(f"    {line.beside}: {spread(line.theirs)}")


def machine():
    with open("/proc/cpuinfo") as cpuinfo:
        models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return {"processors": os.cpu_count(), "model": models[0] if models else platform.machine(),
            "kernel": platform.release(), "load": os.getloadavg()[0]}


def finish(lines, path, took_s):
    width = max(len(line.what) for line in lines)
    print(f"\n{'what':{width}}  {'beside':28}  {'figure':>10}  {'wanted':>12}")
    for line in lines:
        wanted = " ".join(map(str, line.wanted)) if line.wanted else ""
        print(f"{line.what:{width}}  {line.beside or line.unit:28}  {line.figure:10.4g}  {wanted:>12}  {line.verdict}")
    here = machine()
    print(f"\nmachine: {here['processors']} x {here['model']}, load {here['load']:.1f} at the end, {took_s / 60:.1f} minutes")
    if path:
        with open(path, "w") as file:
            json.dump({"machine": here, "lines": [line.json() for line in lines]}, file, indent=1)
