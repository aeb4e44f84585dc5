"""docs/conformance.md, made from differences.py and exchanges.jsonl so that it says what is compared."""

import os
import re

import differences
import normal

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "..", "..", "docs", "conformance.md")

HEAD = """# Conformance with the Ceph dashboard

<!-- Made by `tests/conformance/conformance.py --write-document` from tests/conformance/differences.py; do not edit. -->

{count} requests are sent to `ceph-taskd` and, where its package is installed, to a running dashboard 16.2.15 on an equal throw-away cluster; {recorded} of
them were recorded before, with a dashboard's answers. Each answer of `ceph-taskd` must equal the recorded and the running one: status, body, and the headers
{headers}.
An answer 202 counts as what the task ended with, but where 202 is what is asked for. Ids, times, addresses and durations are equal to any other ([normal.py](../tests/conformance/normal.py)). A difference that is not listed here is a
failure, and so is a listed one that is none.

```
tests/run.sh conformance                          # builds first
tests/conformance/run.sh --recorded-only          # without a running dashboard
tests/conformance/run.sh --keep-answers FILE      # and looks at them with other eyes
```

What was there on the recorded cluster and no request made, [scene.py](../tests/conformance/scene.py) makes on both. Lists that the dashboard keeps for
30 s are driven out of its caches where the record was made without them.
"""


def requests_of(exchange):
    path = exchange["path"].split("?")[0].rstrip("/")
    for pattern, name in ((r"/image/trash/(?!purge)[^/]+", "/image/trash/{id_spec}"), (r"/pool/[^/]+", "/pool/{pool}"),
                          (r"/namespace/[^/]+", "/namespace/{namespace}"), (r"/peer/[^/]+", "/peer/{uuid}"),
                          (r"/image/(?!trash|default_features|clone_format_version)[^/]+", "/image/{spec}"),
                          (r"/snap/[^/]+", "/snap/{snapshot}")):
        path = re.sub(pattern, name, path)
    return f"{exchange['method']} {path}"


def endpoints(exchanges):
    """Which are asked, and how often with success and failure as the record has it."""
    rows = {}
    for exchange in exchanges:
        if not re.search(r"/(block|task|summary)\b", exchange["path"]):
            continue
        row = rows.setdefault(requests_of(exchange), {"good": 0, "bad": 0, "live": 0})
        row["live" if "status" not in exchange else "bad" if exchange["status"] >= 400 else "good"] += 1
    return ["| request | recorded: success | failure | only asked of a running one |", "|---|---|---|---|",
            *(f"| `{name}` | {row['good'] or ''} | {row['bad'] or ''} | {row['live'] or ''} |"
              for name, row in sorted(rows.items()))]


def by_reason(reasons):
    """A row for each reason, with the ids it is given for."""
    grouped = {}
    for name, reason in reasons.items():
        grouped.setdefault(reason, []).append(f"`{name}`")
    return [f"| {reason} | {', '.join(names)} |" for reason, names in grouped.items()]


def made(exchanges):
    headers = ", ".join(f"`{name}`" for name in normal.HEADERS)
    recorded = sum("status" in exchange for exchange in exchanges)
    rules = [f"* {rule.__doc__}" for rule in differences.RULES]
    return "\n".join([
        HEAD.format(count=len(exchanges), recorded=recorded, headers=headers),
        "## Intended differences", "", "Wherever they occur:", "", *rules, "", "Of single requests:", "",
        "| why | requests, by their id in [exchanges.jsonl](../tests/conformance/exchanges.jsonl) |", "|---|---|",
        *by_reason(differences.INTENDED), "",
        "## Answers of the dashboard that are no measure", "",
        "The recorded answer came of what had been done to that cluster; the running dashboard alone is the measure:", "",
        "| why | requests |", "|---|---|", *by_reason(differences.RECORDED_ODDITIES), "",
        "The running dashboard answers by chance; the record alone is the measure:", "",
        "| why | requests |", "|---|---|", *by_reason(differences.RUNNING_ODDITIES), "",
        "## What is asked", "", *endpoints(exchanges), "",
        "Recorded but not asked here:", "", "| ids | why |", "|---|---|",
        *(f"| {', '.join(f'`{name}*`' for name in names.split(', '))} | {why} |"
          for names, why in differences.NOT_REPLAYED.items()), ""])


def is_true(exchanges):
    with open(PATH) as file:
        return file.read() == made(exchanges)


def write(exchanges):
    with open(PATH, "w") as file:
        file.write(made(exchanges))
