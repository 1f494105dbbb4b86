"""A server whose disk is full: requests fail, nothing else does, and nothing is lost that an edge
has counted (store-and-quotas 2, 5, 6.3)."""

import contextlib
import sqlite3

import pytest

from harness.client import Client
from harness.server import Server
from harness.small_disk import SmallDisk
from harness.store_copy import StoreCopy, copy_files
from harness.traffic import Traffic
from harness.waiting import until

QUOTA = "/v1/users/_superadmin/quotas/edge-01"


@pytest.fixture
def small(lab):
    """A server on a disk of its own, with little on it."""
    server = Server(lab, bootstrap=False)
    toml = (server.data / "server.toml").read_bytes()
    server.disk = SmallDisk(lab, server.data, 8 << 20)
    server.wrapper = server.disk.wrapper
    (server.disk.outside / "server.toml").write_bytes(toml)
    server.bootstrap()
    return server.start()


def add_user(server, number):
    return server.api.post("/v1/users", {"user_id": f"user{number}", "display_name": "x"})


def fail_to_write(server):
    """Fills the disk and writes until nothing can be written; how many users have been added.

    The log of the store is written over from its beginning after a checkpoint, so a full disk is
    not felt before its file has to grow.
    """
    server.disk.fill()
    count = 0

    def failed():
        nonlocal count
        answer = add_user(server, count)
        if answer.status == 201:
            count += 1
            return None
        return answer
    answer = until(failed, "a write that finds no room", 60)
    answer.refused(500, "store_error")
    assert answer.message == "store_error"
    return count


def users(server):
    return {row["user_id"] for row in server.api.get("/v1/users").ok(200)}


def check_store(lab, server):
    copy = StoreCopy(copy_files(server.disk.outside, lab.folder / "copy"))
    try:
        assert copy.flaws == []
    finally:
        copy.close()


def test_SQ_2_a_full_disk_fails_the_requests_that_write_and_nothing_else(lab, small):
    count = fail_to_write(small)
    before = {"_superadmin", *(f"user{number}" for number in range(count))}
    # Reading, refusing and counting go on.
    assert users(small) == before
    small.api.get("/v1/users", token=None).refused(401, "unauthenticated")
    add_user(small, count).refused(500, "store_error")
    small.life.wait_event("operator.store_error")
    until(lambda: small.metrics().value("portunus_audit_buffer_drops_total") > 0,
          "audit rows are given up, and counted")
    small.life.wait_event("audit.flush_failed")

    small.disk.make_room()
    add_user(small, count).ok(201)
    assert users(small) == before | {f"user{count}"}
    small.stop()
    check_store(lab, small)
    small.start()
    assert users(small) == before | {f"user{count}"}


def test_SQ_6_3_usage_of_the_time_without_room_is_booked_afterwards(lab, small, target):
    edge = Client(lab, small).start()
    port = lab.port()
    small.push("edge-01", port, target().address)
    small.api.put(QUOTA, {"monthly_bytes": 1 << 50}).ok(200)
    traffic = lab.owns(Traffic(port, long=1, short=1, pause=0.02))

    def used():
        return small.api.get(QUOTA + "/status").ok(200)["current_period_bytes_used"]
    until(lambda: used() > 0, "a first report")
    fail_to_write(small)
    mark, before = small.life.mark(), traffic.sent
    small.life.wait_event("traffic_aggregator.accumulate_failed", since=mark)
    until(lambda: traffic.sent > before + 200_000, "forwarding goes on", 30)
    booked, begin = used(), traffic.sent
    assert booked < traffic.sent + traffic.received
    small.disk.make_room()
    until(lambda: traffic.sent > begin, "one more report has something to say")
    total = sum(traffic.stop())
    traffic.require_clean()
    until(lambda: used() == total, lambda: f"{used()} of {total} bytes booked", 20)
    edge.stop()
    small.stop()
    check_store(lab, small)


def test_SQ_2_a_server_killed_on_a_full_disk_comes_back_whole(lab, small):
    count = fail_to_write(small)
    small.kill()
    check_store(lab, small)
    # Without room it may refuse to run, in words; it must not harm the store.
    life = small.launch()
    until(lambda: not life.alive or life.events("server.listening"), "it runs or has refused", 20)
    if life.alive:
        assert users(small) >= {f"user{number}" for number in range(count)}
        small.kill()
    else:
        assert life.wait_exit() == 1
        assert [line for line in life.text.splitlines() if line.startswith("serve failed: ")]
    check_store(lab, small)
    small.disk.make_room()
    small.start()
    assert users(small) == {"_superadmin", *(f"user{number}" for number in range(count))}
    add_user(small, count).ok(201)


def test_SQ_2_a_first_start_without_room_leaves_nothing_in_its_way(lab):
    server = Server(lab, bootstrap=False)
    toml = (server.data / "server.toml").read_bytes()
    disk = SmallDisk(lab, server.data, 1 << 20)
    server.wrapper = disk.wrapper
    (disk.outside / "server.toml").write_bytes(toml)
    disk.fill()
    life = server.launch()
    assert life.wait_exit() == 1
    assert life.text.splitlines()[-1].startswith("serve failed: ")
    disk.make_room()
    server.bootstrap()
    server.start()
    assert users(server) == {"_superadmin"}
    server.stop()
    with contextlib.closing(sqlite3.connect(disk.outside / "state.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
