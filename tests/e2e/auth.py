"""Users, roles and tokens of the cluster's dashboard hold at ceph-taskd too, beside the real dashboard.

Each check is a function; the names of checks may be given as arguments.
"""

import contextlib
import http.client
import json
import os
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))

from harness import CEPH_TASKD, Answer, Daemon, Suite, expect, expect_equal, journal, wait_until  # noqa: E402
from servers import DashboardCluster  # noqa: E402

suite = Suite()
check = suite.check

MEDIA_TYPE = "application/vnd.ceph.api.v1.0+json"
ROLES = ["administrator", "read-only", "block-manager", "pool-manager", "cluster-manager", "rgw-manager",
         "cephfs-manager", "ganesha-manager"]
IMAGE = "/api/block/image/rbd%2Fno-such-image"
# Changes nothing anywhere: what may be done fails for want of the object, or of a field.
ROUTES = [("GET", "/api/block/image/default_features"), ("GET", "/api/block/image/clone_format_version"),
          ("GET", "/api/block/image/trash"), ("GET", IMAGE), ("GET", "/api/block/pool/rbd/namespace"),
          ("GET", "/api/block/mirroring/site_name"), ("GET", "/api/task"), ("GET", "/api/summary"),
          ("POST", "/api/block/image"), ("PUT", IMAGE), ("DELETE", IMAGE), ("POST", IMAGE + "/copy"),
          ("POST", IMAGE + "/flatten"), ("POST", IMAGE + "/move_trash"), ("POST", IMAGE + "/snap"),
          ("PUT", IMAGE + "/snap/s"), ("DELETE", IMAGE + "/snap/s"), ("POST", IMAGE + "/snap/s/rollback"),
          ("POST", IMAGE + "/snap/s/clone"), ("POST", "/api/block/image/trash/rbd%2F00/restore"),
          ("DELETE", "/api/block/image/trash/rbd%2F00"), ("POST", "/api/block/pool/rbd/namespace"),
          ("DELETE", "/api/block/pool/rbd/namespace/none"), ("POST", "/api/pool"), ("PUT", "/api/pool/none"),
          ("DELETE", "/api/pool/none")]


class Site:
    """One of the two servers, over TCP as a browser reaches it."""

    def __init__(self, name, url):
        self.name = name
        self.address = urllib.parse.urlsplit(url).netloc

    def request(self, method, path, token=None, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=120)
        with contextlib.closing(connection):
            headers = {"Accept": MEDIA_TYPE, **(headers or {})}
            if token:
                headers["Authorization"] = "Bearer " + token
            if body is not None:
                headers["Content-Type"] = "application/json"
                body = json.dumps(body)
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())

    def login(self, name, password):
        return self.request("POST", "/api/auth", body={"username": name, "password": password})

    def token(self, name, password):
        answer = self.login(name, password)
        expect_equal(answer.status, 201, f"login of {name} at {self.name}: {answer.body}")
        return answer.body["token"]

    def knows(self, token):
        return self.request("GET", "/api/task", token).status == 200


class World:
    def __init__(self, directory):
        self.cluster = DashboardCluster(os.path.join(directory, "cluster"))
        self.directory = directory
        self.dashboard = Site("the dashboard", self.cluster.url)
        self.start_daemon()

    def start_daemon(self):
        self.daemon = Daemon(self.cluster, self.directory, "--audit-to-cluster", auth="dashboard")
        self.ours = Site("ceph-taskd", self.daemon.url)
        self.sites = [self.ours, self.dashboard]
        wait_until(lambda: self.ours.login("nobody", "x").status == 400, "the users are known")

    def dashboard_command(self, *words, text=None):
        if text is None:
            return self.cluster.tool("ceph", "dashboard", *words)
        path = os.path.join(self.directory, "input")
        with open(path, "w") as file:
            file.write(text)
        return self.cluster.tool("ceph", "dashboard", *words, "-i", path)

    def make_user(self, name, role):
        self.dashboard_command("ac-user-create", name, role, "--force-password", text=password_of(name))

    def administrator(self):
        return self.cluster.user, self.cluster.password

    def show_logs(self):
        print("    " + "\n    ".join(self.daemon.output().splitlines()[-15:]))

    def close(self):
        self.daemon.stop()
        self.cluster.wipe()


def password_of(name):
    return f"The-{name}-1!"


