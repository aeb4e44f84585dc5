"""The network side of the front door: TLS, addresses, proxies, pages of other sites, and clients that mean ill.

Each check is a function; the names of checks may be given as arguments.
"""

import contextlib
import http.client
import json
import os
import re
import resource
import select
import signal
import socket
import ssl
import sys
import threading
import time

from certificate import Pair
from harness import CEPH_TASK, CEPH_TASKD, Suite, expect, expect_equal, run, wait_until
from world import World, check_of, state

suite = Suite()
check = check_of(suite)

CONNECTIONS = 10_000
MIB = 1 << 20
# The well-behaved client's own; the others come from 127.0.0.1.
ANOTHER_ADDRESS = ("127.0.0.2", 0)


def urls(daemon):
    """Where it says it listens, without its Unix socket."""
    ready = re.search(r"^ceph-taskd ready:(.*)$", daemon.output(), re.M).group(1)
    return [word for word in ready.split() if not word.startswith("unix:")]


def address_of(url):
    host, _, port = url.split("://")[1].rpartition(":")
    return host.strip("[]"), int(port)


def connection_to(url, trusted=None, source=None, timeout=30):
    host, port = address_of(url)
    if url.startswith("https:"):
        context = ssl.create_default_context(cafile=trusted)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout, source_address=source)


def ask(connection, method="GET", path="/api/summary", body=None, headers=None):
    """Status, headers and body."""
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def ask_once(url, *arguments, trusted=None, source=None, **options):
    with contextlib.closing(connection_to(url, trusted, source)) as connection:
        return ask(connection, *arguments, **options)


def start_that_fails(world, *options, conf=None):
    """The one line of a daemon that cannot start."""
    done = run(CEPH_TASKD, "-c", conf or world.cluster.conf, "--socket", os.path.join(world.directory, "x.sock"), *options,
               env=world.cluster.env, check=False, bound_s=60)
    expect(done.returncode in (1, 2), f"exit code {done.returncode}: {done.stderr}")
    lines = [line for line in done.stderr.splitlines() if line.startswith("ceph-taskd: ")]
    expect_equal(len(lines), 1, f"lines for people in {done.stderr!r}")
    return lines[0]


# --- TLS


@check
def tls_is_served_on_all_addresses_and_the_certificate_is_renewed_by_a_signal(world):
    first, second, third = Pair(world.directory, "first"), Pair(world.directory, "second"), Pair(world.directory, "third")
    daemon = world.start("one", "--listen", "[::1]:0", *first.options())
    places = urls(daemon)
    expect_equal([place.rsplit(":", 1)[0] for place in places], ["https://127.0.0.1", "https://[::1]"], "addresses")
    for url in places:
        expect_equal(ask_once(url, trusted=first.certificate)[0], 200, url)
        done = run(CEPH_TASK, "--url", url, "--ca", first.certificate, "--format", "json", "summary")
        expect("health_status" in done.stdout, done.stdout)
        done = run(CEPH_TASK, "--url", url, "summary", check=False)
        expect_equal(done.returncode, 4, "exit code without --ca")
        expect("not to be trusted" in done.stderr and "--ca" in done.stderr, done.stderr)

    with contextlib.closing(connection_to(places[0], first.certificate)) as kept:
        expect_equal(ask(kept)[0], 200, "before")
        trusted = os.path.join(world.directory, "trusted.pem")
        run("cp", second.certificate, trusted)
        second.put_in_place_of(first)
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "tls: CN=second" in daemon.output(), "the second certificate is read", 30)
        expect_equal(ask(kept)[0], 200, "on a connection from before")
        # The log tells what was read a moment before it is in use.
        wait_until(lambda: is_trusted(places[1], trusted), "the second certificate is in use", 30)

        os.replace(third.key, first.key)  # of another certificate
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the old certificate stays in use" in daemon.output(), "the mistake is told", 30)
        expect("does not belong to the certificate" in daemon.output(), daemon.output())
        expect_equal(ask(kept)[0], 200, "on a connection from before")
        expect_equal(ask_once(places[0], trusted=trusted)[0], 200, "with the second certificate, still")

    status, _, body = ask_once(places[0].replace("https", "http"))
    expect_equal((status, b"speaks HTTPS only" in body), (400, True), "plain HTTP to the port of TLS")


