"""/metrics on a real cluster: what Prometheus reads, and what our page, alerts and dashboard say of it.

Each check is a function; the names of checks may be given as arguments.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from harness import SOURCE, TEST_CEPH_TASKD, Suite, UnixConnection, expect, expect_equal, wait_until
from world import World, await_state, cancel, check_of

suite = Suite()
check = check_of(suite)

PAGE = os.path.join(SOURCE, "docs/metrics.md")
RULES = os.path.join(SOURCE, "docs/prometheus/ceph-taskd.rules.yml")
RULES_TEST = os.path.join(SOURCE, "tests/e2e/metrics_rules_test.yml")
DASHBOARD = os.path.join(SOURCE, "docs/grafana/ceph-taskd.json")
# What Prometheus itself adds, and what it has for every target.
PROMETHEUS_LABELS = {"job", "instance", "le"}
SCRAPE_BOUND_S = 5  # milliseconds on a machine that has nothing else to do


def text_of(connection, path="/metrics", method="GET", headers=None):
    """Status, Content-Type and body."""
    with contextlib.closing(connection):
        connection.request(method, path, None, headers or {})
        response = connection.getresponse()
        return response.status, response.headers.get("Content-Type"), response.read().decode()


def scrape_text(daemon):
    status, kind, text = text_of(UnixConnection(daemon.socket, 60))
    expect_equal(status, 200, "status of /metrics")
    expect_equal(kind, "text/plain; version=0.0.4; charset=utf-8", "type of /metrics")
    return text


class Scrape:
    """What one answer has: help and type by metric, and values by name and labels."""

    LINE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
    LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.help, self.type, self.series = {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# "):
                _, what, name, rest = line.split(" ", 3)
                kept = {"HELP": self.help, "TYPE": self.type}[what]
                expect(name not in kept, f"{what} of {name} comes twice")
                kept[name] = rest
                continue
            match = self.LINE.fullmatch(line)
            expect(match, f"no line of metrics: {line!r}")
            labels = tuple(self.LABEL.findall(match[2] or ""))
            expect((match[1], labels) not in self.series, f"comes twice: {line}")
            self.series[match[1], labels] = float(match[3])

    def value(self, name, **labels):
        return self.series[name, tuple(labels.items())]

    def family_of(self, name):
        """The metric that a line belongs to."""
        if name in self.type:
            return name
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        expect(self.type.get(base) == "histogram", f"{name} has no TYPE")
        return base

    def histograms(self):
        """By metric and labels: buckets as (le, count), sum, count."""
        found = {}
        for (name, labels), value in self.series.items():
            family = self.family_of(name)
            if self.type[family] != "histogram":
                continue
            labels = dict(labels)
            bound = labels.pop("le", None)
            one = found.setdefault((family, tuple(labels.items())), {"buckets": [], "sum": None, "count": None})
            if bound is None:
                one[name.rpartition("_")[2]] = value
            else:
                one["buckets"].append((float(bound), value))
        return found


def scrape(daemon):
    return Scrape(scrape_text(daemon))


def ended(seen, task, outcome):
    return seen.value("taskd_tasks_ended_total", task=task, outcome=outcome)


def use_everything(daemon):
    """So that every metric that there is has a value."""
    daemon.create("used")
    daemon.create("used")  # fails
    daemon.delete("used")
    daemon.get("/api/summary")
    daemon.get("/nowhere")
    wait_until(lambda: {("taskd_cluster_status_age_seconds", ()), ("taskd_caps_missing", ())} <= set(scrape(daemon).series),
               "the cluster's status and the caps are known")


def expect_well_formed(text):
    """What promtool's check asks for and more."""
    seen = Scrape(text)
    expect_equal(set(seen.help), set(seen.type), "metrics with HELP and with TYPE")
    for name, what in seen.help.items():
        expect(what.endswith("."), f"help of {name} is no sentence: {what!r}")
    for name, _ in seen.series:
        seen.family_of(name)
    for name, kind in seen.type.items():
        expect(name.startswith("taskd_"), f"{name} has not our prefix")
        expect_equal(name.endswith("_total"), kind == "counter", f"{name}, a {kind}, ends in _total")
        if kind == "histogram":
            expect(name.endswith("_duration_seconds"), f"{name} has no unit")
        expect(not re.search(r"_(ms|milliseconds|minutes|hours|ns|kb|mb)(_|$)", name), f"{name} has no base unit")
    for (name, labels), one in seen.histograms().items():
        bounds = [bound for bound, _ in one["buckets"]]
        counts = [count for _, count in one["buckets"]]
        expect(bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), f"bounds of {name}{labels}: {bounds}")
        expect_equal(counts, sorted(counts), f"counts of {name}{labels}, ascending")
        expect_equal(counts[-1], one["count"], f"last bucket and count of {name}{labels}")
        expect(one["sum"] is not None and one["sum"] >= 0, f"sum of {name}{labels}")
        expect((one["sum"] > 0) == (one["count"] > 0), f"sum and count of {name}{labels}: {one}")
    return seen


