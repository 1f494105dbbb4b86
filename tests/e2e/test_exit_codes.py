"""Every exit code of cli-and-config 2.1 and 2.5, for every command that it holds for.

The answers come from a stub, so that a command meets codes of its row which no route would give
it. The rows are read from the contract itself.
"""

import contextlib
import fcntl

import contract_rows
import pytest

from harness.lab import REPOSITORY, Lab, scratch
from harness.server import Server
from harness.stub_api import StubApi

CONTRACT = (REPOSITORY / "docs" / "contracts" / "cli-and-config.md").read_text("utf-8")
KINDS = contract_rows.classes(CONTRACT)
ROWS = [row for row in contract_rows.endings(CONTRACT) if row.place == "cli 2.5"]
# A command line for each of them; what comes after the name is enough to get past local checks.
WORDS = {
    "push-rule": ["edge-01", "80", "127.0.0.1:9"], "remove-rule": ["1"], "list-rules": [],
    "rule-stats": ["1"], "user-add": ["alice", "--display-name", "A"], "user-list": [],
    "user-get": ["alice"], "user-remove": ["alice"], "credential-issue": ["alice"],
    "credential-list": ["alice"], "credential-revoke": ["alice", "c"],
    "credential-rotate": ["alice", "c"],
    "grant-add": ["--user-id", "alice", "--client", "*", "--listen-port-start", "1",
                  "--listen-port-end", "2"],
    "grant-list": [], "grant-revoke": ["g"], "owner-cap list": ["edge-01"],
    "owner-cap get": ["edge-01", "alice"],
    "owner-cap set": ["edge-01", "alice", "--concurrent-connections", "1"],
    "owner-cap delete": ["edge-01", "alice"], "enroll-client": ["edge-01"], "revoke": ["edge-01"],
    "list-clients": [], "rename-client": ["--client-id", "edge-01", "--name", "edge-02"],
}
# Those whose success has no body that they look at.
SILENT = ("remove-rule", "credential-revoke", "owner-cap delete", "revoke")


@pytest.fixture(scope="module")
def nowhere():
    """A store whose lock is held, so that the dual commands call the API as well."""
    lab = Lab(scratch() / "exit-codes")
    server = Server(lab, bootstrap=False)
    with open(server.data / "state.db.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield server
    assert lab.close() == []


@pytest.fixture(scope="module")
def stub(nowhere):
    with contextlib.closing(StubApi(nowhere.lab.port())) as stub:
        yield stub


def call(server, stub, name, token="T" * 43):
    words = [*name.split(), *WORDS[name], "--http-endpoint", stub.endpoint]
    return server.cli(*words, token=token, endpoint=False)


def test_the_commands_of_the_contract_are_those_of_this_file():
    assert set(WORDS) == {*KINDS["API"], *KINDS["Dual"]}
    assert len(ROWS) > 60 and {name for row in ROWS for name in row.commands} == set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_CLI_2_5_codes_have_their_exits(nowhere, stub, name):
    """One code for each exit of its group, and its share of the others."""
    told, exits = {}, set()
    for number, row in enumerate(row for row in ROWS if name in row.commands):
        share = number % len(row.commands) == row.commands.index(name)
        if share or row.code not in exits:
            code = row.message.removeprefix("error: ").removesuffix(" (<message>)")
            told[code.replace("<x>", "rate_limit_burst_range")] = row.code
        exits.add(row.code)
    # What a group does not list is 1, also what another group lists.
    for code in ("store_error", "rule_not_found", "user_not_found", "a_code_of_a_later_release"):
        told.setdefault(code, 1)
    for code, wanted in told.items():
        done = call(nowhere, stub.refuses(code), name)
        assert (done.code, done.out, done.error) == (wanted, "", f"error: {code} (because)"), code


@pytest.mark.parametrize("name", WORDS)
def test_CLI_2_1_answers_that_are_no_envelope(nowhere, stub, name):
    for body in (b"", b"<html>", b'{"error": "text"}', b'{"error": {"code": 5}}', b"[]"):
        done = call(nowhere, stub.says(502, body, "Bad Gateway"), name)
        assert (done.code, done.out) == (1, "")
        assert done.error == "error: server returned 502 Bad Gateway", body
    if name not in SILENT:
        done = call(nowhere, stub.says(200, b"<html>"), name)
        assert (done.code, done.out) == (1, "")
        assert done.error.startswith("error: parse response: ")


@pytest.mark.parametrize("name", [name for name in WORDS if contract_rows.PEOPLE.match(name)])
def test_CLI_2_1_without_a_token_these_ask_nobody(nowhere, stub, name):
    before = len(stub.asked)
    for token in (None, ""):
        done = call(nowhere, stub.says(200), name, token)
        assert (done.code, done.out) == (4, "")
        assert done.error == ("error: unauthenticated (set PORTUNUS_OPERATOR_TOKEN env var with "
                              "the operator bearer token)")
    assert len(stub.asked) == before


@pytest.mark.parametrize("name", KINDS["Offline"])
def test_CLI_2_1_offline_commands_need_the_lock(lab, server, name):
    saved = lab.folder / "saved.db"
    server.offline("backup", "--out", saved).ok()
    words = {"restore": ["--in", saved, "--force"], "reset": ["--confirm"],
             "audit prune": ["--before", "2026-01-01T00:00:00Z"],
             "reset-password": ["_superadmin", "--temporary"]}.get(name, [])
    done = server.offline(*name.split(), *words)
    assert (done.code, done.out) == (75, "")
    assert done.error == f"error: store_in_use: {server.data}/state.db"
    server.api.get("/v1/users/me").ok(200)
