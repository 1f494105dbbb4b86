"""portunus-standalone as one host's operator runs it (cli-and-config 8)."""

import os
import signal
import socket
import subprocess
import time

import pytest

from harness.datagrams import UdpTarget, UdpUser
from harness.standalone import Standalone, rule
from harness.streams import connect, receive_exactly, refused
from harness.waiting import PATIENCE, until


@pytest.fixture
def echo_rules(lab, target):
    """A TCP and a UDP rule to echoes: (text, tcp port, udp port)."""
    tcp, udp = lab.port(), lab.port()
    datagrams = lab.owns(UdpTarget(lab.port()))
    return (rule("web", tcp, target().address) +
            rule("voice", udp, datagrams.address, 'protocol = "udp"'), tcp, udp)


def test_forwards_counts_and_stops(lab, echo_rules):
    text, tcp, udp = echo_rules
    daemon = Standalone(lab, text).start()
    with connect(tcp) as user:
        user.sendall(b"x" * 1000)
        assert receive_exactly(user, 1000) == b"x" * 1000
        daemon.wait_rule("web", **{"in": 1000, "out": 1000, "conns_active": 1, "conns_total": 1})
        with UdpUser(udp) as talker:
            assert talker.ask(b"hello") == b"hello"
            daemon.wait_rule("voice", **{"in": 5, "out": 5, "datagrams_in": 1, "datagrams_out": 1,
                                         "flows_active": 1})
    daemon.wait_rule("web", conns_active=0)
    daemon.life.signal(signal.SIGHUP)
    daemon.life.wait_event("standalone.sighup_ignored")
    daemon.stop()
    assert not daemon.socket.exists()
    assert refused(tcp)
    names = [event["event"] for event in daemon.life.events()]
    order = ["process.start", "standalone.rlimit_nofile", "rule.activated",
             "standalone.stats_socket_listening", "standalone.stats", "shutdown.signal",
             "rule.removed", "standalone.stopped"]
    assert [name for name in order if name in names] == order
    assert sorted(order, key=names.index) == order
    assert {event["rule_name"] for event in daemon.life.events("rule.activated")} \
        == {"web", "voice"}


def test_snapshot_and_hello_have_the_members_of_the_contract(lab, echo_rules):
    daemon = Standalone(lab, echo_rules[0]).start()
    seen = daemon.once()
    assert set(seen["hello"]) == {"v", "daemon_version", "daemon_started_at_ms", "refresh_ms",
                                  "rules"}
    assert set(seen["snapshot"]) == {"t_ms", "uptime_ms", "seq", "process", "r"}
    assert seen["snapshot"]["seq"] == 1
    process = seen["snapshot"]["process"]
    assert process["fd_open"] > 0 and process["rss_bytes"] > 0 and process["fd_limit"] > 0
    assert [row["name"] for row in seen["hello"]["rules"]] == ["web", "voice"]


def test_check_validates_and_binds_nothing(lab, echo_rules):
    text, tcp, _ = echo_rules
    daemon = Standalone(lab, text)
    assert daemon.run("--check", "--config", str(daemon.config)).ok() == "ok\n"
    assert daemon.run("--check", PORTUNUS_STANDALONE_CONFIG=str(daemon.config)).ok() == "ok\n"
    assert refused(tcp)


@pytest.mark.parametrize("text,says", [
    ("[[rule]]\nname = 1\n", "error: toml parse error: "),
    ("[[rule]]\nnome = 'x'\n", "unknown field `nome`"),
    ("", "error: config must contain at least one [[rule]]\n"),
    (rule("a", 1, "b:1") * 2, 'error: duplicate rule name: "a"\n'),
    ("[[rule]]\nname = 'a'\ntarget = 'b:1'\n",
     "error: each rule must have exactly one of `listen_port` or `listen_ports`\n"),
    (rule("a", 1, "b:1", "listen_ports = '1-2'"),
     "error: each rule must have exactly one of `listen_port` or `listen_ports`\n"),
    ("[[rule]]\nname = 'a'\nlisten_port = 1\n",
     "error: each rule must have exactly one of `target` or `targets`\n"),
    (rule("a", 1, "b:1", "targets = [{ host = 'b', port = 1 }]"),
     "error: each rule must have exactly one of `target` or `targets`\n"),
    (rule("a", "9-1", "b:1"), 'error: port range string invalid in rule "a": '),
    (rule("a", "1-x", "b:1"), 'error: port range string invalid in rule "a": '),
    (rule("a", 1, "b:0"), 'error: target parse error in rule "a": '),
    (rule("a", 1, "a_b:1"), 'error: target parse error in rule "a": '),
    (rule("a", 1, "b:1", "protocol = 'TCP'"), 'error: target parse error in rule "a": '),
    (rule("a", 1, [{"host": "b", "port": 1, "proxy_protocol": "v3"}]),
     'error: target parse error in rule "a": '),
    (rule("a", 1, []), 'rule "a"'),
    (rule("a", "1-2", [{"host": "b", "port": 1}]), 'rule "a"'),
    (rule("a", "1-3", "b:1-2"),
     "error: range size mismatch: listen has 3 ports, target has 2\n"),
])
def test_a_bad_file_is_exit_2(lab, text, says):
    config = lab.folder / "bad.toml"
    config.write_text(text)
    for arguments in (["--check"], []):
        done = lab.run([lab.bin / "portunus-standalone", "--config", config, *arguments])
        assert done.code == 2 and done.out == ""
        assert done.err.startswith("error: ") and says in done.err