def names_in(expression):
    """Metrics and labels of a query."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    labels = set(re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!=|!~|=)", bare))
    for group in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", bare):
        labels |= set(re.findall(r"[a-z_]+", group))
    return set(re.findall(r"\btaskd_[a-z_]+", bare)), labels


def expect_there_is(seen, expression, where):
    names, labels = names_in(expression)
    expect(names, f"{where}: no metric of ours in {expression!r}")
    there = {name for name, _ in seen.series}
    expect(names <= there, lambda: f"{where}: there is no {names - there}")
    known = {label for name, pairs in seen.series if name in names for label, _ in pairs} | PROMETHEUS_LABELS
    expect(labels <= known, lambda: f"{where}: no label {labels - known} in {names}")


def promtool(*arguments, text=None):
    program = shutil.which("promtool")
    expect(program, "there is no promtool: vstart/install-deps.sh installs it")
    done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, timeout=60)
    expect_equal(done.returncode, 0, f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


@check
def promtool_finds_nothing_to_say(world):
    daemon = world.start()
    use_everything(daemon)
    text = scrape_text(daemon)
    expect_equal(promtool("check", "metrics", text=text), "", "what promtool says")
    seen = expect_well_formed(text)
    print(f"  {len(seen.type)} metrics, {len(seen.series)} series, {len(text)} bytes")


@check
def the_page_names_exactly_what_is_served(world):
    daemon = world.start()
    use_everything(daemon)
    seen = scrape(daemon)
    with open(PAGE) as file:
        rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in file if line.startswith("| `taskd_")]
    written = {cells[0].strip("`"): cells for cells in rows}
    expect_equal(len(written), len(rows), "rows of the page, each for another metric")
    expect_equal(set(written), set(seen.type), "metrics of the page and those that are served")
    for name, (_, kind, labels, _) in written.items():
        expect_equal(kind, seen.type[name], f"type of {name} on the page")
        there = {label for (series, pairs) in seen.series if seen.family_of(series) == name for label, _ in pairs}
        expect_equal(set(re.findall(r"`([a-z]+)`", labels)), there - {"le"}, f"labels of {name} on the page")


@check
def alerts_and_dashboard_ask_for_what_there_is(world):
    daemon = world.start()
    use_everything(daemon)
    seen = scrape(daemon)
    promtool("check", "rules", RULES)
    promtool("test", "rules", RULES_TEST)
    with open(RULES) as file:
        expressions = re.findall(r"^ {8}expr: (>\n(?: {10}.*\n)+|.*\n)", file.read(), re.M)
    expect(len(expressions) > 5, "the rules have expressions")
    for expression in expressions:
        expect_there_is(seen, expression, "an alert")
    with open(DASHBOARD) as file:
        dashboard = json.load(file)
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    expect_equal(len(ids), len(set(ids)), "ids of panels")
    expect(dashboard["schemaVersion"] >= 38, "the dashboard has the schema of Grafana 10 or later")
    places = [(x, y) for panel in dashboard["panels"] for place in [panel["gridPos"]]
              for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    expect(len(places) == len(set(places)) and max(x for x, _ in places) < 24, "panels lie beside each other")
    queries = []
    for panel in panels:
        expect_equal(panel["datasource"]["uid"], "${datasource}", f"datasource of panel {panel['title']}")
        expect(panel["targets"], f"panel {panel['title']} asks nothing")
        for target in panel["targets"]:
            expect_there_is(seen, target["expr"], f"panel {panel['title']}")
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                expect(label in target["expr"] or label in PROMETHEUS_LABELS or label in ("role", "version"),
                       f"panel {panel['title']}: legend {label}")
            queries.append(target["expr"].replace("$__rate_interval", "5m").replace("$job", "j").replace("$instance", "i"))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            expect_there_is(seen, re.sub(r"^label_values\((.*), *\w+\)$", r"\1", variable["definition"]), "a variable")
    # Prometheus' own parser is that of its rules.
    parsed = os.path.join(world.directory, "queries.yml")
    with open(parsed, "w") as file:
        json.dump({"groups": [{"name": "queries", "rules": [{"record": f"query:{number}", "expr": query}
                                                            for number, query in enumerate(queries)]}]}, file)
    promtool("check", "rules", parsed)


@check
def ends_are_counted_by_outcome(world):
    daemon = world.start()
    held = world.start("held", "--no-journal", program=TEST_CEPH_TASKD)
    held.set_steps({"action": "hold"})
    waiting = held.create("held", asynchronous=True).task_id
    wait_until(lambda: scrape(held).value("taskd_tasks_running") == 1, "the task runs")
    expect_equal(scrape(held).value("taskd_tasks_executing"), 1, "tasks that execute")
    held.set_steps({"operation": "rbd/create", "action": "fail"})
    held.finished(waiting)
    expect_equal(ended(scrape(held), "rbd/create", "failure"), 1, "failures")

    daemon.create("counted")
    daemon.create("counted")
    daemon.delete("counted")
    daemon.post("/api/command", {"command": {"prefix": "status"}})
    world.make_images(["slow"])
    removal = daemon.delete("slow", asynchronous=True).task_id
    cancel(daemon, removal, force=True)
    outcome = daemon.finished(removal)
    seen = scrape(daemon)
    expect_equal(ended(seen, "rbd/create", "success"), 1, "images that were made")
    expect_equal(ended(seen, "rbd/create", "failure"), 1, "images that were not")
    expect_equal(ended(seen, "command", "success"), 1, "commands")
    expect_equal(ended(seen, "rbd/delete", "success" if outcome["success"] else "cancelled"), 1 + bool(outcome["success"]),
                 "removals")
    expect(seen.value("taskd_journal_changes_total") >= 4, "changes of the journal")
    expect(seen.value("taskd_journal_write_duration_seconds_count") >= 4, "writes of the journal")
    expect_equal(seen.value("taskd_journal_failed_batches_total"), 0, "failed batches")
    runs = seen.histograms()["taskd_task_run_duration_seconds", (("task", "rbd/create"),)]
    expect_equal(runs["count"], 2, "run times of rbd/create")


@check
def nobody_makes_new_series(world):
    daemon = world.start()

    def ask_for_much(made_up):
        daemon.create(made_up)
        daemon.delete(made_up)
        for path in (f"/{made_up}", f"/api/task/{made_up}", f"/api/block/image/rbd%2F{made_up}", f"/api/{made_up}/x",
                     f"/api/block/pool/{made_up}/namespace", f"/api/task?name={made_up}"):
            text_of(UnixConnection(daemon.socket, 60), path)
        for method in ("PATCH", "PROPFIND", "X-" + made_up.upper()):
            text_of(UnixConnection(daemon.socket, 60), "/api/task", method)
        daemon.post("/api/command", {"command": {"prefix": made_up}})
        daemon.post("/api/command", {"command": {"prefix": "osd pool get", "pool": "rbd", "var": "size"}})

    use_everything(daemon)
    ask_for_much("first")
    scrape(daemon)
    before = scrape(daemon)
    for number in range(40):
        ask_for_much(f"made-up-{number}")
    after = scrape(daemon)
    expect_equal(set(after.series), set(before.series), "series after made-up names, paths and methods")
    expect(after.value("taskd_http_requests_total", route="other", method="other", code="4xx") >= 40 * 5, "others")
    expect_equal(ended(after, "rbd/create", "success"), 42, "images, with that of use_everything")


@check
def a_standby_answers_for_itself(world):
    world.start("one")
    standby = world.start("two")
    await_state(standby, "standby")
    seen = expect_well_formed(scrape_text(standby))
    expect_equal(seen.value("taskd_role", role="standby"), 1, "role of the standby")
    expect(("taskd_tasks_waiting", ()) not in seen.series, "a standby has no queue")
    world.daemons["one"].stop(signal.SIGKILL)
    await_state(standby, "active")
    seen = scrape(standby)
    expect_equal(seen.value("taskd_role", role="active"), 1, "role after the take-over")
    expect(seen.value("taskd_role_confirmed_age_seconds") < 10, "the role is confirmed")


@check
def a_scrape_never_waits_for_the_cluster(world):
    daemon = world.start()
    use_everything(daemon)
    with world.cluster.frozen("osd.0"), world.cluster.frozen("mon.a"):
        daemon.create("never", asynchronous=True)  # 503: the journal does not answer
        slowest = 0

        def disconnected():
            nonlocal slowest
            began = time.monotonic()
            seen = scrape(daemon)
            slowest = max(slowest, time.monotonic() - began)
            expect_equal(seen.value("taskd_role", role="active"), 1, "role")
            return seen.value("taskd_monitor_connected") == 0 and seen
        seen = wait_until(disconnected, "it is known that no monitor answers", 60)
        print(f"  slowest scrape: {slowest * 1000:.1f} ms")
        expect(slowest < SCRAPE_BOUND_S, f"a scrape took {slowest} s")
        expect(seen.value("taskd_journal_longest_pending_seconds") > 1, "the journal waits")
        expect(seen.value("taskd_journal_pending_changes") > 0, "changes are pending")
    wait_until(lambda: scrape(daemon).value("taskd_monitor_connected") == 1, "a monitor answers again")
    wait_until(lambda: scrape(daemon).value("taskd_journal_longest_pending_seconds") == 0, "the journal is written")


@check
def a_worker_that_dies_is_counted(world):
    daemon = world.start()
    wait_until(lambda: scrape(daemon).value("taskd_workers_ready") == 2, "both workers are ready")
    expect_equal(scrape(daemon).value("taskd_worker_starts_total"), 2, "starts")
    os.kill(daemon.workers()[0], signal.SIGKILL)
    wait_until(lambda: scrape(daemon).value("taskd_worker_deaths_total") == 1, "the death is counted")
    wait_until(lambda: scrape(daemon).value("taskd_workers_ready") == 2, "another one is ready")
    expect_equal(scrape(daemon).value("taskd_worker_starts_total"), 3, "starts")


@check
def only_this_host_and_named_networks_need_no_login(world):
    daemon = world.start("one", "--trusted-proxy", "127.0.0.1", "--metrics-open", "192.0.2.0/24", auth="own")
    address = daemon.url.split("://")[1].split("/")[0]

    def status(path="/metrics", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return text_of(http.client.HTTPConnection(address, timeout=60), path, headers=named)[0]

    wait_until(lambda: status("/api/task") == 401, "it is known that there are no users")
    expect_equal(status(X_Forwarded_For="192.0.2.7"), 200, "from a named network")
    expect_equal(status(X_Forwarded_For="127.0.0.1"), 200, "from this host")
    expect_equal(status(X_Forwarded_For="198.51.100.7"), 401, "from elsewhere")
    expect_equal(status("/api/task", X_Forwarded_For="192.0.2.7"), 401, "another route from a named network")
    plain = world.start("two", "--no-journal", auth="own")
    address = plain.url.split("://")[1].split("/")[0]
    wait_until(lambda: status("/api/task") == 401, "it is known that there are no users")
    expect_equal(status(), 200, "a Prometheus on this host")
    expect_equal(status(X_Forwarded_For="127.0.0.1"), 401, "by a proxy that nobody trusts")
    expect_equal(text_of(UnixConnection(plain.socket, 60))[0], 200, "at the socket")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