def is_trusted(url, trusted):
    try:
        return ask_once(url, trusted=trusted)[0] == 200
    except ssl.SSLCertVerificationError:
        return False


@check
def certificate_and_key_may_be_kept_in_the_cluster(world):
    line = start_that_fails(world, "--tls-from-cluster")
    expect("config-key ceph-taskd/crt" in line and "ceph config-key set" in line, line)
    pair = Pair(world.directory, "kept")
    for key, path in (("ceph-taskd/crt", pair.certificate), ("ceph-taskd/key", pair.key)):
        world.cluster.tool("ceph", "config-key", "set", key, "-i", path)
    daemon = world.start("one", "--tls-from-cluster")
    expect_equal(ask_once(urls(daemon)[0], trusted=pair.certificate)[0], 200, "summary")
    with open(pair.key) as file:
        expect(file.read().splitlines()[1] not in daemon.output(), "the key is in the log")


@check
def mistakes_end_the_start_with_a_line_that_names_them(world):
    one, other = Pair(world.directory, "one"), Pair(world.directory, "other")
    missing = os.path.join(world.directory, "missing")

    def line(*options):
        return start_that_fails(world, "--listen", "127.0.0.1:0", *options)

    for options, words in (
            (("--tls-certificate", missing, "--tls-key", one.key), (missing, "No such file")),
            (("--tls-certificate", one.certificate, "--tls-key", world.directory), (world.directory, "directory")),
            (("--tls-certificate", one.certificate, "--tls-key", other.key), (other.key, "does not belong to")),
            (("--tls-certificate", one.key, "--tls-key", one.certificate), (one.key, "exchanged")),
            (("--tls-certificate", world.cluster.conf, "--tls-key", one.key), (world.cluster.conf, "no PEM file")),
            (("--tls-certificate", one.certificate), ("--tls-key",)),
            (("--listen", "https://127.0.0.1:0"), ("--tls-certificate",)),
            (("--trusted-proxy", "10.0.0.1/8"), ("--trusted-proxy", "10.0.0.1/8")),
            (("--cors-origin", "*"), ("--cors-origin",)),
            (("--public-url", "ceph.example"), ("--public-url", "ceph.example"))):
        told = line(*options)
        for word in words:
            expect(word in told, f"no {word!r} in {told!r}")

    with contextlib.closing(socket.create_server(("::1", 0), family=socket.AF_INET6)) as taken:
        address = f"[::1]:{taken.getsockname()[1]}"
        told = line("--listen", address)
        expect(f"listen on {address}: Address already in use" in told, told)


@check
def a_keyring_that_is_missing_or_wrong_is_named(world):
    def told(*options):
        return start_that_fails(world, "--listen", "127.0.0.1:0", *options)

    keyring = os.path.join(world.directory, "keyring")
    expect(keyring in told("--keyring", keyring), "the path of a missing keyring")
    with open(keyring, "w") as file:
        file.write("[client.admin]\nkey = AQCVtqNk4vjoKhAAqb7o7Xb3EQZ1cIM+ZCQ6sg==\n")
    expect(keyring in told("--keyring", keyring), "the path of a wrong key")
    line = told("--id", "nobody")
    expect("client.nobody" in line, line)
    line = start_that_fails(world, conf=keyring + ".conf")
    expect(keyring + ".conf" in line, line)


# --- who is believed, and who may read


@check
def proxies_and_pages_of_other_sites_are_those_that_were_named(world):
    daemon = world.start("one", "--trusted-proxy", ANOTHER_ADDRESS[0], "--cors-origin", "https://ui.example")
    url = urls(daemon)[0]
    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "ceph.example", "X-Forwarded-Proto": "https"}

    def change(source, headers):
        return ask_once(url, "DELETE", "/api/task/no-such", source=source, headers=headers)

    expect_equal(change(ANOTHER_ADDRESS, said)[0], 404, "by the proxy")
    expect("from 203.0.113.9 via 127.0.0.2:" in daemon.output(), daemon.output())
    expect_equal(change(None, {"X-Forwarded-For": "203.0.113.10"})[0], 404, "by somebody else")
    expect("203.0.113.10" not in daemon.output(), "anybody may say who they are")

    ui = {"Origin": "https://ui.example"}
    for path, wanted in (("/api/summary", 200), ("/no/such/path", 404)):
        status, headers, _ = ask_once(url, "GET", path, headers=ui)
        expect_equal((status, headers["Access-Control-Allow-Origin"]), (wanted, "https://ui.example"), path)
    status, headers, _ = ask_once(url, "OPTIONS", "/api/block/image", headers={**ui, "Access-Control-Request-Method": "POST"})
    expect_equal((status, headers["Access-Control-Allow-Origin"]), (204, "https://ui.example"), "preflight")
    _, headers, _ = ask_once(url, headers={"Origin": "https://evil.example"})
    expect(headers["Access-Control-Allow-Origin"] is None, "every page may read")