@check
def a_login_looks_as_at_the_dashboard(world):
    ours, theirs = (site.login(*world.administrator()) for site in world.sites)
    expect_equal(ours.status, theirs.status, "status")
    for answer in (ours, theirs):
        answer.body["token"] = "…"
        answer.body["permissions"] = {scope: sorted(held) for scope, held in answer.body["permissions"].items()}
    expect_equal(ours.body, theirs.body, "body")
    flags = [sorted(part.split("=")[0].strip() for part in answer.headers["Set-Cookie"].split(";"))
             for answer in (ours, theirs)]
    expect_equal(flags[0], flags[1], "cookie")
    ours, theirs = (site.login("admin", "wrong") for site in world.sites)
    expect_equal((ours.status, ours.body), (theirs.status, theirs.body), "a wrong password")


@check
def a_token_of_one_works_at_the_other(world):
    for giver, taker in (world.sites, world.sites[::-1]):
        token = giver.token(*world.administrator())
        answer = taker.request("GET", "/api/task", token)
        expect_equal(answer.status, 200, f"a token of {giver.name} at {taker.name}")
        said = taker.request("POST", "/api/auth/check", body={"token": token})
        expect_equal(said.body["username"], world.cluster.user, f"check at {taker.name}")


@check
def a_logout_at_one_is_a_logout_at_both(world):
    for one, other in (world.sites, world.sites[::-1]):
        token = one.token(*world.administrator())
        expect(one.knows(token) and other.knows(token), "the token is void before the logout")
        expect_equal(one.request("POST", "/api/auth/logout", token).status, 200, f"logout at {one.name}")
        began = time.monotonic()
        expect(not one.knows(token), f"{one.name} takes a token after its logout")
        wait_until(lambda: not other.knows(token), f"{other.name} knows of the logout at {one.name}", 30)
        print(f"  a logout at {one.name} held at {other.name} after {time.monotonic() - began:.2f} s")


@check
def changes_of_users_are_seen(world):
    world.make_user("changing", "read-only")
    began = time.monotonic()
    token = wait_until(lambda: world.ours.login("changing", password_of("changing")).body.get("token"), "the new user", 30)
    print(f"  a new user could log in after {time.monotonic() - began:.2f} s")
    expect_equal(world.ours.request("DELETE", IMAGE, token).status, 403, "a reader's delete")

    def void_after(*words):
        token = world.ours.token("changing", password_of("changing"))
        time_of_token = int(time.time())
        wait_until(lambda: int(time.time()) > time_of_token, "the next second", 10)  # tokens know no fractions
        world.dashboard_command(*words)
        began = time.monotonic()
        wait_until(lambda: not world.ours.knows(token), f"the token is void after {words[0]}", 30)
        print(f"  {words[0]} held after {time.monotonic() - began:.2f} s")

    void_after("ac-user-set-roles", "changing", "block-manager")
    token = world.ours.token("changing", password_of("changing"))
    expect(world.ours.request("DELETE", IMAGE, token).status != 403, "a block-manager's delete is refused")
    void_after("ac-user-disable", "changing")
    expect_equal(world.ours.login("changing", password_of("changing")).status, 400, "login of a disabled user")
    world.dashboard_command("ac-user-enable", "changing")
    wait_until(lambda: world.ours.login("changing", password_of("changing")).status == 201, "enabled again", 30)
    void_after("ac-user-delete", "changing")


@check
def every_role_may_at_every_route_what_it_may_at_the_dashboard(world):
    differences, counted = [], 0
    for role in ROLES:
        world.make_user(role, role)
        wait_until(lambda: world.ours.login(role, password_of(role)).status == 201, f"user {role}", 30)
        token = world.dashboard.token(role, password_of(role))
        for method, path in ROUTES:
            body = {} if method in ("POST", "PUT") else None
            ours, theirs = (site.request(method, path, token, body).status == 403 for site in world.sites)
            counted += 1
            if ours != theirs:
                differences.append(f"{role}: {method} {path}: {'403' if theirs else 'allowed'} at the dashboard")
    expect(not differences, "\n    ".join(differences))
    print(f"  {counted} questions, equal answers")


