"""Exit codes and output of the server's commands, direct and live (cli-and-config 2)."""

import json
import re

import pytest

from harness.client import Client
from harness.server import Server
from harness.waiting import until

CLIENT_HEADER = "{:<32} {:<10} {:<25} {}"
RULE_HEADER = "{:<6} {:<20} {:<6} {:<32} {:<24} {:<18} {:<10}"


@pytest.fixture
def store(lab):
    """A server that does not run: commands work on its store."""
    return Server(lab)


def test_bootstrap_superadmin(lab):
    server = Server(lab, bootstrap=False)
    for name in ("", "   ", "x" * 65):
        done = server.offline("bootstrap-superadmin", "--name", name)
        assert (done.code, done.out) == (3, "")
        assert done.error == "error: invalid_display_name (length must be 1..=64 chars)"
    done = server.offline("bootstrap-superadmin")
    assert done.code == 0
    match = re.fullmatch(r"superadmin user_id=_superadmin token=([\w-]{43})\n", done.out)
    lab.secret(match[1])
    # The refusal comes before a look at the name.
    done = server.offline("bootstrap-superadmin", "--name", "")
    assert (done.code, done.out) == (2, "")
    assert done.error == "error: already_bootstrapped (a superadmin already exists)"
    server.token = server.api.token = match[1]
    server.start()
    assert server.api.get("/v1/users/me").ok(200) == {
        "user_id": "_superadmin", "role": "superadmin", "display_name": "ops"}
    done = server.offline("bootstrap-superadmin")
    assert (done.code, done.error) == (75, f"error: store_in_use: {server.data}/state.db")


@pytest.mark.parametrize("live", [False, True], ids=["direct", "live"])
def test_enroll_client(lab, store, live):
    if live:
        store.start()
    out = store.cli("enroll-client", "edge-01", "--address", " edge.example.com ",
                    "--ttl-secs", "60").ok().splitlines()
    assert out[0] == "client_name=edge-01" and out[1].endswith(" UTC") and len(out) == 3
    uri = out[2].split("'")[1]
    store.register_uri(uri)
    assert f"portunus://127.0.0.1:{store.control_port}/enroll?" in uri
    # Nothing is known of the client before its code is redeemed.
    assert store.cli("list-clients").ok().splitlines()[1:] == []
    assert store.cli("list-clients", "--format", "json").ok() == "[]\n"


@pytest.mark.parametrize("live", [False, True], ids=["direct", "live"])
@pytest.mark.parametrize("words, code, error", [
    (["Edge"], 3, "invalid_name"), (["-edge"], 3, "invalid_name"), (["e--1"], 3, "invalid_name"),
    (["x" * 64], 3, "invalid_name"), ([""], 3, "invalid_name"),
    (["edge-02", "--ttl-secs", "0"], 3, "invalid_enrollment_ttl"),
    (["edge-02", "--ttl-secs", "86401"], 3, "invalid_enrollment_ttl"),
    (["edge-02", "--address", "http://a"], 3, "invalid_client_address"),
    (["edge-02", "--address", "a/b"], 3, "invalid_client_address"),
    (["edge-02", "--address", "a:80"], 3, "invalid_client_address"),
    (["edge-02", "--address", "[::1]"], 3, "invalid_client_address"),
    (["edge-01"], 2, "client_already_exists"),
    (["edge-02", "--reissue"], 8, "client_not_found"),
])
def test_enroll_client_refusals(lab, store, live, words, code, error):
    if words[0] == "edge-01":
        store.start()
        Client(lab, store)
        if not live:
            store.stop()
    elif live:
        store.start()
    # After "--" nothing is a flag, so that a name may begin with a hyphen.
    done = store.cli("enroll-client", *words[1:], "--http-endpoint",
                     f"127.0.0.1:{store.api_port}", "--", words[0], endpoint=False)
    assert (done.code, done.out) == (code, "")
    if live:
        assert re.fullmatch(rf"error: {error} \(.+\)", done.error)
    else:
        assert re.fullmatch(rf"error: {error}: .+", done.error)


@pytest.mark.parametrize("seed, code, text", [
    ("other.example.com:7443", 3, "endpoint_not_in_cert_san"),
    ("https://x:1", 3, "endpoint_invalid"), ("x:0", 3, "endpoint_invalid"),
    ("x:07443", 3, "endpoint_invalid"),
])
def test_direct_enrollment_checks_the_seed(lab, store, seed, code, text):
    store.start()
    store.stop()  # the pair exists and does not name the seed's host
    done = store.offline("--advertised-endpoint", seed, "enroll-client", "edge-01")
    assert (done.code, done.out) == (code, "")
    assert done.error.startswith("error: advertised_endpoint: ")