def test_a_missing_file_is_an_io_error(lab):
    done = lab.run([lab.bin / "portunus-standalone", "--config", lab.folder / "none.toml"])
    assert done.code == 2 and done.err.startswith("error: io error: ")


@pytest.mark.parametrize("words", [["--config", ""], ["--config="], ["-c", ""]])
def test_CLI_8_an_empty_path_is_not_the_next_argument(lab, echo_rules, words):
    config = lab.folder / "env.toml"
    config.write_text(echo_rules[0])
    done = lab.run([lab.bin / "portunus-standalone", *words, "--check"],
                   PORTUNUS_STANDALONE_CONFIG=str(config))
    assert (done.code, done.out) == (2, "") and done.err.startswith("error: io error: ")


def test_flags_count_before_the_validation(lab, echo_rules):
    config = lab.folder / "x.toml"
    config.write_text(f"[stats]\nrefresh_ms = 1\n{echo_rules[0]}")
    binary = lab.bin / "portunus-standalone"
    done = lab.run([binary, "--check", "-c", config])
    assert done.code == 2
    assert done.err == ("error: validation error: [stats] refresh_ms must be in 250..=5000 "
                        "(got 1)\n")
    assert lab.run([binary, "--check", "--no-stats", "-c", config]).ok() == "ok\n"


def test_a_rule_that_cannot_bind_ends_everything(lab, target):
    taken, free = lab.port(), lab.port()
    with socket.create_server(("127.0.0.1", taken)):
        daemon = Standalone(lab, rule("good", free, target().address) +
                            rule("bad", taken, target().address))
        life = daemon.launch()
        assert life.wait_exit() == 1
    number = next(event["rule_id"] for event in life.events("rule.failed"))
    assert f"error: 1 rule(s) failed to bind:\n  - bad ({number}): port_in_use\n" in life.text
    assert refused(free)
    assert not daemon.socket.exists()
    lab.expected_flaws = ("error: 1 rule", "  - bad (")


def test_a_daemon_of_which_no_rule_binds_ends_too(lab, target):
    taken = lab.port()
    with socket.create_server(("127.0.0.1", taken)):
        life = Standalone(lab, rule("bad", taken, target().address)).launch()
        assert life.wait_exit() == 1
    number = life.events("rule.failed")[0]["rule_id"]
    # The list is the last word, whatever was still to be logged.
    assert life.text.endswith("\nerror: 1 rule(s) failed to bind:\n"
                              f"  - bad ({number}): port_in_use\n")
    lab.expected_flaws = ("error: 1 rule", "  - bad (")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_signals_that_do_not_end_change_nothing(lab, echo_rules, number):
    daemon = Standalone(lab, echo_rules[0]).start()
    daemon.life.signal(number)
    daemon.life.wait_event("shutdown.signal")
    while daemon.life.alive:  # up to its last moment
        daemon.life.signal(number)
        daemon.life.signal(signal.SIGHUP)
    assert daemon.life.wait_exit() == 0
    assert len(daemon.life.events("shutdown.signal")) == 1
    assert daemon.life.events()[-1]["event"] == "standalone.stopped"


def test_without_standard_streams_it_forwards(lab, echo_rules):
    text, tcp, _ = echo_rules
    daemon = Standalone(lab, text)
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$0" --config "$1" <&- >&- 2>&-', daemon.binary, daemon.config],
        env=lab.environment())
    try:
        until(lambda: not refused(tcp), "it listens")
        with connect(tcp) as user:
            user.sendall(b"x")
            assert receive_exactly(user, 1) == b"x"
        for stream in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{stream}") == "/dev/null"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_taken_stats_socket_stops_no_traffic(lab, target):
    port = lab.port()
    first = Standalone(lab, rule("a", lab.port(), target().address)).start()
    second = Standalone(lab, rule("b", port, target().address), name="second")
    life = second.launch("--stats-socket", first.socket)
    life.wait_event("standalone.stats_socket_bind_failed")
    with connect(port) as user:
        user.sendall(b"x")
        assert receive_exactly(user, 1) == b"x"
    assert first.once()["hello"]["rules"][0]["name"] == "a"
    second.stop()
    first.stop()


