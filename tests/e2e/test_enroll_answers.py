"""What enroll makes of a centre's answers, ours and those no centre of ours gives
(cli-and-config 7, control-wire 10)."""

import json

import pytest

from harness.fake_centre import CODE, FakeCentre
from harness.small_disk import SmallDisk


@pytest.fixture
def centre(lab):
    return lab.owns(FakeCentre(lab))


@pytest.fixture
def enroll(lab, centre):
    bundle = lab.folder / "b.json"
    bundle.write_text("what was there", "utf-8")

    def run():
        done = lab.run([lab.bin / "portunus-client", "enroll", centre.uri(), "--out", bundle])
        return done, bundle.read_text("utf-8")
    return run


def refused(done, kept, error):
    assert (done.code, done.out, kept) == (1, "", "what was there")
    assert done.error == f"error: {error}"
    event = next(json.loads(line) for line in done.err.splitlines()
                 if "client.enrollment_failed" in line)
    assert (event["level"], event["error"]) == ("ERROR", error)


@pytest.mark.parametrize("status, message", [
    ("UNAUTHENTICATED", "enrollment_invalid"), ("UNAUTHENTICATED", "enrollment_expired"),
    ("UNAUTHENTICATED", "enrollment_used"), ("FAILED_PRECONDITION", "endpoint_invalid"),
    ("FAILED_PRECONDITION", "endpoint_not_in_cert_san"), ("INTERNAL", "enrollment_store_error"),
])
def test_CLI_7_what_the_centre_refuses_is_said_in_its_words(centre, enroll, status, message):
    centre.refusal = (status, message)
    refused(*enroll(), f"rpc: {message}")
    assert centre.codes == [CODE]


def test_CLI_7_a_full_disk_is_found_before_the_code_is_spent(lab, centre):
    disk = SmallDisk(lab, lab.folder / "small", 1 << 20)
    bundle = disk.folder / "b.json"
    enroll = [*disk.wrapper, lab.bin / "portunus-client", "enroll", centre.uri(), "--out", bundle]
    disk.fill()
    done = lab.run(enroll)
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("error: write credential bundle: ")
    assert "No space left on device" in done.error
    assert centre.codes == [] and list(disk.outside.iterdir()) == [disk.outside / "filler"]
    disk.make_room()
    assert lab.run(enroll).ok() == f"{bundle}\n"
    assert centre.codes == [CODE]


@pytest.mark.parametrize("change, error", [
    ({"version": 2}, "enrollment material: unsupported bundle version: 2"),
    ({"client_name": ""}, "client name: blank, too long or with control characters"),
    ({"client_name": "x" * 300}, "client name: blank, too long or with control characters"),
    ({"client_name": "a\nb"}, "client name: blank, too long or with control characters"),
    ({"server_cert_sha256": "ab" * 32},
     "enrollment material: the returned pin is not the one of the URI"),
    ({"token": ""}, "enrollment material: no usable token"),
    ({"token": "with a\nline"}, "enrollment material: no usable token"),
    ({"client_id": "short"}, "enrollment material: client_id is not a ULID"),
])
def test_CLI_7_what_is_no_bundle_is_not_written(centre, enroll, change, error):
    centre.bundle = centre.good(**change)
    refused(*enroll(), error)


@pytest.mark.parametrize("words", [["--out", ""], ["--out="], ["--out", "none/"]])
def test_CLI_7_a_path_without_a_file_is_found_before_the_code_is_spent(lab, centre, words):
    done = lab.run([lab.bin / "portunus-client", "enroll", *words, centre.uri()])
    path = words[1] if len(words) > 1 else ""
    assert (done.code, done.out) == (1, "")
    assert done.error == ("error: write credential bundle: bundle not written: "
                          f'"{path}" names no file')
    assert centre.codes == []


def test_CLI_7_a_good_answer_is_written(centre, enroll):
    done, text = enroll()
    done.ok()
    written = json.loads(text)
    assert written["client_name"] == "edge-01" and written["token"] == "T" * 43
    assert written["server_endpoint"] == centre.endpoint
    assert written["server_cert_sha256"] == centre.pin
