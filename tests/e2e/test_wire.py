"""The control stream against a peer that we script (control-wire 4, 5, 6, 8, 10)."""

import concurrent.futures
import json

import grpc
import pytest

from harness.client import Client
from harness.fake_edge import FakeEdge, messages
from harness.waiting import until

ACTIVATED, FAILED, REMOVED = 1, 2, 3
TARGET = "127.0.0.1:9"


@pytest.fixture
def bundle(lab, server):
    return Client(lab, server).bundle


@pytest.fixture
def fake(lab, bundle):
    return lab.owns(FakeEdge(bundle))


@pytest.fixture
def background():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield pool


def push(server, port, *options):
    return server.cli("push-rule", "edge-01", str(port), TARGET, *options)


@pytest.mark.parametrize("header, message", [
    (None, "missing_token"), ("Basic eDp5", "malformed_token"), ("bearer {token}", "malformed_token"),
    ("Bearer " + "A" * 257, "malformed_token"), ("Bearer " + "A" * 43, "token_not_found"),
])
def test_a_bearer_is_refused_before_any_message(server, fake, header, message):
    header = header and header.format(token=fake.token)
    fake.open(header)
    assert fake.wait_over() == ("UNAUTHENTICATED", message)
    assert fake.incoming == []
    server.life.wait_event("auth.failure", reason=message)
    assert server.metrics().value("portunus_auth_failures_total", reason=message) == 1
    assert server.life.events("client.connected") == []


def test_opening_a_session(server, fake):
    fake.open(client_version="1.8.3", instance_id="01J00000000000000000000001")
    welcome = fake.wait("welcome")
    assert (welcome.udp_flow_idle_secs, welcome.udp_max_flows_per_rule) == (60, 1024)
    assert welcome.server_version and welcome.server_time_unix_ms > 1_700_000_000_000
    fake.wait("replay_complete")
    hello = server.life.wait_event("client.hello", client_name="edge-01")
    assert (hello["protocol_version"], hello["client_version"]) == ("1.0.0", "1.8.3")
    server.life.wait_event("client.connected", supported_protocols=hello["supported_protocols"])
    fake.send(hello=fake.control.Hello(protocol_version="1.0.0"))
    server.life.wait_event("client.hello_after_welcome")
    fake.close()
    server.life.wait_event("client.disconnected", client_name="edge-01")


def test_an_older_client_gets_no_end_of_the_replay(lab, server, fake, background):
    rule = background.submit(push, server, lab.port())
    assert rule.result().code == 4
    fake.open()
    fake.wait("welcome")
    pushed = background.submit(push, server, lab.port())
    fake.status(fake.wait("rule_update"), ACTIVATED)
    assert pushed.result().code == 0
    assert fake.of_kind("replay_complete") == []


def test_push_waits_for_its_status(lab, server, fake, background):
    fake.open()
    fake.wait("welcome")
    port = lab.port()
    pushed = background.submit(push, server, port)
    update = fake.wait("rule_update")
    assert (update.action, update.rule.listen_port, update.rule.owner_id) == (1, port,
                                                                              "_superadmin")
    assert (update.rule.target_host, update.rule.target_port) == ("127.0.0.1", 9)
    assert len(update.rule.targets) == 0 and not update.rule.HasField("rate_limit")
    assert server.rule_state(update.rule.rule_id) == "pending"
    fake.status(update, ACTIVATED)
    assert pushed.result().ok() == f"{update.rule.rule_id}\n"
    assert server.rule_state(update.rule.rule_id) == "active"


