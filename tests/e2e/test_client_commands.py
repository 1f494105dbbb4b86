"""portunus-client: bundle search and checks, enroll, exit codes (cli-and-config 7)."""

import base64
import datetime
import json
import stat
import time

import pytest

from harness.client import Client
from harness.tls_servers import make_certificate
from harness.waiting import until

PIN = "ab" * 32
CODE = "A" * 43


@pytest.fixture
def run(lab):
    return lambda *words, **environment: lab.run([lab.bin / "portunus-client", *words],
                                                 **environment)


def events(done):
    return [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]


def event(done, name):
    return next(entry for entry in events(done) if entry["event"] == name)


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_no_bundle_names_every_place(lab, run):
    done = run(PORTUNUS_CLIENT_BUNDLE="/nonexistent/b", XDG_CONFIG_HOME="/nonexistent/c")
    assert (done.code, done.out) == (1, "")
    plain = [line for line in done.err.splitlines() if not line.startswith("{")]
    candidates = ["/nonexistent/b", "/nonexistent/c/portunus/client.bundle.json",
                  f"{lab.home}/.config/portunus/client.bundle.json", "./client.bundle.json"]
    assert plain == ["error: no client bundle found; attempted paths:",
                     *(f"  - {path}" for path in candidates)]
    assert event(done, "client.bundle_search_failed")["attempted"] == candidates


@pytest.mark.parametrize("text, error", [
    ("", ""), ("{", ""), ("[]", ""), ("{}", ""), ('{"client_name": 5}', ""),
    (json.dumps({"version": 2, "client_name": "e", "server_endpoint": "h:1", "token": CODE,
                 "server_cert_sha256": PIN}), "unsupported bundle version: 2"),
    (json.dumps({"client_name": "e", "server_endpoint": "h:1", "token": CODE,
                 "server_cert_sha256": "xy"}), ""),
    (json.dumps({"client_name": "e", "server_endpoint": "nowhere", "token": CODE,
                 "server_cert_sha256": PIN}), ""),
    (json.dumps({"client_name": "e", "server_endpoint": "h:1", "token": CODE,
                 "server_cert_sha256": PIN, "client_id": "short"}), ""),
])
def test_a_bad_bundle_is_refused_without_dialing(lab, run, text, error):
    path = lab.folder / "bundle.json"
    path.write_text(text, "utf-8")
    done = run("--bundle", path)
    assert done.code == 1
    failed = event(done, "client.bundle_load_failed")
    assert failed["path"] == str(path) and error in failed["error"] and failed["error"]
    assert not any(entry["event"] == "control.connecting" for entry in events(done))
    assert CODE not in done.err


def test_a_missing_bundle_is_not_searched_elsewhere(lab, run):
    done = run("--bundle", lab.folder / "none.json")
    assert done.code == 1
    assert event(done, "client.bundle_load_failed")["path"] == str(lab.folder / "none.json")


@pytest.mark.parametrize("words", [["--bundle", ""], ["--bundle="]])
def test_CLI_7_an_empty_bundle_is_used_as_given(lab, run, words):
    (lab.folder / "env.json").write_text("{}", "utf-8")
    done = run(*words, "--reconnect-initial-delay-ms", "1",
               PORTUNUS_CLIENT_BUNDLE=str(lab.folder / "env.json"))
    assert (done.code, done.out) == (1, "")
    assert event(done, "client.bundle_load_failed")["path"] == ""


@pytest.mark.parametrize("environment, place", [
    ({"PORTUNUS_CLIENT_BUNDLE": "{0}/env.json", "XDG_CONFIG_HOME": "{0}/xdg"}, "env.json"),
    ({"XDG_CONFIG_HOME": "{0}/xdg"}, "xdg/portunus/client.bundle.json"),
    ({}, "home/.config/portunus/client.bundle.json"),
    ({"HOME": "{0}/nobody"}, "client.bundle.json"),
])
def test_the_first_bundle_of_the_search_is_used(lab, server, environment, place):
    client = Client(lab, server)
    path = lab.folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    client.bundle.rename(path)
    values = {key: value.format(lab.folder) for key, value in environment.items()}
    client.life = lab.start("edge-01", [client.binary], **values)
    client.wait_connected()


@pytest.mark.parametrize("uri, error", [
    ("http://h:1/enroll?pin=x", "bad enrollment URI scheme"),
    ("portunus://h:1/enroll", "missing enrollment URI query"),
    (f"portunus://h:1/other?pin=sha256:{PIN}&code={CODE}", "bad enrollment URI path"),
    (f"portunus:///enroll?pin=sha256:{PIN}&code={CODE}", ""),
    (f"portunus://h:1/enroll?code={CODE}", "missing enrollment URI field: pin"),
    (f"portunus://h:1/enroll?pin=sha256:{PIN}", "missing enrollment URI field: code"),
    (f"portunus://h:1/enroll?pin=sha256:{PIN}&code", "malformed enrollment URI query pair"),
    (f"portunus://h:1/enroll?pin={PIN}&code={CODE}", "bad enrollment URI pin"),
    (f"portunus://h:1/enroll?pin=sha256:xy&code={CODE}", "bad enrollment URI pin"),
    (f"portunus://h:1/enroll?pin=sha256:{PIN}&code={'A' * 257}", "bad enrollment URI code"),
    (f"portunus://h:1/enroll?pin=sha256:{PIN}&code={CODE} {CODE}", "bad enrollment URI code"),
    (f"portunus://h:1/enroll?pin=sha256:{PIN}&code={CODE}&cert=!!",
     "bad enrollment URI certificate"),
])
def test_enroll_refuses_a_bad_uri(lab, run, uri, error):
    done = run("enroll", uri, "--out", lab.folder / "b.json")
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith(f"error: enrollment URI: {error}")
    assert event(done, "client.enrollment_failed")["level"] == "ERROR"
    assert CODE not in done.err
    assert not (lab.folder / "b.json").exists()


