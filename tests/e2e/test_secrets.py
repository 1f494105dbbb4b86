"""No secret in any log, with everything logged (observability 1, redaction).

Every other test is held to the same by the lab's teardown; this one turns all logs up.
"""

import hashlib
import json

from harness.browser import Browser, onboard, setup_tokens
from harness.client import Client
from harness.server import Server
from harness.streams import connect, receive_exactly
from harness.waiting import until


def test_no_secret_is_logged_at_the_lowest_level(lab, target):
    server = Server(lab).start(PORTUNUS_LOG="trace")
    payload = lab.secret("payload-" + "0123456789abcdef" * 4)
    query = lab.secret("a-query-string-is-private")
    edge = Client(lab, server, enroll=False)
    edge.enroll(server.enroll_uri("edge-01"))
    edge.start(PORTUNUS_LOG="trace")
    echo, port = target(), lab.port()
    rule = server.push("edge-01", port, echo.address)
    with connect(port) as connection:
        connection.sendall(payload.encode())
        assert receive_exactly(connection, len(payload)) == payload.encode()
    server.wait_bytes(rule, (len(payload),) * 2)
    wrong = lab.secret("wrong-token-" + "x" * 31)
    server.api.get("/v1/rules", token=wrong).refused(401, "credential_invalid")
    server.api.get(f"/v1/rules?client={query}").ok(200)
    server.api.post("/v1/rules", raw=f'{{"token": "{wrong}"}}',
                    headers={"Content-Type": "application/json"}).refused(422, "invalid_body")
    token = json.loads(edge.bundle.read_text("utf-8"))["token"]
    edge.enroll(server.enroll_uri("edge-01", "--reissue"))
    assert edge.life.wait_exit() == 1
    edge.start(PORTUNUS_LOG="trace")
    server.cli("revoke", "edge-01").ok()
    assert edge.life.wait_exit() == 1
    server.stop()
    assert {server.token, token, payload, query} <= lab.secrets and len(lab.secrets) > 8
    assert lab.leaks() == []
    # The onboarding token is the one exception, on a line of its own.
    assert all("setup token" not in program.text for program in lab.programs)


def test_files_with_secrets_are_private(lab, server, edge):
    assert edge.bundle.stat().st_mode & 0o077 == 0
    assert (server.data / "server.key").stat().st_mode & 0o077 == 0
    for raw in (server.token, json.loads(edge.bundle.read_text("utf-8"))["token"]):
        for path in server.data.iterdir():
            assert raw.encode() not in path.read_bytes(), f"{path.name} holds a raw token"


def test_no_secret_of_a_person_is_logged_at_the_lowest_level(lab):
    """Setup token, passwords, sessions, API tokens, temporary passwords, from first to last."""
    server = Server(lab, bootstrap=False).start(PORTUNUS_LOG="trace")
    setup = lab.secret(setup_tokens(server.life)[-1])
    root, new = lab.secret("password of root 1"), lab.secret("password of root 2")
    onboard(server, "root", root).ok(201)
    wrong = lab.secret("password of nobody at all")
    console = Browser(server)
    console.log_in("root", wrong).refused(401, "invalid_login")
    console.log_in("root", root).ok(200)
    console.change_password(root, new).ok(204)
    first = console.post("/v1/users/root/credentials", {"label": "x"}).ok(201)
    server.api.token = lab.secret(first["token"])
    rotated = server.api.post(
        f"/v1/users/root/credentials/{first['credential_id']}/rotate", {}).ok(200)
    server.api.token = lab.secret(rotated["token"])
    given = lab.secret("password of alice 1")
    server.api.post("/v1/users", {"user_id": "alice", "display_name": "A",
                                  "initial_password": given}).ok(201)
    alice = Browser(server)
    alice.log_in("alice", given).ok(200)
    reset = server.api.post("/v1/users/alice/password", {}).ok(200)
    temporary = lab.secret(reset["temporary_password"])
    alice.log_in("alice", temporary).ok(200)
    alice.get("/v1/users").refused(403, "password_change_required")
    alice.change_password(temporary, lab.secret("password of alice 2")).ok(204)
    alice.log_out().ok(204)
    uri = server.api.post("/v1/client-enrollments",
                          {"name": "edge-01", "address": "127.0.0.1"}).ok(201)["uri"]
    server.register_uri(uri)
    raw = json.dumps({"user_id": "bob", "display_name": 5, "initial_password": wrong})
    server.api.post("/v1/users", raw=raw, headers={"Content-Type": "application/json"}
                    ).refused(422, "invalid_body")
    # A body or a query of no route is nobody's business either.
    server.api.post(f"/v1/nothing?token={wrong.replace(' ', '')}", {"password": wrong}
                    ).refused(404, "not_found")
    lab.secret(wrong.replace(" ", ""))
    sessions = [lab.secret(browser.cookie.partition("=")[2]) for browser in (console, alice)]
    shown = [until(lambda: "operator.password_reset" in (
        text := server.api.get("/v1/audit?limit=1000").body.decode()) and text, "the rows"),
             server.metrics().text, server.api.get("/v1/users").body.decode(),
             server.api.get("/v1/users/root/credentials").body.decode()]
    server.stop()
    # The one line of the setup token is the contract's.
    lab.secrets.discard(setup)
    assert server.life.text.count(setup) == 1 and len(lab.secrets) >= 14
    assert lab.leaks() == []
    stored = b"".join(path.read_bytes() for path in server.data.glob("state.db*"))
    for value in {*lab.secrets, setup}:
        assert not any(value in text for text in shown)
        assert value.encode() not in stored, "the store holds a raw secret"
        digest = hashlib.sha256(value.encode()).hexdigest()
        assert not any(digest in text for text in [*shown, server.life.text])
    assert hashlib.sha256(sessions[0].encode()).hexdigest().encode() in stored
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in stored
    assert not any("$argon2" in text for text in [*shown, server.life.text])
