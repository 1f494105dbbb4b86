"""push-rule: local checks in order, and the server's refusals. Shapes: test_rule_shapes.py."""

import pytest

from harness.lab import Lab, scratch
from harness.server import Server

TARGET = "127.0.0.1:9"


@pytest.fixture(scope="module")
def nowhere():
    """Local checks end before any network I/O: nothing listens and nothing is asked."""
    lab = Lab(scratch() / "push-rule")
    yield Server(lab, bootstrap=False)
    assert lab.close() == []


@pytest.mark.parametrize("words, code, start", [
    (["x", TARGET], 3, "error: invalid_target: x"),
    (["0", TARGET], 3, "error: invalid_target: 0"),
    (["65536", TARGET], 3, "error: invalid_target: 65536"),
    (["80-", TARGET], 3, "error: invalid_target: 80-"),
    (["90-80", TARGET], 3, "error: range_invalid: "),
    (["80", TARGET, "--health-check-interval-secs", "0"], 3,
     "error: health_check_interval_out_of_range: 0"),
    (["80", TARGET, "--health-check-interval-secs", "3601"], 3,
     "error: health_check_interval_out_of_range: 3601"),
    (["80-81", TARGET, "--sni", "a.b"], 2, "error: validation.sni_on_unsupported_rule: "),
    (["80", TARGET, "--sni", "a.b", "--protocol", "udp"], 2,
     "error: validation.sni_on_unsupported_rule: "),
    (["80", TARGET, "--target", "h:1"], 3, "error: rule_shape_conflict"),
    (["80", TARGET, "--targets-json", "[]"], 3, "error: rule_shape_conflict"),
    (["80"], 3, "error: rule_shape_missing"),
    (["80", "--targets-json", "{"], 3, "error: invalid_targets_json: "),
    (["80", "--target", "h"], 3, 'error: invalid_target_spec --target "h": '),
    (["80", "--target", "h:1@x"], 3, 'error: invalid_target_spec --target "h:1@x": '),
    (["80", "host"], 3, "error: invalid_target: "),
    (["80", "host:0"], 3, "error: invalid_target: "),
    (["80", "host:x"], 3, "error: invalid_target: "),
    (["80", "::1:9"], 3, "error: invalid_target_host: "),
    (["80", "a_b:9"], 3, "error: invalid_target_host: "),
    (["80", "123:9"], 3, "error: invalid_target_host: "),
    (["80", "a.-b.c:9"], 3, "error: invalid_target_host_label_hyphen: "),
    (["80", f"{'x' * 64}.b:9"], 3, "error: invalid_target_host_label_too_long: "),
    (["80", f"{'x.' * 130}b:9"], 3, "error: invalid_target_host_too_long: "),
    # The first check that fails decides.
    (["x", "a_b:0", "--health-check-interval-secs", "0"], 3, "error: invalid_target: x"),
])
def test_local_checks(nowhere, words, code, start):
    done = nowhere.cli("push-rule", "edge-01", *words, token=None)
    assert (done.code, done.out) == (code, "")
    assert done.error.startswith(start)


@pytest.mark.parametrize("words, code, start", [
    (["Edge", "80", TARGET], 3, "error: invalid_name ("),
    (["edge-01", "80", TARGET, "--protocol", "sctp"], 3, "error: invalid_protocol ("),
    (["edge-01", "80", TARGET], 4, "error: client_not_connected ("),
    (["01J00000000000000000000001", "80", TARGET], 1, "error: client_not_found ("),
    # An offline client has no release: what needs one is refused before its absence is.
    (["edge-01", "80", "--targets-json", '[{"host":"h","port":1,"proxy_protocol":"v1"}]'], 3,
     "error: proxy_protocol_unsupported_by_client ("),
    (["edge-01", "80", "--targets-json", '[{"host":"h","port":1,"proxy_protocol":"v3"}]'], 3,
     "error: validation.proxy_protocol_invalid ("),
    (["edge-01", "80", TARGET, "--concurrent-connections", "1"], 1,
     "error: validation.rate_limit_on_legacy_shape ("),
    (["edge-01", "80", "--target", TARGET, "--concurrent-connections", "1"], 1,
     "error: rate_limit_unsupported_by_client ("),
    (["edge-01", "80-81", "h:80-82"], 4, "error: client_not_connected ("),
    (["edge-01", "80-81", "--target", TARGET], 3, "error: range_invalid ("),
    (["edge-01", "80", "--targets-json", "[]"], 1, "error: targets_empty ("),
    (["edge-01", "80", TARGET, "--sni", "*.com"], 1,
     "error: validation.sni_pattern_malformed ("),
])
def test_refusals_of_the_server(lab, server, words, code, start):
    done = server.cli("push-rule", *words)
    assert (done.code, done.out) == (code, "")
    assert done.error.startswith(start)


def test_a_target_may_be_an_ipv6_literal(lab, server, edge):
    rule = server.push("edge-01", lab.port(), "[::1]:9")
    assert server.rules()[rule]["target_host"] == "[::1]"
