"""Users, API tokens and grants by the command line and over the API (http-api 6)."""

import json
import re
import threading

import pytest

from harness.api import Api
from harness.browser import Browser

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def add_user(server, name, role="user"):
    """A user and the token of a new credential."""
    server.cli("user-add", name, "--display-name", name.title(), "--role", role).ok()
    return issue(server, name)["token"]


def issue(server, name, *flags):
    issued = json.loads(server.cli("credential-issue", name, *flags).ok())
    server.lab.secret(issued["token"])
    return issued


def denied(done, code, exit_code):
    assert (done.code, done.out) == (exit_code, ""), done
    assert done.error.startswith(f"error: {code} ("), done.error


def test_CLI_2_4_a_user_from_add_to_remove(server):
    added = server.cli("user-add", "alice", "--display-name", "Alice A.").ok()
    assert json.loads(added) == {"user_id": "alice", "display_name": "Alice A.", "role": "user"}
    assert added.startswith('{\n  "')
    user = json.loads(server.cli("user-get", "alice", "--format", "text").ok())
    assert user == {**user, "user_id": "alice", "disabled": False, "credential_count": 0,
                    "grant_count": 0}
    listed = json.loads(server.cli("user-list").ok())
    assert [row["user_id"] for row in listed] == ["_superadmin", "alice"]
    event = server.life.wait_event("operator.user_added", new_user="alice")
    assert (event["actor"], event["outcome"]) == ("_superadmin", "ok")

    denied(server.cli("user-add", "alice", "--display-name", "A"), "user_already_exists", 2)
    denied(server.cli("user-add", "_x", "--display-name", "A"), "reserved_user_id", 3)
    denied(server.cli("user-add", "X", "--display-name", "A"), "invalid_user_id", 3)
    denied(server.cli("user-add", "x", "--display-name", " "), "invalid_display_name", 3)
    denied(server.cli("user-add", "x", "--display-name", "X", "--role", "boss"),
           "role_required", 5)
    denied(server.cli("user-get", "x"), "user_not_found", 8)
    denied(server.cli("user-remove", "_superadmin"), "cannot_remove_self", 2)

    removed = json.loads(server.cli("user-remove", "alice").ok())
    assert removed == {"user_id": "alice", "removed_credential_ids": [], "revoked_grant_ids": [],
                       "removed_rule_ids": []}
    server.life.wait_event("operator.user_removed", removed_user="alice", removed_rules=0)
    denied(server.cli("user-remove", "alice"), "user_not_found", 8)


def test_CLI_2_4_a_user_with_a_password(server):
    password = "correct horse battery"

    def add(name, stdin, *flags):
        return server.cli("user-add", name, "--display-name", "A", "--password-stdin", *flags,
                          stdin=stdin)

    assert json.loads(add("alice", f"{password}\r\nsecond line\n").ok())["user_id"] == "alice"
    Browser(server).log_in("alice", password).ok(200)
    denied(add("bob", "elevenchars\n"), "password_too_short", 3)
    denied(add("bob", "x" * 1025), "password_too_long", 3)
    done = add("bob", "")
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("error: read_password_stdin: ")
    denied(server.cli("user-get", "bob"), "user_not_found", 8)


def test_CLI_2_4_a_token_from_issue_to_revoke(server):
    server.cli("user-add", "alice", "--display-name", "A").ok()
    first = issue(server, "alice", "--label", "laptop")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first["token"]) and first["label"] == "laptop"
    assert ULID.fullmatch(first["credential_id"])
    alice = Api(server.api_port, first["token"])
    assert alice.get("/v1/users/me").ok(200) == {"user_id": "alice", "role": "user",
                                                 "display_name": "A"}
    # She sees to her own tokens, with the same commands.
    rotated = server.cli("credential-rotate", "alice", first["credential_id"],
                         token=first["token"])
    fresh = json.loads(rotated.ok())
    server.lab.secret(fresh["token"])
    assert fresh["label"] is None and fresh["credential_id"] != first["credential_id"]
    alice.get("/v1/users/me").refused(401, "credential_invalid")
    denied(server.cli("credential-list", "alice", token=first["token"]), "credential_invalid", 4)
    denied(server.cli("credential-list", "_superadmin", token=fresh["token"]), "not_owner", 5)
    denied(server.cli("user-list", token=fresh["token"]), "role_required", 5)

    listed = json.loads(server.cli("credential-list", "alice").ok())
    states = {row["credential_id"]: row["status"] for row in listed}
    assert states == {first["credential_id"]: "revoked", fresh["credential_id"]: "active"}
    assert not any("token" in row for row in listed)

    revoke = ("credential-revoke", "alice", fresh["credential_id"])
    assert server.cli(*revoke).ok() == ""
    assert server.cli(*revoke).ok() == ""  # again is success
    Api(server.api_port, fresh["token"]).get("/v1/users/me").refused(401, "credential_invalid")
    denied(server.cli("credential-revoke", "alice", "nothing"), "credential_not_found", 8)
    for event in ("issued", "rotated", "revoked"):
        server.life.wait_event(f"operator.credential_{event}", target="alice")


