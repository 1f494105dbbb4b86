"""The relays under test. Each leads to one service, whose load program speaks their carrier."""

import os
import subprocess

from ..errors import BenchError, Unavailable
from ..forwarders.base import Forwarder, find_program
from ..readiness import bound_ports, wait_listening, wait_until

KEY = "bench-key"

HAPROXY = """
global
  nbthread {cores}
  hard-stop-after 1s
  ssl-default-bind-options ssl-min-ver TLSv1.3

defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h

listen relay
  bind 127.0.0.1:{listen} backlog 4096 ssl crt {pem} alpn now/1
  server target 127.0.0.1:{target}
"""

STUNNEL = """
foreground = yes
debug = err
syslog = no
pid =
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1

[relay]
accept = 127.0.0.1:{listen}
connect = 127.0.0.1:{target}
cert = {pem}
sslVersionMin = TLSv1.3
"""


def make_pem(setting, folder):
    """A self-signed P-256 pair as the Portal makes one, both halves in one file."""
    certificate, key, both = (folder / name for name in ("relay.crt", "relay.key", "relay.pem"))
    setting.children.check("openssl", [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        "-days", "30", "-keyout", key, "-out", certificate], timeout=20)
    both.write_text(certificate.read_text() + key.read_text())
    os.chmod(both, 0o600)
    return both


class Relay(Forwarder):
    """A forwarder whose way in is the load program's business: `carrier` and `to` are for it."""

    carrier = ""
    kinds = frozenset({"stream"})

    def __init__(self, setting):
        super().__init__(setting)
        self.port = 0

    @classmethod
    def takes(cls, load):
        return load.kind in cls.kinds and (cls.has_process or not load.needs_process)

    @property
    def to(self):
        return f"127.0.0.1:{self.port}"

    @property
    def target(self):
        return f"127.0.0.1:{self.targets.port}"

    def start(self, targets):
        self.targets = targets
        self.port = self.setting.ports.take()
        self.open()


class DirectRelay(Relay):
    """No relay: plain TCP and UDP to the service."""

    name = "direct"
    carrier = "direct"
    kinds = frozenset({"stream", "packet"})
    has_process = False

    def open(self):
        self.port = self.targets.port


class HaproxyTls(Relay):
    name = "haproxy"
    carrier = "tls"

    def open(self):
        program = find_program("haproxy")
        folder = self.setting.folder(self.name)
        config = folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(cores=self.setting.cores, listen=self.port,
                                         target=self.targets.port,
                                         pem=make_pem(self.setting, folder)))
        self.data_path = [self.launch([program, "-db", "-f", config])]
        wait_listening(self.data_path[0], [self.port])


class Stunnel(Relay):
    name = "stunnel"
    carrier = "tls"

    def open(self):
        program = find_program("stunnel4")
        folder = self.setting.folder(self.name)
        config = folder / "stunnel.conf"
        config.write_text(STUNNEL.format(listen=self.port, target=self.targets.port,
                                         pem=make_pem(self.setting, folder)))
        self.data_path = [self.launch([program, config])]
        wait_listening(self.data_path[0], [self.port])


class UrlRelay(Relay):
    """A program that is started with a portal URL; one carrier of it."""

    kinds = frozenset({"stream", "packet"})
    net = ""
    transport = ""

    def program(self):
        raise NotImplementedError

    @property
    def to(self):
        return f"portal://{KEY}@127.0.0.1:{self.port}"

    def open(self):
        self.data_path = [self.launch([self.program(), f"{self.to}?net={self.net}&log=error"])]
        relay = self.data_path[0]
        wait_until(lambda: self.port in bound_ports(relay, self.transport),
                   f"{self.name} bound to {self.transport} {self.port}", relay)


class PortalTls(UrlRelay):
    name = "portal_tls"
    carrier = "portal-tls"
    net = transport = "tcp"

    def program(self):
        path = self.setting.bin_dir / "portunus-portal"
        if not path.exists():
            raise Unavailable(f"{path} is not built: run `make build` first")
        return path


class PortalQuic(PortalTls):
    name = "portal_quic"
    carrier = "portal-quic"
    net = transport = "udp"


class NowhereTls(UrlRelay):
    """Another implementation of the protocol, if there is one on the PATH."""

    name = "nowhere_tls"
    carrier = "portal-tls"
    net = transport = "tcp"

    def program(self):
        return find_program("nowhere")


class NowhereQuic(NowhereTls):
    name = "nowhere_quic"
    carrier = "portal-quic"
    net = transport = "udp"


class Service:
    """What every relay leads to."""

    def __init__(self, setting):
        self._setting = setting
        self.port = setting.ports.take()
        self._child = None

    def start(self):
        self._child = self._setting.children.start(
            "service", [self._setting.tool("portal_load"), "serve", self.port],
            stdout=subprocess.DEVNULL)
        wait_listening(self._child, [self.port])
        if self.port not in bound_ports(self._child, "udp"):
            raise BenchError("the service has no UDP port")


ALL = (DirectRelay, HaproxyTls, Stunnel, NowhereTls, PortalTls, NowhereQuic, PortalQuic)
NAMES = tuple(relay.name for relay in ALL)