def test_enroll_checks_the_certificate_against_the_pin(lab, run):
    certificate, _ = make_certificate(lab.folder)
    text = base64.urlsafe_b64encode(certificate.read_bytes()).decode().rstrip("=")
    done = run("enroll", f"portunus://127.0.0.1:1/enroll?pin=sha256:{PIN}&code={CODE}&cert={text}",
               "--out", lab.folder / "b.json")
    assert done.code == 1 and done.error.startswith("error: enrollment material: ")


def test_enroll_reports_an_unreachable_server(lab, run):
    uri = f"portunus://127.0.0.1:{lab.port()}/enroll?pin=sha256:{PIN}&code={CODE}"
    done = run("enroll", uri, "--out", lab.folder / "b.json")
    assert done.code == 1 and done.error.startswith("error: transport: ")
    assert CODE not in done.err and not (lab.folder / "b.json").exists()


def test_enroll_reports_the_servers_refusals(lab, run, server):
    uri = server.enroll_uri("edge-01")
    wrong = uri.replace(uri.split("code=")[1][:43], CODE)
    done = run("enroll", wrong, "--out", lab.folder / "b.json")
    assert (done.code, done.error) == (1, "error: rpc: enrollment_invalid")
    short = server.enroll_uri("edge-02", "--ttl-secs", "1")
    expires = server.life.wait_event("audit.client_enrollment_created", client_name="edge-02")
    until(lambda: time.time() > seconds_of(expires["expires_at"]) + 0.1, "the code expires", 5)
    done = run("enroll", short, "--out", lab.folder / "b.json")
    assert (done.code, done.error) == (1, "error: rpc: enrollment_expired")
    assert not (lab.folder / "b.json").exists()


@pytest.mark.parametrize("environment, place", [
    ({"XDG_CONFIG_HOME": "{0}/xdg", "PORTUNUS_CLIENT_BUNDLE": "{0}/ignored"},
     "xdg/portunus/client.bundle.json"),
    ({}, "home/.config/portunus/client.bundle.json"),
])
def test_enroll_writes_to_its_default_place(lab, server, run, environment, place):
    values = {key: value.format(lab.folder) for key, value in environment.items()}
    done = run("enroll", server.enroll_uri("edge-01"), **values)
    path = lab.folder / place
    assert done.ok() == f"{path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lab.secret(json.loads(path.read_text("utf-8"))["token"])


def test_enroll_keeps_the_mode_of_an_existing_file(lab, server, run):
    path = lab.folder / "b.json"
    path.write_text("old", "utf-8")
    path.chmod(0o640)
    run("enroll", server.enroll_uri("edge-01"), "--out", path).ok()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert json.loads(path.read_text("utf-8"))["client_name"] == "edge-01"


def test_enroll_that_cannot_write_says_so(lab, server, run):
    (lab.folder / "file").write_text("", "utf-8")
    done = run("enroll", server.enroll_uri("edge-01"), "--out", lab.folder / "file" / "b.json")
    assert done.code == 1 and done.error.startswith("error: write credential bundle: ")


def test_the_first_start_may_enroll_itself(lab, server):
    client = Client(lab, server, enroll=False)
    client.start(PORTUNUS_ENROLL_URI=server.enroll_uri("edge-01"))
    client.life.wait_event("client.self_bootstrap", path=str(client.bundle))
    lab.secret(json.loads(client.bundle.read_text("utf-8"))["token"])
    client.stop()
    # An existing bundle always wins.
    client.start(PORTUNUS_ENROLL_URI="portunus://nowhere:1/enroll?pin=x")
    assert client.life.events("client.self_bootstrap") == []


def test_a_self_enrollment_that_fails_ends_the_client(lab, server):
    client = Client(lab, server, enroll=False)
    client.launch(PORTUNUS_ENROLL_URI="portunus://nowhere")
    assert client.life.wait_exit() == 1
    client.life.wait_event("client.self_bootstrap_failed", path=str(client.bundle))


def test_log_filter_of_the_environment(lab, server, edge):
    edge.stop()
    edge.launch(PORTUNUS_LOG="warn")
    server.life.wait_event("client.connected", since=server.life.mark() - 1)
    edge.stop()
    assert edge.life.events() == []
    edge.start(PORTUNUS_LOG="off,client=info")
    assert {entry["event"] for entry in edge.life.events()} >= {"process.start"}