def test_direct_enrollment_uses_a_covered_seed_and_an_empty_one_is_none(lab, store):
    store.start()
    store.stop()
    done = store.offline("--advertised-endpoint", "localhost:9", "enroll-client", "edge-01")
    assert "portunus://localhost:9/enroll?" in done.ok()
    done = store.offline("enroll-client", "edge-01", PORTUNUS_ADVERTISED_ENDPOINT="localhost:8")
    assert "portunus://localhost:8/enroll?" in done.ok()
    done = store.offline("--advertised-endpoint", "", "enroll-client", "edge-01",
                         PORTUNUS_ADVERTISED_ENDPOINT="localhost:8")
    assert f"portunus://127.0.0.1:{store.control_port}/enroll?" in done.ok()
    for seed in (":", ":7443"):  # without a host it is none (cli-and-config 11)
        done = store.offline("enroll-client", "edge-01", PORTUNUS_ADVERTISED_ENDPOINT=seed)
        assert f"portunus://127.0.0.1:{store.control_port}/enroll?" in done.ok()


@pytest.mark.parametrize("command", [
    ["enroll-client", "edge-01"], ["revoke", "edge-01"], ["list-clients"],
    ["rename-client", "--client-id", "edge-01", "--name", "edge-02"]])
def test_dual_commands_with_the_lock_held(lab, server, command):
    in_use = f"error: store_in_use: {server.data}/state.db"
    done = server.cli(*command, token=None)
    assert (done.code, done.out, done.error) == (75, "", in_use)
    done = server.cli(*command, token="")
    assert (done.code, done.error) == (75, in_use)
    # With a token, but nobody answers at the endpoint.
    done = server.cli(*command, "--http-endpoint", f"127.0.0.1:{lab.port()}", endpoint=False)
    assert (done.code, done.out) == (75, "")
    plain = [line for line in done.err.splitlines() if not line.startswith("{")]
    assert plain[-2].startswith("error: http: ") and plain[-1] == in_use
    # A wrong token is the API's business.
    done = server.cli(*command, token="A" * 43)
    assert (done.code, done.out) == (4, "")
    assert done.error.startswith("error: credential_invalid (")


def test_the_seed_has_no_effect_on_the_live_path(lab, server):
    done = server.cli("--advertised-endpoint", "localhost:9", "enroll-client", "edge-01")
    assert f"portunus://127.0.0.1:{server.control_port}/" in done.ok()
    assert "advertised-endpoint" in done.err
    server.register_uri(done.out.splitlines()[2].split("'")[1])


def client_ids(server):
    rows = json.loads(server.cli("list-clients", "--format", "json").ok())
    return {row["client_name"]: row["client_id"] for row in rows}


@pytest.mark.parametrize("live", [True, False], ids=["live", "direct"])
def test_CLI_2_4_rename_client(lab, server, target, live):
    edge = Client(lab, server).start()
    Client(lab, server, "edge-02")
    rule = server.push("edge-01", lab.port(), target().address)
    one = client_ids(server)["edge-01"]
    if not live:
        edge.stop()
        server.stop()

    def rename(client, name):
        return server.cli("rename-client", "--client-id", client, "--name", name)

    assert rename(one, "centre").ok() == f"client_id={one}\nclient_name=centre\n"
    assert rename(one, "centre").ok() == f"client_id={one}\nclient_name=centre\n"
    # A name is taken as well; no two clients have one.
    assert rename("centre", "middle").ok() == f"client_id={one}\nclient_name=middle\n"
    assert client_ids(server).keys() == {"edge-02", "middle"}
    text = r" \(.+\)" if live else ": .+"
    for client, name, code, error in (
            ("0" * 26, "other", 8, "client_not_found"), ("edge-01", "other", 8, "client_not_found"),
            ("", "other", 3, "invalid_name"), ("a/b", "other", 3, "invalid_name"),
            (one, "Other", 3, "invalid_name"), (one, "", 3, "invalid_name"),
            (one, "edge-02", 2, "client_already_exists")):
        done = rename(client, name)
        assert (done.code, done.out) == (code, ""), done
        assert re.fullmatch(f"error: {error}{text}", done.error), done.error
    assert client_ids(server)["middle"] == one
    if not live:
        server.start()
    assert server.rules()[rule]["client_name"] == "middle"