def test_CLI_2_4_a_grant_from_add_to_revoke(server):
    server.cli("user-add", "alice", "--display-name", "A").ok()

    def grant_add(*more, **changes):
        flags = {"user-id": "alice", "client": "edge-01", "listen-port-start": 30000,
                 "listen-port-end": 30010,
                 **{key.replace("_", "-"): value for key, value in changes.items()}}
        words = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
        return server.cli("grant-add", *words, *more)
    added = json.loads(grant_add("--protocols", "udp,tcp", "--note", "games").ok())
    assert ULID.fullmatch(added["grant_id"]) and added["created_at"].endswith("Z")
    assert added == {**added, "user_id": "alice", "client": "edge-01", "client_id": None,
                     "listen_port_start": 30000, "listen_port_end": 30010,
                     "protocols": ["tcp", "udp"], "note": "games"}
    assert json.loads(grant_add().ok())["protocols"] == ["tcp"]
    assert len(json.loads(server.cli("grant-list", "--user-id", "alice").ok())) == 2
    assert json.loads(server.cli("grant-list", "--user-id", "_legacy").ok()) == []
    denied(server.cli("grant-list", "--user-id", "X"), "invalid_user_id", 3)
    denied(grant_add("--protocols", "sctp"), "empty_protocol_set", 3)
    denied(grant_add(listen_port_end=1), "invalid_port_range", 3)
    denied(grant_add(client="Bad"), "invalid_client", 3)
    denied(grant_add(user_id="bob"), "user_not_found", 8)

    revoked = json.loads(server.cli("grant-revoke", added["grant_id"]).ok())
    assert revoked == {"grant_id": added["grant_id"], "removed_rule_ids": []}
    denied(server.cli("grant-revoke", added["grant_id"]), "grant_not_found", 8)


@pytest.mark.parametrize("words", [["user-list"], ["credential-list", "alice"], ["grant-list"]])
def test_CLI_2_1_without_a_token_nothing_is_asked(server, words):
    mark = server.life.mark()
    done = server.cli(*words, token=None)
    assert (done.code, done.out) == (4, "")
    assert done.error == ("error: unauthenticated (set PORTUNUS_OPERATOR_TOKEN env var with the "
                          "operator bearer token)")
    assert server.life.events("operator.deny", since=mark) == []


def test_HTTP_4_superadmins_who_remove_each_other_leave_one(server):
    tokens = {"_superadmin": server.token}
    for name in ("root1", "root2", "root3"):
        tokens[name] = add_user(server, name, "superadmin")
    answers = []

    def remove(actor, target):
        api = Api(server.api_port, tokens[actor])
        answers.append(api.delete(f"/v1/users/{target}"))

    threads = [threading.Thread(target=remove, args=(actor, target))
               for actor in tokens for target in tokens if actor != target]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = {name for name, token in tokens.items()
            if Api(server.api_port, token).get("/v1/users/me").status == 200}
    assert len(left) >= 1
    assert sum(answer.status == 200 for answer in answers) == len(tokens) - len(left)
    for answer in answers:
        assert answer.status == 200 or (answer.status, answer.code) in {
            (401, "credential_invalid"), (404, "user_not_found"), (409, "last_superadmin")}
    survivor = Api(server.api_port, tokens[left.pop()])
    assert {row["role"] for row in survivor.get("/v1/users").ok(200)} == {"superadmin"}
    assert survivor.get("/v1/rules").ok(200) == []


def test_people_survive_a_kill_and_are_counted(lab, server):
    token = add_user(server, "alice")
    server.cli("grant-add", "--user-id", "alice", "--client", "*", "--listen-port-start", "1",
               "--listen-port-end", "2").ok()
    before = json.loads(server.cli("user-get", "alice").ok())
    server.kill()
    server.start()
    loaded = server.life.wait_event("operator.store_loaded")
    assert (loaded["users"], loaded["grants"]) == (2, 1)
    assert json.loads(server.cli("user-get", "alice").ok()) == before
    assert Api(server.api_port, token).get("/v1/users/me").ok(200)["user_id"] == "alice"
