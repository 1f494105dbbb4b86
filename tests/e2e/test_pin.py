"""The pin decides; a server that is not the enrolled one learns nothing."""

import json

from harness.client import Client
from harness.tls_servers import Listener, fingerprint, make_certificate
from harness.waiting import stays


def mismatch(lab, life, pair, expected):
    assert life.wait_exit() == 1
    event = life.wait_event("control.tls_pinned_mismatch")
    assert event["level"] == "ERROR"
    assert (event["expected"], event["got"]) == (expected, fingerprint(pair[0]))
    assert life.events("control.connected") == [] and life.events("control.tls_pinned") == []


def test_a_stranger_gets_no_byte_and_the_client_ends(lab, server):
    client = Client(lab, server)
    pin = json.loads(client.bundle.read_text("utf-8"))["server_cert_sha256"]
    server.stop()
    pair = make_certificate(lab.folder)
    stranger = lab.owns(Listener(server.control_port, pair))
    client.launch()
    mismatch(lab, client.life, pair, pin)
    assert stranger.connections == 1  # and no second try
    assert stranger.received == b""


def test_enroll_with_a_wrong_pin_sends_no_code(lab, server):
    uri = server.enroll_uri("edge-01")
    server.stop()
    stranger = lab.owns(Listener(server.control_port, make_certificate(lab.folder)))
    client = Client(lab, server, enroll=False)
    done = lab.run([client.binary, "enroll", uri, "--out", client.bundle])
    assert done.code == 1 and done.error.startswith("error: ")
    assert "control.tls_pinned_mismatch" in done.err
    assert stranger.received == b"" and not client.bundle.exists()


def test_our_server_logs_nothing_of_a_client_that_hangs_up(lab, server):
    client = Client(lab, server)
    bundle = json.loads(client.bundle.read_text("utf-8"))
    bundle["server_cert_sha256"] = "0" * 64
    del bundle["server_cert_pem"]
    client.bundle.write_text(json.dumps(bundle), "utf-8")
    mark = server.life.mark()
    client.launch()
    assert client.life.wait_exit() == 1
    event = client.life.wait_event("control.tls_pinned_mismatch")
    assert event["expected"] == "0" * 64
    stays(lambda: server.life.events(since=mark) == [], "silence of the server", 0.5)


def test_a_bundle_whose_certificate_is_not_the_pin_is_refused_without_dialing(lab, server):
    client = Client(lab, server)
    bundle = json.loads(client.bundle.read_text("utf-8"))
    got, bundle["server_cert_sha256"] = bundle["server_cert_sha256"], "ab" * 32
    client.bundle.write_text(json.dumps(bundle), "utf-8")
    client.launch()
    assert client.life.wait_exit() == 1
    event = client.life.wait_event("control.tls_pinned_mismatch")
    assert (event["expected"], event["got"]) == ("ab" * 32, got)
    failed = client.life.wait_event("client.bundle_load_failed")
    assert failed["error"].startswith("bundle pin mismatch: ")
    assert failed["path"] == str(client.bundle)
    assert client.life.events("control.connecting") == []


def test_the_pin_is_enough(lab, server):
    """A bundle without the certificate works: the pin alone is the trust."""
    client = Client(lab, server)
    bundle = json.loads(client.bundle.read_text("utf-8"))
    del bundle["server_cert_pem"]
    bundle["server_cert_sha256"] = bundle["server_cert_sha256"].upper()
    bundle["added_later"] = {"unknown": True}
    client.bundle.write_text(json.dumps(bundle), "utf-8")
    client.start()
