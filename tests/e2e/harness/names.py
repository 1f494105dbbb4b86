"""A name server of a test's own, and an edge whose host asks it."""

import os
import signal
import socket
import struct
import subprocess

import pytest

from .client import Client
from .daemons import Daemon
from .waiting import until

ZONE = "lab.test"
A, AAAA = 1, 28


def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(
        ">HH", kind, 1)


class NameServer:
    """dnsmasq on port 53 of a loopback address that no other test has.

    It knows the names of its hosts below `lab.test`, denies all others there, and refuses
    whatever is not below it.
    """

    def __init__(self, lab):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
            pytest.skip("a name server on port 53 and a resolv.conf of its own need root")
        self.lab = lab
        number = lab.port()
        self.address = f"127.53.{number >> 8}.{number & 255}"
        self.hosts = lab.folder / "hosts"
        self.resolv_conf = lab.folder / "resolv.conf"
        self.resolv_conf.write_text(f"nameserver {self.address}\n", "ascii")
        self.generation = 0
        self.daemon = None
        self.lives = 0
        self.write("")

    @property
    def wrapper(self):
        """What stands before a command whose /etc/resolv.conf names this server and no other."""
        return ["unshare", "-m", "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"', self.resolv_conf]

    def write(self, lines):
        self.generation += 1
        self.hosts.write_text(f"{lines}\n127.0.0.1 generation-{self.generation}.{ZONE}\n", "ascii")

    def start(self):
        self.lives += 1
        self.daemon = Daemon(self.lab, f"dnsmasq.{self.lives}", [
            "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
            "--no-hosts", "--pid-file=", "--user=root", "--group=root", "--cache-size=0",
            f"--listen-address={self.address}", "--bind-interfaces", f"--local=/{ZONE}/",
            f"--addn-hosts={self.hosts}", "--log-queries", "--log-facility=-"])
        self.daemon.wait_ready(self.is_current)
        return self

    def stop(self):
        self.daemon.close()

    def set_hosts(self, *lines):
        """Lines of `address name`; the name is put below lab.test."""
        self.write("\n".join(f"{line}.{ZONE}" for line in lines))
        if self.daemon is not None:
            self.daemon.process.send_signal(signal.SIGHUP)
            self.daemon.wait_ready(self.is_current)

    def is_current(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as user:
            user.settimeout(0.5)
            user.connect((self.address, 53))
            try:
                user.send(question(f"generation-{self.generation}.{ZONE}", A))
                return struct.unpack(">H", user.recv(512)[6:8])[0] == 1
            except OSError:
                return False

    def queries(self, name, kind="A"):
        """How often this life of the server was asked for the name."""
        return self.daemon.text.count(f"query[{kind}] {name}.{ZONE} ")

    def close(self):
        if self.daemon is not None:
            self.daemon.close()


def name(label):
    return f"{label}.{ZONE}"


def edge_asking(lab, server, names, **options):
    """A started edge that asks this name server and no other."""
    edge = Client(lab, server, **options)
    edge.wrapper = names.wrapper
    return edge.start()


class SilentNameServer:
    """Takes every question and never answers."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))

    def close(self):
        self.socket.close()


def wait_asked(names, label, count):
    until(lambda: names.queries(label) >= count, lambda: f"{count} queries for {label}")
