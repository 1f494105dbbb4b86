"""The exposition: promtool, content type, labels, both places it is served (observability 8)."""

import subprocess
import urllib.error
import urllib.request

import pytest

from harness.streams import connect, receive_exactly

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ALWAYS = ["portunus_store_busy_total", "portunus_tls_sni_routes_active",
          "portunus_audit_buffer_drops_total", "portunus_audit_durable_writer_lag_seconds"]


def scrape(server, path="/metrics", method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{server.metrics_port}{path}",
                                     method=method)
    return urllib.request.urlopen(request, timeout=10)


def test_promtool_accepts_what_a_working_server_exports(lab, server, edge, target):
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    with connect(port) as connection:
        connection.sendall(b"abc")
        assert receive_exactly(connection, 3) == b"abc"
        server.wait_bytes(rule, (3, 3))
        metrics = server.metrics()
    labels = {"client": "edge-01", "owner": "_superadmin", "rule": str(rule)}
    for way in ("in", "out"):
        assert metrics.rows(f"portunus_rule_bytes_{way}_total") == [(labels, 3)]
    assert metrics.rows("portunus_rule_active_connections") == [(labels, 1)]
    assert metrics.rows("portunus_clients_connected") == [({"client": "edge-01"}, 1)]
    done = subprocess.run(["promtool", "check", "metrics"], input=metrics.text, text=True,
                          capture_output=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for name in ALWAYS:
        assert name in metrics.types
    families = [line.split()[2] for line in metrics.text.splitlines()
                if line.startswith("# TYPE ")]
    assert families == sorted(families)
    helped = [line.split()[2] for line in metrics.text.splitlines() if line.startswith("# HELP ")]
    assert helped == families
    for _, row, _ in metrics.samples:
        assert list(row) == sorted(row)

    server.api.delete(f"/v1/rules/{rule}").ok(204)
    after = server.metrics()
    assert after.rule_bytes(rule) == (3, 3)  # kept until the server ends
    assert after.rows("portunus_rule_active_connections") == []


def test_both_listeners_serve_the_same(server):
    with scrape(server) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        own = {line.split()[2] for line in answer.read().decode().splitlines()
               if line.startswith("# TYPE")}
    operator = server.api.get("/v1/metrics")
    assert operator.status == 200 and operator.headers["Content-Type"] == CONTENT_TYPE
    theirs = {line.split()[2] for line in operator.body.decode().splitlines()
              if line.startswith("# TYPE")}
    assert own - {"portunus_operator_requests_total"} == theirs - {
        "portunus_operator_requests_total"}
    server.api.get("/v1/metrics", token=None).refused(401, "unauthenticated")


@pytest.mark.parametrize("path", ["/", "/v1/rules", "/metrics/x"])
def test_the_scrape_listener_serves_nothing_else(server, path):
    with pytest.raises(urllib.error.HTTPError) as error:
        scrape(server, path)
    assert error.value.code == 404


def test_the_scrape_listener_answers_head(server):
    with scrape(server, method="HEAD") as answer:
        assert answer.status == 200 and answer.read() == b""


def test_operator_requests_are_counted(server):
    def count(**labels):
        return server.metrics().value("portunus_operator_requests_total", 0, **labels)
    allowed = count(outcome="allow", reason="ok")
    denied = count(outcome="deny", reason="credential_invalid")
    server.api.get("/v1/rules").ok(200)
    server.api.get("/v1/rules", token="A" * 43).refused(401, "credential_invalid")
    assert count(outcome="allow", reason="ok") == allowed + 1
    assert count(outcome="deny", reason="credential_invalid") == denied + 1