@check
def without_a_valid_token_every_route_is_401(world):
    good = world.ours.token(*world.administrator())
    head, claims, signature = good.split(".")
    revoked = world.ours.token(*world.administrator())
    world.ours.request("POST", "/api/auth/logout", revoked)
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + claims + "."
    bad = {"none": None, "garbage": "garbage", "tampered": f"{head}.{claims[:-2]}AA.{signature}",
           "unsigned": unsigned, "revoked": revoked}
    for method, path in ROUTES:
        body = {} if method in ("POST", "PUT") else None
        for kind, token in bad.items():
            expect_equal(world.ours.request(method, path, token, body).status, 401, f"{method} {path} with {kind}")


# What both are told, one after the other: family, word, arguments, and what is read from a file.
ACCESS_COMMANDS = [
    ("user", "create", {"username": "twin", "rolename": "read-only", "name": "T", "email": "t@x"}, "Secret-pw-1\n"),
    ("user", "create", {"username": "twin"}, "Secret-pw-1"),
    ("user", "create", {"username": "other", "rolename": "none"}, "weak"),
    ("user", "create", {"username": "other", "rolename": "read-only"}, "weak"),
    ("user", "create", {"username": "other"}, " \n"),
    ("user", "create", {"username": "other"}, None),
    ("user", "create", {"username": "other", "force_password": True, "pwd_update_required": True,
                        "pwd_expiration_date": 4000000000}, "weak"),
    ("user", "create", {"username": "late", "pwd_expiration_date": 1}, "Secret-pw-1"),
    ("user", "show", {}, None),
    ("user", "show", {"username": "other"}, None),
    ("user", "show", {"username": "none"}, None),
    ("user", "disable", {"username": "twin"}, None),
    ("user", "disable", {"username": "none"}, None),
    ("user", "enable", {"username": "twin"}, None),
    ("user", "enable", {"username": "none"}, None),
    ("user", "set-password", {"username": "other"}, "Secret-pw-2"),
    ("user", "set-password", {"username": "other"}, "weak"),
    ("user", "set-password", {"username": "none"}, "weak"),
    ("user", "set-password", {"username": "other"}, None),
    ("user", "set-password-hash", {"username": "other"},
     "$2b$04$VCRqgjeQAMs7nL34rgjnau5gpZjyXmayVFgMfLXRC4mOFGEeLRPXC"),
    ("user", "set-password-hash", {"username": "none"}, "no hash"),
    ("user", "set-info", {"username": "twin", "name": "Zoë", "email": "z@x"}, None),
    ("user", "set-info", {"username": "none", "name": "Zoë", "email": "z@x"}, None),
    ("role", "create", {"rolename": "mine", "description": "for a try"}, None),
    ("role", "create", {"rolename": "mine"}, None),
    ("role", "create", {"rolename": "read-only"}, None),
    ("role", "add-scope-perms", {"rolename": "mine", "scopename": "pool", "permissions": ["read", "delete", "create"]},
     None),
    ("role", "add-scope-perms", {"rolename": "mine", "scopename": "none", "permissions": ["read"]}, None),
    ("role", "add-scope-perms", {"rolename": "mine", "scopename": "pool", "permissions": ["fly"]}, None),
    ("role", "add-scope-perms", {"rolename": "read-only", "scopename": "pool", "permissions": ["read"]}, None),
    ("role", "add-scope-perms", {"rolename": "none", "scopename": "pool", "permissions": ["read"]}, None),
    ("role", "show", {}, None),
    ("role", "show", {"rolename": "mine"}, None),
    ("role", "show", {"rolename": "none"}, None),
    *(("role", "show", {"rolename": role}, None) for role in ROLES),
    ("user", "set-roles", {"username": "twin", "roles": ["pool-manager", "mine"]}, None),
    ("user", "set-roles", {"username": "twin", "roles": ["none"]}, None),
    ("user", "set-roles", {"username": "none", "roles": ["mine"]}, None),
    ("user", "add-roles", {"username": "twin", "roles": ["administrator", "mine"]}, None),
    ("user", "add-roles", {"username": "twin", "roles": ["none"]}, None),
    ("user", "del-roles", {"username": "twin", "roles": ["administrator"]}, None),
    ("user", "del-roles", {"username": "twin", "roles": ["administrator"]}, None),
    ("user", "del-roles", {"username": "none", "roles": ["mine"]}, None),
    ("role", "delete", {"rolename": "mine"}, None),
    ("role", "delete", {"rolename": "read-only"}, None),
    ("role", "delete", {"rolename": "none"}, None),
    ("role", "del-scope-perms", {"rolename": "mine", "scopename": "osd"}, None),
    ("role", "del-scope-perms", {"rolename": "mine", "scopename": "pool"}, None),
    ("role", "del-scope-perms", {"rolename": "read-only", "scopename": "pool"}, None),
    ("user", "delete", {"username": "twin"}, None),
    ("user", "delete", {"username": "twin"}, None),
    ("role", "delete", {"rolename": "mine"}, None),
    ("user", "delete", {"username": "other"}, None),
]

