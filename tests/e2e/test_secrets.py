"""No secret in any log, with everything logged (observability 1, redaction).

Every other test is held to the same by the lab's teardown; this one turns all logs up.
"""

import json

from harness.client import Client
from harness.server import Server
from harness.streams import connect, receive_exactly


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