def test_the_socket_of_a_killed_daemon_is_replaced(lab, echo_rules):
    daemon = Standalone(lab, echo_rules[0]).start()
    daemon.life.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.once()["snapshot"]["seq"] == 1


def test_stats_without_a_daemon_is_exit_2(lab):
    binary = lab.bin / "portunus-standalone"
    done = lab.run([binary, "stats", "--once", "--socket", lab.folder / "none.sock"])
    assert done.code == 2 and done.err.startswith("error: stats --once: ") and done.out == ""
    done = lab.run([binary, "stats", "--socket", lab.folder / "none.sock"])
    assert done.code == 2 and done.err.startswith("error: stats TUI: ")


def test_pretty_lines_and_the_level_of_the_file(lab, echo_rules):
    daemon = Standalone(lab, echo_rules[0],
                        settings='[global]\nlog_format = "pretty"\nlog_level = "warn"')
    life = daemon.launch("--log-level", "info")
    until(lambda: "standalone.stats_socket_listening" in life.text, "pretty lines")
    assert not life.text.startswith("{")
    life.process.terminate()
    assert life.wait_exit() == 0
    lab.expected_flaws = (" INFO ", " WARN ")


def test_links_neither_grpc_nor_sqlite(lab):
    done = subprocess.run(["ldd", lab.bin / "portunus-standalone"], capture_output=True, text=True,
                          check=True)
    for library in ("grpc", "protobuf", "sqlite", "prometheus"):
        assert library not in done.stdout


@pytest.mark.xdist_group("heavy")
@pytest.mark.heavy
def test_a_thousand_rules_start_at_once(lab, target):
    address = target().address
    ports = [lab.port() for _ in range(1000)]
    daemon = Standalone(lab, "".join(rule(f"r{i}", port, address)
                                     for i, port in enumerate(ports)))
    begin = time.monotonic()
    daemon.start("--log-level", "standalone=info,warn")
    assert time.monotonic() - begin < 5 * PATIENCE
    for port in (ports[0], ports[-1]):
        with connect(port) as user:
            user.sendall(b"x")
            assert receive_exactly(user, 1) == b"x"
    daemon.stop()


class Screen:
    """The viewer in a terminal of its own."""

    def __init__(self, lab, daemon):
        self.server = ["tmux", "-L", f"portunus-{lab.folder.name[-30:]}", "-f", "/dev/null"]
        self.marker = lab.folder / "exit"
        command = (f"{daemon.binary} stats --socket {daemon.socket}; echo $? >{self.marker}; "
                   "printf 'back at the prompt'; sleep 60")
        subprocess.run([*self.server, "new-session", "-d", "-x", "150", "-y", "40", "sh", "-c",
                        command], check=True,
                       env={**lab.environment(), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})

    def text(self):
        return subprocess.run([*self.server, "capture-pane", "-p"], capture_output=True, text=True,
                              check=True).stdout

    def press(self, *keys):
        subprocess.run([*self.server, "send-keys", *keys], check=True)

    def wait(self, text, seconds=15):
        until(lambda: text in self.text(), lambda: f"{text!r} on\n{self.text()}", seconds)

    def exit_code(self):
        until(self.marker.exists, "the viewer's end")
        return int(until(self.marker.read_text, "its exit code"))

    def close(self):
        subprocess.run([*self.server, "kill-server"], check=False, capture_output=True)


def test_the_viewer_shows_rules_and_gives_the_terminal_back(lab, echo_rules):
    text, tcp, _ = echo_rules
    daemon = Standalone(lab, text).start()
    screen = lab.owns(Screen(lab, daemon))
    screen.wait("portunus-standalone stats — daemon v")
    screen.wait("▶ ")
    with connect(tcp) as user:
        user.sendall(b"x" * 4096)
        receive_exactly(user, 4096)
        screen.wait("4.0 KB / 4.0 KB")
        screen.wait("1/1")
    screen.press("/", "w", "e", "b", "Enter", "Enter")
    screen.wait("Detail · web (tcp")
    screen.press("?")
    screen.wait("clear the filter")
    screen.press("Escape")
    screen.press("q")
    assert screen.exit_code() == 0
    screen.wait("back at the prompt")
    assert "Detail" not in screen.text()


@pytest.mark.parametrize("end", ["C-c", "daemon"])
def test_the_viewer_ends_with_ctrl_c_and_with_its_daemon(lab, echo_rules, end):
    daemon = Standalone(lab, echo_rules[0]).start()
    screen = lab.owns(Screen(lab, daemon))
    screen.wait("▶ ")
    if end == "daemon":
        daemon.stop()
    else:
        screen.press(end)
    assert screen.exit_code() == 0
    screen.wait("back at the prompt")
