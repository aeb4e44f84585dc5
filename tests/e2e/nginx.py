"""nginx in front of ceph-taskd and the dashboard, by the configuration that docs/nginx ships. Standard library only.

    with Nginx(directory, daemons=[daemon], mgr_urls=[cluster.url]) as nginx:
        browse(nginx.url)

The files are used as they are shipped, but for what their reader has to fill in: addresses, certificate, who speaks https.
"""

import os
import re
import socket
import subprocess
import time
import urllib.parse

from harness import SOURCE, Failed, expect, expect_equal

PROGRAM = "/usr/sbin/nginx"
SHIPPED = os.path.join(SOURCE, "docs/nginx")
START_BOUND_S = 20

# What a distribution's nginx.conf has around it. Nothing outside of its directory.
CONF = """
daemon off;
worker_processes 1;
{user}
error_log {directory}/error.log info;
pid {directory}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/ceph-taskd.conf;
}}
"""


def filled_in(address, pair, mgr_urls, taskd_urls):
    """docs/nginx/ceph-taskd.conf for this test. `pair`: a certificate.Pair; None: plain HTTP."""
    with open(os.path.join(SHIPPED, "ceph-taskd.conf")) as file:
        text = file.read()

    def fill_in(pattern, value):
        nonlocal text
        text, count = re.subn(pattern, lambda _: value, text)
        expect_equal(count, 1, f"places of {pattern} in ceph-taskd.conf")
    tls = "ssl http2" if pair else ""
    fill_in(r"(server 192\.0\.2\.\d+:8443 [^;]*;\s*)+", servers(mgr_urls, "10s") + "\n")
    fill_in(r"(server 192\.0\.2\.\d+:8280 [^;]*;\s*)+", servers(taskd_urls, "2s") + "\n")
    fill_in(r"listen 443 ssl http2;", f"listen {address} {tls};")
    fill_in(r"listen \[::\]:443 ssl http2;", "")
    fill_in(r"ssl_certificate /etc/nginx/ceph\.crt;", f"ssl_certificate {pair.certificate};" if pair else "")
    fill_in(r"ssl_certificate_key /etc/nginx/ceph\.key;", f"ssl_certificate_key {pair.key};" if pair else "")
    fill_in(r"\$ceph_mgr_scheme https;", f"$ceph_mgr_scheme {scheme(mgr_urls)};")
    fill_in(r"\$ceph_taskd_scheme http;", f"$ceph_taskd_scheme {scheme(taskd_urls)};")
    fill_in(r"include /etc/nginx/ceph-taskd-locations\.conf;", f"include {SHIPPED}/ceph-taskd-locations.conf;")
    return text


def servers(urls, fail_timeout):
    return " ".join(f"server {urllib.parse.urlsplit(url).netloc} max_fails=1 fail_timeout={fail_timeout};"
                    for url in urls)


def user():
    """Only root may say who its workers are, and only then somebody else could not enter our directory."""
    return "user root;" if os.geteuid() == 0 else ""


def scheme(urls):
    return urllib.parse.urlsplit(urls[0]).scheme


class Nginx:
    """Serves at `url` from the end of the constructor to `close`. Daemons and mgrs may come and go meanwhile.

    `daemons` are harness.Daemon; `mgr_urls` those of the dashboards of all mgrs, active or not. A daemon believes
    X-Forwarded-… when it was started with `--trusted-proxy 127.0.0.1`. `pair`: a certificate.Pair, for TLS.
    """

    def __init__(self, directory, daemons, mgr_urls, pair=None):
        expect(os.access(PROGRAM, os.X_OK), f"no {PROGRAM}: vstart/install-deps.sh installs it")
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        # nginx takes over a socket that listens already (its environment variable NGINX), so no port is guessed.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(511)
            address = "{}:{}".format(*listener.getsockname())
            with open(os.path.join(directory, "ceph-taskd.conf"), "w") as file:
                file.write(filled_in(address, pair, mgr_urls, [daemon.url for daemon in daemons]))
            conf = os.path.join(directory, "nginx.conf")
            with open(conf, "w") as file:
                file.write(CONF.format(directory=directory, user=user()))
            with open(os.path.join(directory, "stderr.log"), "ab") as log:
                self.process = subprocess.Popen([PROGRAM, "-p", directory, "-c", conf], stdout=log, stderr=log,
                                                pass_fds=[listener.fileno()],
                                                env={**os.environ, "NGINX": f"{listener.fileno()};"})
        self.url = f"{'https' if pair else 'http'}://{address}/"
        self.await_serving(address)

    def await_serving(self, address):
        """The socket listens from the start, so it takes an answer: any one, 502 without a mgr."""
        host, port = address.split(":")
        end = time.monotonic() + START_BOUND_S
        with socket.create_connection((host, int(port)), START_BOUND_S) as connection:
            # nginx's own to answer: no upstream is asked.
            connection.sendall(b"GET / HTTP/9.9\r\n\r\n")
            connection.settimeout(0.05)
            while True:
                try:
                    if connection.recv(1):
                        return
                except TimeoutError:
                    pass
                if self.process.poll() is not None or time.monotonic() > end:
                    self.close()
                    raise Failed(f"nginx does not serve: {self.log('stderr.log')} {self.log('error.log')}")

    def log(self, name="error.log"):
        path = os.path.join(self.directory, name)
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as file:
            return file.read()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(START_BOUND_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