# In one process, for `ceph` takes a second to begin: it sends the same and ends with the errno.
MGR_COMMANDS = """
import json, rados, sys
with rados.Rados(conffile='') as cluster:
    answers = []
    for family, word, arguments, secret in json.load(sys.stdin):
        command = json.dumps({'prefix': f'dashboard ac-{family}-{word}', 'target': ['mon-mgr', ''], **arguments})
        code, out, text = cluster.mgr_command(command, (secret or '').encode())
        answers.append([-code, out.decode(), text])
    json.dump(answers, sys.stdout)
"""


def as_printed(text, others, is_of_the_system):
    """What a command printed, without what differs by nature: other users, times, salts, the wording of roles."""
    try:
        value = json.loads(text)
    except ValueError:
        return text.strip()
    if isinstance(value, list):
        return [name for name in value if name not in others]
    expect_equal(text.strip(), json.dumps(value), "how it is spelled")
    for name in ("lastUpdate", "password", *(["description"] if is_of_the_system else [])):
        if value.get(name) is not None:
            value[name] = "…"
    if not is_of_the_system:
        return list(value.items())
    held = {scope: sorted(permissions) for scope, permissions in value["scopes_permissions"].items()}
    return {**value, "scopes_permissions": held}


def words_of(arguments):
    """As they are typed."""
    words = []
    for name, value in arguments.items():
        if value is True or name == "pwd_expiration_date":
            words.append("--" + name.replace("_", "-") + ("" if value is True else f"={value}"))
        else:
            words += value if isinstance(value, list) else [value]
    return words


@check
def our_own_users_and_roles_are_managed_as_the_dashboards(world):
    tool = world.cluster.tool
    others = {"role": [], "user": json.loads(world.dashboard_command("ac-user-show").stdout)}
    theirs = json.loads(tool("/usr/bin/python3", "-c", MGR_COMMANDS, text=json.dumps(ACCESS_COMMANDS)).stdout)
    for (family, word, arguments, secret), (code, out, text) in zip(ACCESS_COMMANDS, theirs):
        words = words_of(arguments) + (["-i", "-"] if secret else [])
        done = tool(CEPH_TASKD, family, word, *words, text=secret, check=False)
        what = f"{family} {word} {arguments}"
        expect_equal(done.returncode, code, f"exit code of {what}: {done.stderr!r}, the dashboard {text!r}")
        is_of_the_system = family == "role" and arguments.get("rolename") in ROLES
        ours, dashboards = (as_printed(one, others[family], is_of_the_system) for one in (done.stdout, out))
        expect_equal(ours, dashboards, f"output of {what}")
        if code and "input file" not in text.lower() and "Traceback" not in text:
            expect_equal(done.stderr.partition(": ")[2].strip(), text.strip(), f"complaint of {what}")
    print(f"  {len(theirs)} commands, equal answers")


@check
def as_it_comes_the_dashboards_users_hold_where_there_is_one(world):
    directory = os.path.join(world.directory, "default")
    os.mkdir(directory)
    world.daemon.stop()  # two would share a role
    daemon = Daemon(world.cluster, directory, auth=None)
    try:
        site = Site("ceph-taskd as it comes", daemon.url)
        wait_until(lambda: site.login(*world.administrator()).status == 201, "the dashboard's users can log in")
        expect("auth: the users and roles of the cluster's dashboard hold" in daemon.output(), "not in the log")
        expect_equal(site.request("GET", "/api/task").status, 401, "without a token")
    finally:
        daemon.stop()
        world.start_daemon()


@check
def root_needs_no_token_at_the_unix_socket(world):
    expect_equal(world.daemon.get("/api/task").status, 200, "status over the socket")
    expect_equal(world.daemon.create("by-root").status, 201, "a create over the socket")


