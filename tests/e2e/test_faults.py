"""Faults of the server's own: what a caller is told, and that it is over with the fault
(http-api 1, 3.7; control-wire 10)."""

import json
import resource

import pytest

from harness.browser import PASSWORD
from harness.client import Client
from harness.server import Server
from harness.stores import change_store, without_table


def grants_fail(api):
    for answer in (api.get("/v1/grants"), api.delete("/v1/grants/01J00000000000000000000001")):
        assert answer.refused(500, "store_error").message == "store_error"


def test_HTTP_1_a_fault_of_the_store_says_nothing_of_it(lab, server):
    mark = server.life.mark()
    with without_table(server, "grants"):
        grants_fail(server.api)
        event = server.life.wait_event("operator.store_error", since=mark)
        assert event["level"] == "WARN" and "grants" in event["error"]
        for command in (["grant-list"], ["list-rules"]):
            done = server.cli(*command)
            if command == ["grant-list"]:
                assert (done.code, done.out) == (1, "")
                assert done.error == "error: store_error (store_error)"
    assert server.api.get("/v1/grants").ok(200) == []


def test_CW_10_a_fault_of_the_store_at_a_redemption(lab, server):
    client = Client(lab, server, enroll=False)
    uri = server.enroll_uri("edge-01")
    with without_table(server, "clients"):
        done = lab.run([client.binary, "enroll", uri, "--out", client.bundle])
        assert (done.code, done.out) == (1, "")
        assert done.error == "error: rpc: enrollment_store_error"
        assert not client.bundle.exists()
        assert server.life.wait_event("client.enrollment_failed")["level"] == "WARN"
    client.enroll(uri)  # the code was not spent


def data_bytes(life):
    """What the limit of RLIMIT_DATA counts."""
    with open(f"/proc/{life.pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024


def test_HTTP_3_7_no_memory_for_a_hash_is_that_calls_trouble_alone(lab, server):
    """A hash takes 19 MiB; there is less than that left, and enough for anything else."""
    body = {"user_id": "alice", "display_name": "A", "initial_password": PASSWORD}
    pid = server.life.pid
    before = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (data_bytes(server.life) + (8 << 20), before[1]))
    server.api.post("/v1/users", body).refused(500, "password_hash_failed")
    server.api.post("/v1/auth/login", {"user_id": "nobody", "password": PASSWORD},
                    token=None).refused(500, "password_hash_failed")
    assert [user["user_id"] for user in server.api.get("/v1/users").ok(200)] == ["_superadmin"]
    resource.prlimit(pid, resource.RLIMIT_DATA, before)
    server.api.post("/v1/users", body).ok(201)


def test_CLI_2_3_a_store_that_cannot_be_brought_up_to_date(lab):
    server = Server(lab)
    change_store(server, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1")
    life = server.launch()
    assert life.wait_exit() == 1
    event = life.wait_event("startup.migration_failed")
    assert event["level"] == "ERROR" and "migration 1 (initial)" in event["error"]
    assert life.text.splitlines()[-1].startswith("serve failed: ")


def test_CLI_2_2_a_reset_that_cannot_take_the_lock_removes_nothing(lab):
    server = Server(lab)
    lock = server.data / "state.db.lock"
    lock.unlink()
    lock.mkdir()
    done = server.offline("reset", "--confirm")
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("error: ") and (server.data / "state.db").exists()


@pytest.mark.parametrize("left", [4, 6])
def test_CLI_7_a_client_that_cannot_begin_says_so(lab, server, left):
    """Too few descriptors for an event loop."""
    client = Client(lab, server)
    done = lab.run(["prlimit", f"--nofile={left}:{left}", *client.command()])
    assert (done.code, done.out) == (1, "")
    events = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    assert events[-1]["event"] == "client.runtime_failed" and events[-1]["error"]