def test_list_clients(lab, server, edge):
    revoked = Client(lab, server, "edge-02", enroll=False)
    revoked.enroll(server.enroll_uri("edge-02", "--address", "2001:DB8::1"))
    Client(lab, server, "edge-03")
    server.cli("revoke", "edge-02").ok()
    rows = json.loads(server.cli("list-clients", "--format", "json").ok())
    assert [row["client_name"] for row in rows] == ["edge-01", "edge-02", "edge-03"]
    assert all({"client_name", "provisioned_at", "revoked_at", "connected", "client_address",
                "remote_addr", "connected_at"} <= set(row) for row in rows)
    states = ("connected", "revoked", "offline")
    addresses = ("-", "2001:db8::1", "-")
    seconds = [re.sub(r"(\.\d+)?Z$", "Z", row["provisioned_at"]) for row in rows]
    expected = [CLIENT_HEADER.format("CLIENT", "STATE", "PROVISIONED_AT", "ADDRESS")]
    expected += [CLIENT_HEADER.format(row["client_name"], *rest)
                 for row, *rest in zip(rows, states, seconds, addresses)]
    assert server.cli("list-clients").ok().splitlines() == expected
    server.stop()
    # The direct path says the same, with nobody connected.
    direct = server.cli("list-clients", token=None).ok().splitlines()
    assert direct == [expected[0], expected[1].replace("connected ", "offline   "), *expected[2:]]


def test_list_rules_and_rule_stats(lab, server, edge, target):
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    assert server.cli("list-rules", "--client", "edge-01").ok().splitlines() == [
        RULE_HEADER.format("ID", "CLIENT", "PORT", "TARGET", "SNI/PROXY", "CAPS", "STATE"),
        RULE_HEADER.format(rule, "edge-01", port, echo.address, "-", "-", "active")]
    assert json.loads(server.cli("list-rules", "--format", "json").ok()) == [server.rules()[rule]]
    assert server.cli("list-rules", "--client", "edge-02").ok().splitlines()[1:] == []
    assert server.cli("list-rules", "--client", "edge-02", "--format", "json").ok() == "[]\n"
    done = server.cli("list-rules", "--client", "Not a name")
    assert done.code == 3 and done.error.startswith("error: invalid_name (")

    line = until(lambda: server.cli("rule-stats", str(rule)).out, "a report").rstrip("\n")
    assert re.fullmatch(
        rf"rule_id={rule} client=edge-01 protocol=tcp bytes_in=0 bytes_out=0 active=0 "
        r"dns_failures=0 target_failovers_total=0 updated_at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        line)
    out = server.cli("rule-stats", str(rule), "--per-target").ok().splitlines()
    assert out[1] == "(single-target rule, no per-target state)"
    value = json.loads(server.cli("rule-stats", str(rule), "--format", "json").ok())
    assert list(sorted(value)) == sorted([
        "rule_id", "client_name", "protocol", "bytes_in", "bytes_out", "active_connections",
        "dns_failures", "datagrams_in", "datagrams_out", "active_flows",
        "flows_dropped_overflow", "target_failovers_total", "updated_at"])


def test_json_is_printed_with_two_spaces(lab, server, edge):
    out = server.cli("list-clients", "--format", "json").ok()
    assert out.startswith('[\n  {\n    "') and out.endswith("\n]\n")


def test_rule_not_found(lab, server):
    for command in ("remove-rule", "rule-stats"):
        done = server.cli(command, "4711")
        assert (done.code, done.out) == (8, "")
        assert done.error.startswith("error: rule_not_found (")


@pytest.mark.parametrize("command", [["push-rule", "edge-01", "8080", "127.0.0.1:1"],
                                     ["remove-rule", "1"], ["list-rules"], ["rule-stats", "1"]])
def test_rule_commands_report_transport_and_authentication(lab, server, command):
    done = server.cli(*command, token=None)
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("error: unauthenticated (")
    done = server.cli(*command, token="A" * 43)
    assert done.code == 1 and done.error.startswith("error: credential_invalid (")
    done = server.cli(*command, "--http-endpoint", f"127.0.0.1:{lab.port()}", endpoint=False)
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("error: http: ")
    # The metrics listener is no operator API: no envelope.
    done = server.cli(*command, "--http-endpoint", f"127.0.0.1:{server.metrics_port}",
                      endpoint=False)
    assert (done.code, done.error) == (1, "error: server returned 404 Not Found")
