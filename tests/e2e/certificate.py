"""Certificates for servers on loopback."""

import os

from harness import run


class Pair:
    """A certificate that signed itself, and its key."""

    def __init__(self, directory, name):
        self.certificate = os.path.join(directory, name + ".crt")
        self.key = os.path.join(directory, name + ".key")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
            "-keyout", self.key, "-out", self.certificate)

    def options(self):
        return "--tls-certificate", self.certificate, "--tls-key", self.key

    def put_in_place_of(self, other):
        for mine, others in ((self.certificate, other.certificate), (self.key, other.key)):
            os.replace(mine, others)
