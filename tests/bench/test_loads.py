import json
import subprocess

import pytest

from harness import cost, loads
from harness.errors import BenchError

WRK = """Running 1s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  50310 requests in 1.10s, 7.10MB read
{more}Requests/sec:  45736.36
Transfer/sec:      6.45MB
"""


def test_iperf_counts_what_arrived():
    text = json.dumps({"end": {"sum_sent": {"bits_per_second": 9e9, "bytes": 9},
                               "sum_received": {"bits_per_second": 8e9, "bytes": 8}}})
    assert loads.parse_iperf(text) == (8e9, 8)


@pytest.mark.parametrize("text", ["", "not json", '{"error": "the server is busy"}'])
def test_iperf_failure_is_an_error(text):
    with pytest.raises(BenchError):
        loads.parse_iperf(text)


def test_wrk_rate():
    assert loads.parse_wrk(WRK.format(more="")) == 45736.36


def test_wrk_tolerates_the_odd_failure_but_no_more():
    few = "  Socket errors: connect 0, read 3, write 0, timeout 0\n"
    assert loads.parse_wrk(WRK.format(more=few)) == 45736.36
    for many in ("  Socket errors: connect 0, read 60, write 0, timeout 0\n",
                 "  Non-2xx or 3xx responses: 60\n"):
        with pytest.raises(BenchError, match="60 of 50310"):
            loads.parse_wrk(WRK.format(more=many))


def test_wrk_without_a_rate_is_an_error():
    with pytest.raises(BenchError):
        loads.parse_wrk("unable to connect to 127.0.0.1:1")


def test_idle_connections_fit_the_descriptor_limit():
    assert loads.idle_connections(5000, 65536) == 5000
    assert loads.idle_connections(5000, 1100) == 300
    assert loads.idle_connections(5000, 100) == 1


def test_user_memory_is_anonymous_and_shared_pages():
    rollup = "Rss: 900 kB\nPss: 800 kB\nPss_Anon: 300 kB\nPss_File: 480 kB\nPss_Shmem: 20 kB\n"
    assert cost.parse_user_bytes(rollup) == 320 * 1024
    assert cost.parse_user_bytes("Rss: 900 kB\nPss: 800 kB\n") == 800 * 1024


def test_cpu_time_of_a_busy_child_shows():
    child = subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True)
    try:
        pids = cost.session_pids(child.pid)
        assert pids == [child.pid]
        before = cost.cpu_seconds(pids)
        while cost.cpu_seconds(pids) < before + 0.02:
            assert child.poll() is None
    finally:
        child.kill()
        child.wait()