@check
def a_standby_sends_clients_to_the_url_that_was_named(world):
    active = world.start("one", "--public-url", "https://ceph.example:8443/tasks/")
    standby = world.start("two")
    expect_equal((state(active), state(standby)), ("active", "standby"), "states")
    status, headers, _ = ask_once(urls(standby)[0], path="/api/task?name=x")
    expect_equal((status, headers["Location"]), (303, "https://ceph.example:8443/tasks/api/task?name=x"), "redirect")
    wait_until(lambda: "https://ceph.example:8443/tasks" in urls_in_service_map(world), "the service map has the URL")


def urls_in_service_map(world):
    services = json.loads(world.cluster.tool("ceph", "service", "dump", "-f", "json").stdout)["services"]
    daemons = services.get("taskd", {}).get("daemons", {})  # the daemon serves before it is on the map
    return {daemon["metadata"]["url"] for daemon in daemons.values() if isinstance(daemon, dict)}


# --- clients that mean ill


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.M).group(1)) * 1024


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class GoodClient:
    """Asks for the summary, each time by a new connection, all the while; and notes how large the daemon gets."""

    def __init__(self, daemon):
        self.daemon, self.url = daemon, urls(daemon)[0]
        self.latencies_s, self.largest, self.error = [], 0, None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        try:
            while not self.stopping.wait(0.02):
                began = time.monotonic()
                status, _, _ = ask_once(self.url, source=ANOTHER_ADDRESS)
                expect_equal(status, 200, "the good client's summary")
                self.latencies_s.append(time.monotonic() - began)
                self.largest = max(self.largest, resident_bytes(self.daemon.pid))
        except Exception as error:  # told at the end
            self.error = error

    def await_answers(self, count=10):
        before = len(self.latencies_s)
        wait_until(lambda: self.error or len(self.latencies_s) >= before + count, "the good client has answers", 60)
        expect(self.error is None, f"the good client: {self.error!r}")

    def __enter__(self):
        self.before = resident_bytes(self.daemon.pid)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def expect_small(self, what):
        """Memory is bounded, whatever came."""
        ordered, more = sorted(self.latencies_s), (self.largest - self.before) / MIB
        print(f"  {what}: {more:.0f} MiB more; {len(ordered)} good answers in {ordered[len(ordered) // 2] * 1000:.1f} ms, "
              f"{ordered[-1] * 1000:.0f} ms at most")
        expect(self.error is None, f"the good client: {self.error!r}")
        expect(more < 256, f"{more:.0f} MiB more")


