"""portunus-portal connect when something is wrong: keys, trust, command lines, lost Portals."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from connect_harness import (KEY, Connect, Portal, require_program, self_signed)  # noqa: E402
from harness.datagrams import UdpTarget, UdpUser  # noqa: E402
from harness.streams import connect, receive_exactly  # noqa: E402
from harness.waiting import until  # noqa: E402

CARRIERS = ("tcp", "quic")
WRONG_KEY = "another-key-0123456789"


@pytest.fixture(autouse=True)
def built(lab):
    require_program(lab)


def ends_without_data(port):
    """The user gets an end or a reset and never a byte."""
    try:
        with connect(port) as user:
            user.sendall(b"is anybody there")
            return user.recv(100) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def works(port):
    try:
        with connect(port, 2) as user:
            user.sendall(b"x")
            return user.recv(1) == b"x"
    except OSError:
        return False


@pytest.mark.parametrize("carrier", CARRIERS)
def test_wrong_key_shows_as_an_end(lab, target, carrier):
    portal = Portal(lab, NOW_HANDSHAKE_TIMEOUT="500ms").start()
    behind = target()
    front = Connect(portal, behind.address, "--carrier", carrier, key=WRONG_KEY)
    assert ends_without_data(front.port)
    assert behind.accepted == 0
    front.life.stop()
    assert WRONG_KEY not in front.life.text and WRONG_KEY not in portal.life.text


@pytest.mark.parametrize("carrier", CARRIERS)
def test_self_signed_portal_needs_a_pin_or_the_opt_in(lab, target, carrier):
    certificate, key, pin = self_signed(lab.folder)
    portal = Portal(lab, f"tls=2&crt={certificate}&key={key}").start()
    behind = target()
    pinned = Connect(portal, behind.address, "--carrier", carrier, trust=("--pin", pin.upper()))
    assert until(lambda: works(pinned.port), "the pin is enough")
    other = Connect(portal, behind.address, "--carrier", carrier, trust=("--pin", "0" * 64))
    assert not works(other.port)
    plain = Connect(portal, behind.address, "--carrier", carrier, trust=())
    assert not works(plain.port)
    plain.life.wait_text("the handshake with the Portal failed|did not answer in time")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_restart_of_the_portal_is_survived(lab, target, carrier):
    portal = Portal(lab).start()
    front = Connect(portal, target().address, "--carrier", carrier)
    with connect(front.port) as user:
        user.sendall(b"x")
        assert receive_exactly(user, 1) == b"x"
        portal.life.stop()
        try:
            assert user.recv(1) == b""
        except ConnectionResetError:
            pass
    portal.start()
    until(lambda: works(front.port), "it works again", 30)


def test_udp_flow_survives_a_restart_of_the_portal(lab):
    behind = lab.owns(UdpTarget(lab.port()))
    portal = Portal(lab).start()
    front = Connect(portal, behind.address, "--udp", "--carrier", "quic")
    with UdpUser(front.port, seconds=0.3) as user:
        def asked():
            try:
                return user.ask(b"x") == b"x"
            except TimeoutError:
                return False
        until(asked, "packets pass", 20)
        portal.life.stop()
        portal.start()
        until(asked, "the same user's packets pass again", 30)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_portal_that_is_not_there_yet(lab, target, carrier):
    portal = Portal(lab)
    front = Connect(portal, target().address, "--carrier", carrier)
    assert not works(front.port)
    portal.start()
    until(lambda: works(front.port), "it works once the Portal is there", 30)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_target_that_is_not_there_ends_without_data(lab, carrier):
    portal = Portal(lab).start()
    front = Connect(portal, f"127.0.0.1:{lab.port()}", "--carrier", carrier)
    assert ends_without_data(front.port)


def test_idle_portal_expiry_does_not_reach_users(lab, target):
    """Connections that the Portal has ended meanwhile are not handed out (portal 18, warm pool)."""
    portal = Portal(lab).start()
    front = Connect(portal, target().address, "--pool", "5")
    until(lambda: works(front.port), "it works")
    portal.life.kill()
    portal.start()
    assert until(lambda: works(front.port), "the dead ones are passed over", 20)


@pytest.mark.parametrize("words, said", [
    ((), "url is required"),
    (("portal://k@127.0.0.1:1",), "--listen is required"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0"), "--target is required"),
    (("http://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a:1"), "portal"),
    (("portal://k@:1", "--listen", "127.0.0.1:0", "--target", "a:1"), "no host"),
    (("portal://k@127.0.0.1:1", "--listen", "nowhere", "--target", "a:1"), "--listen"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a"), "--target"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a:1", "--pin", "12"),
     "64 hex digits"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a:1", "--pin", "0" * 64,
      "--insecure"), "--insecure"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a:1", "--carrier", "x"),
     "--carrier"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a:1", "--pool", "10"),
     "--pool"),
    (("portal://k@127.0.0.1:1", "--listen", "127.0.0.1:0", "--target", "a:1", "--nothing"),
     "--nothing"),
])
def test_bad_command_line_is_refused_with_status_2(lab, words, said):
    done = lab.run([lab.bin / "portunus-portal", "connect", *words])
    assert done.code == 2
    assert said in done.err, done.err
    assert done.out == ""


def test_help_teaches(lab):
    done = lab.run([lab.bin / "portunus-portal", "connect", "--help"])
    assert done.code == 0
    for part in ("portal://", "--listen", "--target", "--udp", "--carrier", "--pin", "--insecure",
                 "--pool", "Examples:"):
        assert part in done.out


def test_taken_port_is_said_with_status_1(lab, target):
    taken = target()
    done = lab.run([lab.bin / "portunus-portal", "connect", f"portal://{KEY}@127.0.0.1:1",
                    "--listen", f"127.0.0.1:{taken.port}", "--target", "a:1"])
    assert done.code == 1
    assert str(taken.port) in done.err and "error=" in done.err