@pytest.mark.parametrize("outcome, reason, code, error", [
    (FAILED, "bind_failed", 6, "activation_failed (activation_failed: bind_failed)"),
    (FAILED, "permission_denied", 6, "activation_failed (activation_failed: permission_denied)"),
    (FAILED, "", 6, "activation_failed (activation_failed: unspecified)"),
    (FAILED, "port_in_use", 5, "port_in_use (port_in_use: port {port} already in use)"),
    (FAILED, "port_in_use:4711", 5, "port_in_use (port_in_use: port 4711 already in use)"),
    (FAILED, "bind_failed:port_in_use", 5, "port_in_use (port_in_use: port {port} already in use)"),
    (REMOVED, "", 6, "activation_failed (activation_failed: unexpected_outcome)"),
    (9, "", 6, "activation_failed (activation_failed: unexpected_outcome)"),
])
def test_outcomes_of_a_push(lab, server, fake, background, outcome, reason, code, error):
    fake.open()
    fake.wait("welcome")
    port = lab.port()
    pushed = background.submit(push, server, port)
    update = fake.wait("rule_update")
    fake.status(update, outcome, reason)
    done = pushed.result()
    assert (done.code, done.out) == (code, "")
    assert done.error == "error: " + error.format(port=port)
    rule, = server.rules().values()
    if outcome == FAILED:
        assert rule["state"] == {"kind": "failed", "reason": reason or "unspecified"}
        # Only a status of the client brings it back.
        fake.status(update, ACTIVATED)
        server.wait_rule(rule["id"])
    else:
        assert rule["state"] == {"kind": "pending"}


def test_no_answer_in_time_and_a_late_one(lab, server, fake, background):
    fake.open()
    fake.wait("welcome")
    port = lab.port()
    done = push(server, port, "--ack-timeout", "1")
    assert (done.code, done.out) == (7, "")
    assert done.error.startswith("error: ack_timeout (")
    update = fake.wait("rule_update")
    server.life.wait_event("audit.rule_push", outcome="ack_timeout",
                           request_id=update.request_id)
    assert server.rule_state(update.rule.rule_id) == "pending"
    fake.status(update, ACTIVATED)
    server.wait_rule(update.rule.rule_id)
    # A pending rule blocks nothing (LIFE-3): had it stayed so, another could take its port.
    body = {"client": "edge-01", "listen_port": port, "target_host": "127.0.0.1",
            "target_port": 9}
    server.api.post("/v1/rules", body).refused(409, "port_in_use")


def test_a_stream_that_ends_while_a_push_waits(lab, server, fake, background):
    fake.open()
    fake.wait("welcome")
    pushed = background.submit(push, server, lab.port(), "--ack-timeout", "30")
    update = fake.wait("rule_update")
    fake.close()
    done = pushed.result(20)
    assert done.code == 7 and done.error.startswith("error: ack_timeout (")
    assert server.rule_state(update.rule.rule_id) == "pending"
    server.life.wait_event("audit.rule_push", outcome="ack_lost")


def test_replay_in_order_with_pending_rules(lab, server, bundle, background):
    first = lab.owns(FakeEdge(bundle)).open()
    first.wait("welcome")
    ids = []
    for number in range(3):
        pushed = background.submit(push, server, lab.port(), "--ack-timeout", "1")
        update = first.wait("rule_update", number + 1)
        ids.append(update.rule.rule_id)
        if number == 0:
            first.status(update, FAILED, "bind_failed")
        elif number == 1:
            first.status(update, ACTIVATED)
        assert pushed.result().code == (6, 0, 7)[number]
    assert ids == sorted(ids)
    second = lab.owns(FakeEdge(bundle)).open(instance_id="01J00000000000000000000001")
    second.wait("replay_complete")
    assert [update.rule.rule_id for update in second.of_kind("rule_update")] == ids[1:]
    assert all(update.request_id.startswith("replay-")
               for update in second.of_kind("rule_update"))
    assert {server.rule_state(rule) for rule in ids[1:]} == {"pending"}
    for update in second.of_kind("rule_update"):
        second.status(update, ACTIVATED)
    for rule in ids[1:]:
        server.wait_rule(rule)
    assert first.wait_over()[0] == "OK"
    server.life.wait_event("client.disconnected", reason="superseded")