@check
def every_change_is_a_line_of_the_log_without_secrets(world):
    token = world.ours.token(*world.administrator())

    def create(name):
        answer = world.ours.request("POST", "/api/block/image", token,
                                    {"pool_name": "rbd", "name": name, "size": 1 << 20, "features": ["layering"]})
        expect_equal(answer.status, 201, "create")
        return answer
    answer = create("audited")

    def lines_of_the_create():
        found = [line for line in world.daemon.output().splitlines() if "audit:" in line and answer.task_id in line]
        return found if len(found) == 2 else None
    lines = wait_until(lines_of_the_create, "two lines, of the request and of the end of its task", 30)
    request, end = sorted(lines, key=lambda line: "success" in line)
    for words in (world.cluster.user, "127.0.0.1:", "POST /api/block/image", "201", '"image_name":"audited"'):
        expect(words in request, f"no {words!r} in {request}")
    for words in (f"audit: {world.cluster.user}: task", "rbd/create", "success"):
        expect(words in end, f"no {words!r} in {end}")
    for secret in (token, world.cluster.password):
        expect(secret not in world.daemon.output(), "a secret is in the log")

    def entries(channel):
        text = world.cluster.tool("ceph", "log", "last", "1000", "info", channel).stdout
        return [line for line in text.splitlines() if answer.task_id in line]
    wait_until(lambda: len(entries("cluster")) == 2, "both lines are in the cluster's log", 30)
    expect("ceph-taskd audit: " + world.cluster.user in entries("cluster")[0], f"not as told: {entries('cluster')}")

    # The monitors note each command there by themselves, some seconds later; on a busy machine they were seen to leave
    # one out for good, so that there is a new one for each look.
    told = [answer.task_id]

    def is_noted():
        text = world.cluster.tool("ceph", "log", "last", "1000", "info", "audit").stdout
        if any(task_id in text for task_id in told):
            return True
        told.append(create(f"audited-{len(told)}").task_id)
        return False
    wait_until(is_noted, "the monitors note the lines in their channel audit", 30)
    print(f"  noted in the channel audit: one of {len(told)}")


@check
def secrets_of_commands_are_for_who_sent_them(world):
    token = world.ours.token(*world.administrator())
    world.make_user("second", "administrator")
    other = wait_until(lambda: world.ours.login("second", password_of("second")).body.get("token"), "the other one", 30)

    def send(**command):
        answer = world.ours.request("POST", "/api/command", token, {"command": command})
        expect_equal(answer.status, 200, f"{command['prefix']}: {answer.body}")
        return answer
    made = send(prefix="auth get-or-create", entity="client.secretive", format="json")
    key = made.body["output"][0]["key"]
    send(prefix="config-key set", key="taskd/test", val="hunter2-hunter2")
    got = send(prefix="config-key get", key="taskd/test")
    expect_equal(got.body["output"], "hunter2-hunter2", "the sender's answer")
    at_id = world.ours.request("GET", f"/api/task/{got.task_id}", token).body
    expect_equal(at_id["ret_value"]["output"], "hunter2-hunter2", "what the sender sees of the task")
    refused = world.ours.request("POST", "/api/command", token,
                                 {"command": {"prefix": "config set", "who": "global", "name": "no_such_option",
                                              "value": "hunter2-hunter2"}})
    expect(refused.status >= 400, f"no failure: {refused}")
    seen = [refused, *(world.ours.request("GET", path, other)
                       for path in ("/api/task", "/api/task?detail=1", "/api/summary", "/api/task/history",
                                    f"/api/task/{got.task_id}", f"/api/task/{made.task_id}"))]
    texts = [json.dumps(answer.body) for answer in seen]
    expect(all("config-key get" in text for text in texts[1:5]), "the tasks are not seen at all")
    expect('"withheld": true' in texts[1], "it is not told that an output is withheld")
    wait_until(lambda: got.task_id in journal(world.cluster), "the end is in the journal", 30)
    arguments = []
    for pid in (world.daemon.pid, *world.daemon.workers()):
        with open(f"/proc/{pid}/cmdline") as file:
            arguments.append(file.read())
    all_entries = world.cluster.tool("ceph", "log", "last", "1000", "debug", "*").stdout
    cluster_log = "\n".join(line for line in all_entries.splitlines() if "ceph-taskd audit" in line)
    expect(cluster_log, "no line of ours in the cluster's log")
    for text in (*texts, journal(world.cluster), world.daemon.output(), cluster_log, *arguments):
        for secret in (key, "hunter2"):
            expect(secret not in text, lambda: f"a secret is out: {text[max(0, text.index(secret) - 300):][:600]}")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
