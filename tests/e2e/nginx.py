"""nginx in front of ceph-taskd and the dashboard, by the configuration that docs/nginx ships. Standard library only.

    with Nginx(directory, daemons=[daemon], mgr_urls=[cluster.url]) as nginx:
        browse(nginx.url)
"""

import os
import socket
import subprocess
import time
import urllib.parse

from harness import SOURCE, Failed, expect

PROGRAM = "/usr/sbin/nginx"
LOCATIONS = os.path.join(SOURCE, "docs/nginx/ceph-taskd-locations.conf")
START_BOUND_S = 20

# What docs/nginx/ceph-taskd.conf holds beside the locations, for plain HTTP on a port that the system chose. Nothing
# outside of its directory.
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
    upstream ceph_mgr {{ {mgrs} }}
    upstream ceph_taskd {{ {taskds} keepalive 16; keepalive_timeout 30s; }}
    server {{
        listen {address};
        set $ceph_mgr_scheme {mgr_scheme};
        set $ceph_taskd_scheme {taskd_scheme};
        include {locations};
    }}
}}
"""


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
    X-Forwarded-… when it was started with `--trusted-proxy 127.0.0.1`.
    """

    def __init__(self, directory, daemons, mgr_urls):
        expect(os.access(PROGRAM, os.X_OK), f"no {PROGRAM}: vstart/install-deps.sh installs it")
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        # nginx takes over a socket that listens already (its environment variable NGINX), so no port is guessed.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(511)
            address = "{}:{}".format(*listener.getsockname())
            taskd_urls = [daemon.url for daemon in daemons]
            conf = os.path.join(directory, "nginx.conf")
            with open(conf, "w") as file:
                file.write(CONF.format(directory=directory, address=address, user=user(),
                                       locations=LOCATIONS, mgrs=servers(mgr_urls, "10s"), mgr_scheme=scheme(mgr_urls),
                                       taskds=servers(taskd_urls, "2s"), taskd_scheme=scheme(taskd_urls)))
            with open(os.path.join(directory, "stderr.log"), "ab") as log:
                self.process = subprocess.Popen([PROGRAM, "-p", directory, "-c", conf], stdout=log, stderr=log,
                                                pass_fds=[listener.fileno()],
                                                env={**os.environ, "NGINX": f"{listener.fileno()};"})
        self.url = f"http://{address}/"
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
