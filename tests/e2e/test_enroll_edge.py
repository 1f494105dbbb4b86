"""packaging/systemd/portunus-enroll-edge: the one command that makes a host with the package an edge."""

import json

import pytest

from harness import targets
from harness.client import Client
from harness.lab import REPOSITORY
from harness.streams import connect, receive_exactly

SCRIPT = REPOSITORY / "packaging" / "systemd" / "portunus-enroll-edge"


class Host:
    """What the script sees of a host: root's id, the users of the package, a manager."""

    def __init__(self, lab):
        self.lab = lab
        self.bin = lab.folder / "bin"
        self.bin.mkdir()
        self.log = lab.folder / "called"
        self.manager = lab.folder / "manager"
        self.manager.mkdir()
        self.bundle = lab.folder / "etc" / "edge-01.bundle.json"
        for program in ("systemctl", "chown", "chmod"):
            self.stub(program, f'echo "{program} $*" >>{self.log}')
        self.stub("id", "echo 0")

    def stub(self, program, body):
        path = self.bin / program
        path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
        path.chmod(0o755)

    def enroll(self, *arguments):
        self.log.write_text("", "utf-8")
        text = SCRIPT.read_text("utf-8")
        for place, here in (("/etc/portunus/client.bundle.json", self.bundle),
                            ("/run/systemd/system", self.manager)):
            assert text.count(place) == 1
            text = text.replace(place, str(here))
        return self.lab.run(["sh", "-c", text, SCRIPT.name, *arguments],
                            PATH=f"{self.bin}:{self.lab.bin}:/usr/bin:/bin")

    def called(self):
        return self.log.read_text("utf-8").splitlines()


@pytest.fixture
def host(lab):
    return Host(lab)


def test_CLI_10_one_command_makes_a_host_an_edge(lab, server, host, target):
    uri = server.enroll_uri("edge-01")
    done = host.enroll(uri)
    lab.secret(json.loads(host.bundle.read_text("utf-8"))["token"])
    assert done.ok().splitlines()[0] == str(host.bundle)
    assert host.called() == [
        f"chown root:portunus-client {host.bundle}", f"chmod 0640 {host.bundle}",
        "systemctl --quiet enable portunus-client.service",
        "systemctl restart portunus-client.service"]
    # What the unit starts then forwards.
    edge = Client(lab, server, enroll=False)
    edge.bundle = host.bundle
    edge.start()
    listen = lab.port()
    server.push("edge-01", listen, f"127.0.0.1:{target(targets.greets(b'hello')).port}")
    with connect(listen) as user:
        assert receive_exactly(user, 5) == b"hello"


def test_CLI_10_a_code_that_is_refused_starts_nothing(server, host):
    uri = server.enroll_uri("edge-01")
    host.enroll(uri).ok()
    done = host.enroll(uri)
    assert done.code == 1 and "enrollment_used" in done.error
    assert host.called() == []


def test_CLI_10_enrolling_says_what_is_missing(host):
    for arguments in ((), ("edge-01",), ("",)):
        done = host.enroll(*arguments)
        assert done.code == 2 and done.error.startswith("usage: portunus-enroll-edge 'portunus://")
    host.stub("id", "echo 1000")
    done = host.enroll("portunus://x")
    assert done.code == 1 and "run it as root" in done.error
    assert host.called() == []


def test_CLI_10_without_a_manager_the_bundle_is_ready(lab, server, host):
    host.manager.rmdir()
    done = host.enroll(server.enroll_uri("edge-01"))
    lab.secret(json.loads(host.bundle.read_text("utf-8"))["token"])
    assert "start portunus-client by other means" in done.ok()
    assert [line.split()[0] for line in host.called()] == ["chown", "chmod"]