def may_open(files):
    """As many of them as the machine lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return files if most == resource.RLIM_INFINITY else min(files, most - 1000)


def connected(url, bound_s=60):
    return socket.create_connection(address_of(url), bound_s)


def rest_of(connection):
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def answer_to(url, pieces):
    """The status of the first answer, if there was one before the server had enough."""
    with contextlib.closing(connected(url)) as connection:
        with contextlib.suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        return status_of(rest_of(connection))


def status_of(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else None


def send_what_fits(connection, data):
    connection.settimeout(0)
    with contextlib.suppress(OSError):
        while data and select.select([], [connection], [], 0.1)[1]:
            data = data[connection.send(data):]


def expect_all_readable(connections, what, bound_s=60):
    waiting = select.poll()
    for connection in connections:
        waiting.register(connection, select.POLLIN)
    left, end = len(connections), time.monotonic() + bound_s
    while left and time.monotonic() < end:
        for descriptor, _ in waiting.poll(1000):
            waiting.unregister(descriptor)
            left -= 1
    expect_equal(left, 0, f"connections without {what}")


@check
def ten_thousand_connections_that_hardly_move(world):
    count = may_open(CONNECTIONS)
    daemon = world.start("one", "--connections", str(count + 100), "--connections-per-client", "0")
    files, url = open_files(daemon.pid), urls(daemon)[0]
    with GoodClient(daemon) as good, contextlib.ExitStack() as opened:
        connections = []
        for number in range(count):
            connections.append(opened.enter_context(connected(url)))
            # A header that never ends; a request and then silence; silence.
            connections[-1].send((b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
                                  b"\r\n")[number % 3])
        held = open_files(daemon.pid) - files
        expect(held > count // 3, f"only {held} are open")
        slow = connections[0::3]
        for connection in slow:  # one more byte is no reason to get more time
            with contextlib.suppress(OSError):
                connection.send(b"a")
        expect_all_readable(slow, "the end of a header that never ends")
        good.await_answers()
    good.expect_small(f"{held} connections at once")
    wait_until(lambda: open_files(daemon.pid) <= files + 50, "the connections are gone", 60)


@check
def one_client_does_not_take_the_connections_of_others(world):
    daemon = world.start("one", "--connections", "60", "--connections-per-client", "40")
    url = urls(daemon)[0]
    with GoodClient(daemon) as good, contextlib.ExitStack() as opened:
        connections = [opened.enter_context(connected(url)) for _ in range(200)]
        answers = {status_of(rest_of(connection)) for connection in connections[40:]}
        expect(answers <= {503, None}, f"answers to too many: {answers}")
        good.await_answers()


@check
def requests_that_are_too_much(world):
    daemon = world.start("one", "--connections-per-client", "0")
    files, url = open_files(daemon.pid), urls(daemon)[0]
    get = b"GET /api/summary HTTP/1.1\r\nHost: x\r\n"
    post = b"POST /api/block/image HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    deep = b"[" * 900_000
    attacks = {
        "100 MiB, announced": (413, [post, b"Content-Length: 104857600\r\n\r\n"] + [b"x" * MIB] * 100),
        "100 MiB in chunks": (413, [post, b"Transfer-Encoding: chunked\r\n\r\n"] + [b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 1600),
        "deep JSON": (400, [post, b"Content-Length: %d\r\n\r\n" % len(deep), deep]),
        "many header fields": (431, [get] + [b"X-A: b\r\n" * 10_000] * 10),
        "a long header field": (431, [get, b"X-A: "] + [b"b" * MIB] * 10),
        "a long path": (431, [b"GET /", b"a" * MIB]),
        "no HTTP": (400, [b"\x16\x03\x01\x02\x00" * 100]),
        "a half-closed socket": (200, [get, b"\r\n"]),
        "a pipeline": (200, [(get + b"\r\n") * 1000]),
    }
    with GoodClient(daemon) as good:
        for name, (wanted, pieces) in attacks.items():
            answers = [None] * 8

            def attack(number, pieces=pieces, answers=answers):
                answers[number] = answer_to(url, pieces)

            threads = [threading.Thread(target=attack, args=(number,)) for number in range(len(answers))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            # Who sends on and on may lose the answer with the connection.
            expect(set(answers) <= {wanted, None}, f"{name}: {answers}")
            good.await_answers(1)

        with contextlib.ExitStack() as opened:
            for _ in range(200):  # bodies that stop just before their end
                connection = opened.enter_context(connected(url))
                send_what_fits(connection, post + b"Content-Length: %d\r\n\r\n" % MIB + b"x" * (MIB - 1))
            for _ in range(200):  # answers that nobody reads
                send_what_fits(opened.enter_context(connected(url)), (get + b"\r\n") * 2000)
            good.await_answers()
    good.expect_small("requests that are too much")
    wait_until(lambda: open_files(daemon.pid) <= files + 50, "the connections are gone", 60)


@check
def tls_that_never_comes_to_an_end(world):
    pair = Pair(world.directory, "held")
    daemon = world.start("one", *pair.options())
    files, url = open_files(daemon.pid), urls(daemon)[0]
    with contextlib.ExitStack() as opened:
        silent = [opened.enter_context(connected(url)) for _ in range(500)]
        for connection in silent[::2]:
            connection.send(b"\x16\x03\x01\x02\x00")
        for _ in range(5):
            expect_equal(ask_once(url, trusted=pair.certificate)[0], 200, "summary")
        for connection in silent:
            expect_equal(rest_of(connection), b"", "what comes of no handshake")
    wait_until(lambda: open_files(daemon.pid) <= files + 50, "the connections are gone", 60)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv[1:], World))
