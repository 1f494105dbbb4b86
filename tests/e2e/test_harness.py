"""The harness itself, without any program of ours."""

import json
import socket
import sys
import threading

import pytest

from harness import log_lines, streams, targets
from harness.lab import Lab
from harness.metrics import Metrics
from harness.ports import Ports, is_free
from harness.traffic import Traffic
from harness.waiting import until

GOOD = ('{"timestamp":"2026-02-17T08:45:09.482113Z","level":"INFO","event":"a.b","rule_id":"42"}')


@pytest.fixture
def bench(tmp_path):
    lab = Lab(tmp_path / "lab")
    yield lab
    lab.close()


def fake(bench, script):
    return bench.start("fake", [sys.executable, "-c", script])


def test_harness_reads_events_as_they_come(bench):
    program = fake(bench, f"import sys, time; e = sys.stderr; e.write('{GOOD}'); e.flush();"
                          f"time.sleep(0.3); e.write('\\n{GOOD}\\n'); e.flush(); time.sleep(60)")
    first = program.wait_event("a.b", rule_id="42")
    assert first["level"] == "INFO"
    until(lambda: len(program.events("a.b")) == 2, "the second line")
    assert program.events("a.b", rule_id="43") == []
    assert program.events("a.b", since=program.mark()) == []


def test_harness_names_a_program_that_ends_without_its_event(bench):
    program = fake(bench, "import sys; print('error: no', file=sys.stderr); sys.exit(3)")
    with pytest.raises(AssertionError, match=r"fake ended \(3\) without a.b\n+error: no"):
        program.wait_event("a.b")
    assert program.wait_exit() == 3


def test_harness_finds_leaks_and_bad_lines(bench):
    token = bench.secret("0123456789abcdef" * 2)
    bad = json.dumps({"event": "a", "timestamp": "x", "level": "INFO"})
    program = fake(bench, f"import sys; print('{bad}\\n{token}\\n{GOOD}', file=sys.stderr)")
    program.wait_exit()
    flaws = bench.close()
    assert any("secret" in flaw for flaw in flaws)
    assert any("first keys" in flaw for flaw in flaws)
    assert any("neither JSON" in flaw for flaw in flaws)
    assert len(flaws) == 3


def test_harness_leaves_no_process_behind(bench):
    program = fake(bench, "import time; time.sleep(600)")
    bench.close()
    assert not program.alive


@pytest.mark.parametrize("line, expected", [
    (GOOD, None), ("error: unknown", None), ("Portunus onboarding setup token: x", None),
    ("Traceback (most recent call last):", "neither JSON nor a plain line of the contract"),
    (GOOD.replace("482113", "482"), "timestamp is not UTC with microseconds"),
    (GOOD.replace('"42"', "null"), "rule_id is null or nested"),
    (GOOD.replace('"42"', '{"a":1}'), "rule_id is null or nested"),
    (GOOD.replace("a.b", "audit.redaction_violation"), "a secret was about to be logged"),
])
def test_harness_knows_the_log_contract(line, expected):
    assert log_lines.flaw(line) == expected


def test_harness_ports_are_free_and_claimed_once():
    one, two = Ports(), Ports()
    port = one.take()
    assert is_free(port) and not two.claim(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    one.release_all()
    assert two.claim(port)
    two.release_all()


def test_harness_streams_show_every_change():
    data = b"".join(streams.chunks(3 * streams.CHUNK + 5))
    assert len(data) == 3 * streams.CHUNK + 5
    assert data[:streams.CHUNK] != data[streams.CHUNK:2 * streams.CHUNK]


@pytest.mark.parametrize("behave", [targets.echo, targets.answers_after_end])
def test_harness_targets_give_back(bench, behave):
    target = bench.owns(targets.Target(bench.port(), behave))
    with streams.connect(target.port) as connection:
        connection.sendall(b"x" * 1000)
        connection.shutdown(socket.SHUT_WR)
        assert streams.receive_exactly(connection, 1000) == b"x" * 1000
        assert connection.recv(1) == b""
    until(lambda: target.results == [1000], "the result")


def test_harness_both_ways(bench):
    target = bench.owns(targets.Target(bench.port(), targets.both_ways(3_000_000)))
    with streams.connect(target.port) as connection:
        received = []
        reader = threading.Thread(
            target=lambda: received.append(streams.receive_stream(connection)))
        reader.start()
        sent = streams.send_stream(connection, 2_000_000)
        connection.shutdown(socket.SHUT_WR)
        reader.join(20)
    until(lambda: target.results, "the result")
    assert target.results[0] == (received[0][1], (2_000_000, sent))


def test_harness_reset_is_seen_as_reset(bench):
    target = bench.owns(targets.Target(bench.port(), targets.resets_after(10)))
    with streams.connect(target.port) as connection:
        connection.sendall(b"0123456789")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_harness_traffic_counts_exactly_and_keeps_errors(bench):
    target = bench.owns(targets.Target(bench.port(), targets.echo))
    traffic = bench.owns(Traffic(target.port))
    until(lambda: traffic.exchanges > 20, "exchanges")
    sent, received = traffic.stop()
    traffic.require_clean()
    until(lambda: target.open == 0, "the last connection")
    assert sent == received == sum(target.results)
    target.close()
    broken = bench.owns(Traffic(target.port, long=1, short=0))
    until(lambda: broken.errors, "an error")
    with pytest.raises(AssertionError, match="Refused"):
        broken.require_clean()


def test_harness_reads_metrics():
    metrics = Metrics('# HELP a b\n# TYPE a counter\na{client="x",rule="1"} 5\na{rule="2"} 6\n'
                      'portunus_rule_bytes_in_total{client="e",owner="o",rule="7"} 10\n')
    assert metrics.value("a", rule="1") == 5
    assert metrics.total("a") == 11
    assert metrics.value("missing", default=0) == 0
    assert metrics.rule_bytes(7) == (10, 0)
    with pytest.raises(AssertionError):
        Metrics("what is this")