def test_counters_by_baseline(lab, server, bundle, background):
    """control-wire 8: delta = max(0, value - previous), previous is 0 in each session."""
    fake = lab.owns(FakeEdge(bundle)).open()
    fake.wait("welcome")
    pushed = background.submit(push, server, lab.port())
    update = fake.wait("rule_update")
    fake.status(update, ACTIVATED)
    rule = int(pushed.result().ok())

    def after(edge, *values, total):
        edge.report((rule, *values))
        until(lambda: server.metrics().rule_bytes(rule) == total,
              lambda: f"{server.metrics().rule_bytes(rule)} is {total}")
        latest = server.api.get(f"/v1/rules/{rule}/stats").ok(200)
        assert (latest["bytes_in"], latest["bytes_out"]) == values

    after(fake, 100, 10, total=(100, 10))
    after(fake, 150, 10, total=(150, 10))
    after(fake, 20, 15, total=(150, 15))  # below the previous: nothing, and a new baseline
    after(fake, 30, 15, total=(160, 15))
    fake.report((rule + 1000, 7, 7))  # no rule of this client
    again = lab.owns(FakeEdge(bundle)).open()
    again.wait("rule_update")
    again.status(again.of_kind("rule_update")[0], ACTIVATED)
    after(again, 5, 6, total=(165, 21))
    assert server.metrics().rule_bytes(rule + 1000) == (0, 0)
    # An entry for a rule removed meanwhile adds to the byte counters under owner _unknown.
    server.api.delete(f"/v1/rules/{rule}").ok(204)
    assert again.wait("rule_update", 2).action == 2
    again.report((rule, 50, 60))
    metrics = until(lambda: (found := server.metrics()).rows(
        "portunus_rule_bytes_in_total", owner="_unknown") and found, "the late entry")
    assert metrics.value("portunus_rule_bytes_in_total", owner="_superadmin") == 165


def test_statuses_that_fit_nothing(lab, server, fake, bundle, background):
    fake.open()
    fake.wait("welcome")
    stray = fake.rule.RuleUpdate(request_id="never-sent", rule=fake.rule.Rule(rule_id=4711))
    fake.status(stray, REMOVED)
    server.life.wait_event("client.rule_status_unmatched", rule_id="4711")
    pushed = background.submit(push, server, lab.port())
    # 1.8 and 3.1 clients send an empty id when they refuse before installing.
    fake.status(fake.wait("rule_update"), FAILED, "range_invalid", request_id="")
    assert pushed.result().code == 6
    other = Client(lab, server, "edge-02").start()
    rule = server.push("edge-02", lab.port(), TARGET)
    fake.status(fake.rule.RuleUpdate(request_id="x", rule=fake.rule.Rule(rule_id=rule)), FAILED)
    event = server.life.wait_event("client.rule_status_wrong_client", rule_id=str(rule))
    assert event["rule_owner"] == "edge-02"
    assert server.rule_state(rule) == "active"
    assert other.life.alive


def enroll(server, code):
    pb = messages()["enrollment"]
    credentials = grpc.ssl_channel_credentials((server.data / "server.crt").read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{server.control_port}", credentials) as channel:
        method = channel.unary_unary(
            "/portunus.v1.ClientEnrollment/Enroll",
            request_serializer=pb.EnrollClientRequest.SerializeToString,
            response_deserializer=pb.CredentialBundle.FromString)
        try:
            # A bearer is not looked at here.
            return method(pb.EnrollClientRequest(code=code),
                          metadata=[("authorization", "Bearer x")], timeout=10)
        except grpc.RpcError as error:
            return error.code().name, error.details()


def test_enrollment_over_the_wire(lab, server):
    code = server.register_uri(server.enroll_uri("edge-01"))
    for bad in ("", "A" * 43, "A" * 257):
        assert enroll(server, bad) == ("UNAUTHENTICATED", "enrollment_invalid")
    bundle = enroll(server, code)
    lab.secret(bundle.token)
    assert (bundle.version, bundle.client_name) == (1, "edge-01")
    assert bundle.server_endpoint == f"127.0.0.1:{server.control_port}"
    assert bundle.server_cert_pem == (server.data / "server.crt").read_text("ascii")
    assert len(bundle.server_cert_sha256) == 64 and len(bundle.client_id) == 26
    assert enroll(server, code) == ("UNAUTHENTICATED", "enrollment_used")
    fields = {field.name: value for field, value in bundle.ListFields()}
    assert len(fields) == 7
    path = lab.folder / "made.json"
    path.write_text(json.dumps(fields), "utf-8")
    lab.owns(FakeEdge(path)).open().wait("welcome")
