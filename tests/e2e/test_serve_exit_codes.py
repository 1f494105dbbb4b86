"""How serve refuses to start (cli-and-config 2.3, 3, 4, 5)."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import stat

import pytest

from harness.server import Server
from harness.waiting import until


def refused(server, code, last, event=None, **fields):
    life = server.launch()
    assert life.wait_exit() == code
    lines = [line for line in life.text.splitlines() if not line.startswith("{")]
    assert lines[-1] == last if isinstance(last, str) else last(lines[-1]), lines
    if event:
        found = life.wait_event(event)
        assert found["level"] == "ERROR"
        assert {key: found.get(key) for key in fields} == fields
    return life


@pytest.mark.parametrize("text, detail", [
    ("nonsense = 1", "unknown field"), ("control_listen = 7443", "control_listen"),
    ('control_listen = "localhost:7443"', "control_listen"),
    ("shutdown_drain_timeout_secs = -1", "shutdown_drain_timeout_secs"),
    ("not toml", ""), ('log_format = "xml"', "log_format"),
    ("range_rule_max_ports = 0", "range_rule_max_ports must be >= 1"),
    ("udp_flow_idle_secs = 29", "udp_flow_idle_secs out of range (got 29, expected 30..=300)"),
    ("udp_max_flows_per_rule = 65536",
     "udp_max_flows_per_rule out of range (got 65536, expected 1..=65535)"),
    ('operator_token = ""', "operator_token"),
    ('operator_http_public_origin = "ftp://x"', "operator_http_public_origin"),
    ('operator_http_public_origin = "https://x/"', "operator_http_public_origin"),
])
def test_invalid_configuration(lab, text, detail):
    server = Server(lab, bootstrap=False)
    (server.data / "server.toml").write_text(text, "utf-8")
    refused(server, 1, lambda line: line.startswith("serve failed: config_invalid: ")
            and detail in line)


def test_CLI_11_the_environment_may_name_the_address_of_the_api(lab):
    server = Server(lab)
    variable = "PORTUNUS_OPERATOR_HTTP_LISTEN"

    def listening(*arguments, value):
        server.start(*arguments, **{variable: value})
        address = server.life.wait_event("server.listening")["operator_http"]
        server.stop()
        return address

    named, flagged = (f"127.0.0.1:{lab.port()}" for _ in range(2))
    assert listening(value=named) == named
    assert listening("--operator-http-listen", flagged, value=named) == flagged
    for blank in ("", "  "):
        assert listening(value=blank) == f"127.0.0.1:{server.api_port}"
    for bad in ("localhost:7080", "127.0.0.1", "7080"):
        life = server.launch(**{variable: bad})
        assert life.wait_exit() == 2
        assert life.text.startswith("error: operator-http-listen: ") and bad in life.text


def test_the_lock_is_held_by_one_server(lab, server):
    first = server.life
    database = f"{server.data}/state.db"
    refused(server, 75, f"serve failed: startup.store_in_use path={server.data} store_in_use: "
                        f"{database}", "startup.store_in_use", path=str(server.data))
    assert first.alive
    first.kill()
    server.start()  # what is left of the lock file is no obstacle


def test_a_file_that_is_no_database(lab):
    server = Server(lab, bootstrap=False)
    (server.data / "state.db").write_bytes(b"something else entirely" * 100)
    refused(server, 1, lambda line: line.startswith("serve failed: "), "startup.store_corrupt")
    assert (server.data / "state.db").read_bytes() == b"something else entirely" * 100


def test_a_foreign_database_is_left_alone(lab):
    server = Server(lab, bootstrap=False)
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        database.execute("CREATE TABLE mine (x)")
        database.commit()
    refused(server, 1, lambda line: line.startswith("serve failed: "), "startup.store_corrupt")


def newer_schema(server):
    """Returns the version that this program supports."""
    with contextlib.closing(sqlite3.connect(server.data / "state.db")) as database:
        version, = database.execute("SELECT max(version) FROM schema_migrations").fetchone()
        database.execute("INSERT INTO schema_migrations (version, name, applied_on, checksum) "
                         "SELECT version + 1, 'later', applied_on, checksum "
                         "FROM schema_migrations WHERE version = ?", (version,))
        database.commit()
    return version


def test_a_store_of_a_newer_release(lab):
    server = Server(lab)
    version = newer_schema(server)
    refused(server, 78, f"serve failed: startup.schema_version_too_new path={server.data} "
                        f"on_disk={version + 1} binary_supports={version}",
            "startup.schema_version_too_new", on_disk=version + 1, binary_supports=version)
    for command in (["list-clients"], ["enroll-client", "edge-01"], ["revoke", "edge-01"],
                    ["bootstrap-superadmin"]):
        done = server.offline(*command)
        assert (done.code, done.out) == (78, "")
        assert done.error == (f"error: schema_version_too_new: on_disk={version + 1} "
                              f"binary_supports={version}")


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no tmpfs is mounted there")
def test_a_refused_file_system(lab):
    folder = pathlib.Path("/dev/shm") / f"portunus-e2e-{os.getpid()}-{lab.port()}"
    folder.mkdir()
    try:
        server = Server(lab, bootstrap=False)
        server.data = folder
        refused(server, 1, "serve failed: startup.unsupported_filesystem "
                           f"path={folder} fs=tmpfs",
                "startup.unsupported_filesystem", path=str(folder), fs="tmpfs")
        # Also for a directory that does not exist yet: the nearest ancestor counts.
        server.data = folder / "a" / "b"
        refused(server, 1, lambda line: line.endswith("fs=tmpfs"))
        assert list(folder.iterdir()) == []
        # The other commands do not ask.
        server.data = folder
        assert server.offline("list-clients").code == 0
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("key, change", [
    ("metrics_listen", "0.0.0.0"), ("metrics_listen", "busy"), ("control_listen", "busy"),
    ("operator_http_listen", "busy")])
def test_listeners(lab, key, change):
    server = Server(lab)
    port = server.config[key].rpartition(":")[2]
    if change == "busy":
        lab.owns(socket.create_server(("127.0.0.1", int(port))))
    else:
        server.write_config(**{key: f"{change}:{port}"})
    # The metrics address is named by its key, since the remedy is in the file.
    refused(server, 1, lambda line: line.startswith("serve failed: ")
            and (change == "busy" or "metrics_listen" in line))


def test_a_readable_key_is_refused(lab, server):
    server.stop()
    key = server.data / "server.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    refused(server, 1, lambda line: re.match(r"serve failed: .*has mode 0?640, refuse to start",
                                             line))
    done = server.cli("enroll-client", "edge-01", token=None)
    assert done.code == 1 and "refuse to start" in done.error


def test_unwritable_data_directory(lab):
    server = Server(lab, bootstrap=False)
    server.data = lab.folder / "file"
    server.data.write_text("not a directory", "utf-8")
    refused(server, 1, lambda line: line.startswith("serve failed: "))


def test_the_command_line_overrides_the_file(lab):
    server = Server(lab)
    other = lab.port()
    server.start("--operator-http-listen", f"127.0.0.1:{other}")
    event = server.life.wait_event("server.listening")
    assert event["operator_http"] == f"127.0.0.1:{other}"
    assert event["grpc"] == f"127.0.0.1:{server.control_port}"
    assert event["metrics"] == f"127.0.0.1:{server.metrics_port}"


def test_port_0_is_an_ephemeral_port(lab):
    server = Server(lab, control_listen="127.0.0.1:0").start()
    event = server.life.wait_event("server.listening")
    assert int(event["grpc"].rpartition(":")[2]) > 0


def test_start_events_in_order(lab, server):
    names = [event["event"] for event in server.life.events()]
    expected = ["process.start", "store.opened", "store.ready", "tls.cert_generated",
                "operator.store_loaded", "owner_cap.hydrated", "rules.hydrated",
                "server.listening"]
    assert [name for name in names if name in expected] == expected
    start = server.life.events("process.start")[0]
    assert start["binary"] == "portunus-server" and start["pid"] == server.life.pid
    server.stop()
    server.start()
    assert server.life.events("tls.cert_generated") == []


def test_a_server_without_superadmin_answers_nobody(lab):
    server = Server(lab, bootstrap=False).start()
    server.api.get("/v1/users/me").refused(503, "bootstrap_required")
    server.api.get("/v1/rules", token="A" * 43).refused(503, "bootstrap_required")
    server.stop()
    server.bootstrap()
    server.start()
    server.api.get("/v1/users/me").ok(200)


def test_operator_token_in_the_file_creates_the_legacy_user(lab):
    token = lab.secret("an-operators-own-long-token")
    server = Server(lab, bootstrap=False, operator_token=token).start()
    server.life.wait_event("operator.bootstrap_legacy", outcome="ok")
    assert "setup token" not in server.life.text
    server.api.token = token
    assert server.api.get("/v1/users/me").ok(200) == {
        "user_id": "_legacy", "role": "superadmin", "display_name": "operator_token shortcut"}
    server.stop()
    server.start()
    server.life.wait_event("operator.config_token_ignored", reason="superadmin_already_exists")
    server.write_config(operator_token=None)
    server.stop()
    server.start()
    server.api.get("/v1/users/me").ok(200)  # deleting the line revokes nothing


def test_compact_log_lines(lab):
    lab.expected_flaws = ("INFO", "DEBUG", "WARN")
    server = Server(lab, log_format="compact")
    life = server.launch()
    until(lambda: "server.listening" in life.text, "the listeners", 20)
    for line in life.text.splitlines():
        assert line[:4].isdigit() and "\033" not in line
    server.stop()


def test_files_of_the_data_directory(lab, server):
    for name in ("state.db", "state.db.lock", "server.crt", "server.key", ".portunus-autocert"):
        assert (server.data / name).exists(), name
    assert stat.S_IMODE((server.data / "server.key").stat().st_mode) == 0o600
    assert (server.data / "state.db.lock").read_bytes() == b""
    fresh = lab.folder / "made" / "on" / "demand"
    server.data = fresh
    server.offline("list-clients").ok()
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o750


@pytest.mark.parametrize("name", ["tokens.json", "identity.json", "rules.json"])
def test_files_of_old_releases_are_named_and_ignored(lab, name):
    server = Server(lab)
    (server.data / name).write_text("{}", "utf-8")
    server.start()
    event = server.life.wait_event("startup.legacy_persistence_file_ignored")
    assert event["path"].endswith(name) and event["level"] == "WARN"


def test_a_changed_seed_replaces_a_generated_pair_only(lab, server):
    server.stop()
    old = (server.data / "server.crt").read_bytes()
    server.start(PORTUNUS_ADVERTISED_ENDPOINT="edge.example.com:7443")
    event = server.life.wait_event("tls.cert_regenerated", host="edge.example.com")
    assert event["old_fingerprint"] != event["new_fingerprint"]
    backups = list(server.data.glob("server.crt.portunus.*.bak"))
    assert [path.read_bytes() for path in backups] == [old]
    assert "portunus://edge.example.com:7443/" in server.enroll_uri("edge-01")
    server.stop()
    mine = (server.data / "server.crt").read_bytes()
    (server.data / ".portunus-autocert").unlink()
    server.start(PORTUNUS_ADVERTISED_ENDPOINT="other.example.com:7443")
    server.life.wait_event("tls.operator_cert_in_use", host="other.example.com")
    assert (server.data / "server.crt").read_bytes() == mine
