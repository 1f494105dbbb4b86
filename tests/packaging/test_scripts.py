"""The maintainer scripts, word for word: what each step of dpkg makes them do."""

import os
import subprocess

import pytest

SCRIPTS = ["/postinst", "/prerm", "/postrm"]
PROGRAMS = ["systemctl", "deb-systemd-invoke", "deb-systemd-helper", "systemd-sysusers",
            "systemd-tmpfiles"]


class Scripts:
    """One package's scripts in a system of their own: no program of the real one is called."""

    def __init__(self, package, folder, manager=True):
        self.package = package
        self.log = folder / "log"
        self.bin = folder / "bin"
        self.root = folder / "root"
        self.bin.mkdir()
        self.root.mkdir()
        for program in PROGRAMS:
            self.stub(program)
        self.manager = folder / "manager"
        if manager:
            self.manager.mkdir()

    def stub(self, program, code=0):
        path = self.bin / program
        path.write_text(f'#!/bin/sh\necho "{program} $*" >>{self.log}\nexit {code}\n', "utf-8")
        path.chmod(0o755)

    def run(self, script, *arguments):
        """Exit code, stderr and what was called."""
        self.log.write_text("", "utf-8")
        text = self.package.control[script][1].decode()
        assert "/run/systemd/system" in text
        text = text.replace("/run/systemd/system", str(self.manager))
        for place in ("/var/lib", "/etc"):
            text = text.replace(f'"$DPKG_ROOT{place}', f'"{self.root}{place}')
        done = subprocess.run(["sh", "-c", text, script, *arguments], capture_output=True,
                              text=True, check=False, timeout=60,
                              env={"PATH": f"{self.bin}:/usr/bin:/bin", "DPKG_ROOT": ""})
        return done.returncode, done.stderr, self.log.read_text("utf-8").splitlines()


@pytest.fixture
def scripts(packages, name, tmp_path):
    return Scripts(packages[name], tmp_path)


def test_the_scripts_are_programs_that_a_shell_reads(packages, name):
    control = packages[name].control
    assert set(control) - {"/", ""} == {"/control", "/md5sums", *SCRIPTS}
    for script in SCRIPTS:
        member, text = control[script]
        assert (member.mode, member.uid, member.gid) == (0o755, 0, 0)
        assert text.startswith(b"#!/bin/sh\n") and b"\nset -e\n" in text
        assert b"@" not in text  # nothing left to fill in
        subprocess.run(["sh", "-n"], input=text, check=True, timeout=20)


def test_an_installation_starts_and_enables_nothing(scripts, name):
    assert scripts.run("/postinst", "configure", "") == (0, "", [
        f"systemd-sysusers {name}.conf", f"systemd-tmpfiles --create {name}.conf",
        f"deb-systemd-helper update-state {name}.service", "systemctl --system daemon-reload"])


def test_an_upgrade_restarts_only_what_runs(scripts, name):
    assert scripts.run("/prerm", "upgrade", "9.0.0") == (0, "", [])
    assert scripts.run("/postrm", "upgrade", "9.0.0")[2] == ["systemctl --system daemon-reload"]
    code, said, called = scripts.run("/postinst", "configure", "1.7.0")
    assert (code, said) == (0, "")
    assert called[-2:] == ["systemctl --system daemon-reload",
                           f"deb-systemd-invoke try-restart {name}.service"]
    assert not any(word in line for line in called for word in (" start", " enable"))


def test_a_restart_that_fails_is_said_and_ends_no_upgrade(scripts, name):
    scripts.stub("deb-systemd-invoke", code=1)
    code, said, _ = scripts.run("/postinst", "configure", "1.7.0")
    assert code == 0
    assert said == (f"{name}: the new version did not start, see: "
                    f"systemctl status {name}.service\n")


def test_folders_that_fail_are_said(scripts, name):
    scripts.stub("systemd-tmpfiles", code=73)
    code, said, _ = scripts.run("/postinst", "configure", "")
    assert code == 0 and said == f"{name}: systemd-tmpfiles --create {name}.conf failed with 73\n"


def test_users_that_fail_end_the_installation(scripts):
    scripts.stub("systemd-sysusers", code=1)
    assert scripts.run("/postinst", "configure", "")[0] != 0


def test_a_removal_stops_it_and_one_that_is_given_up_starts_it(scripts, name):
    assert scripts.run("/prerm", "remove") == (0, "", [f"deb-systemd-invoke stop {name}.service"])
    # Which starts what is enabled, and nothing else.
    assert scripts.run("/postinst", "abort-remove") == (
        0, "", [f"deb-systemd-invoke start {name}.service"])
    assert scripts.run("/postrm", "remove") == (0, "", ["systemctl --system daemon-reload"])


def test_without_a_manager_none_is_called(packages, name, tmp_path):
    scripts = Scripts(packages[name], tmp_path, manager=False)
    called = [line for step in (("/postinst", "configure", "1.7.0"), ("/prerm", "remove"),
                                ("/postrm", "remove"), ("/postinst", "abort-remove"))
              for line in scripts.run(*step)[2]]
    assert called and not any(line.startswith(("systemctl", "deb-systemd-invoke"))
                              for line in called)


WRITTEN = {  # below the root: what a purge takes, what it leaves
    "portunus-server": (["state.db", "state.db-wal", "state.db-shm", "state.db.lock", "server.toml",
                         "server.crt", "server.key", ".portunus-autocert",
                         "server.crt.portunus.1700000000.bak",
                         "server.key.portunus.1700000000.bak"],
                        ["portunus-state-20260101T000000Z.db"], "var/lib/portunus"),
    "portunus-client": (["client.bundle.json"], ["standalone.toml", "portal.env"], "etc/portunus"),
    "portunus-standalone": (["standalone.toml"], ["client.bundle.json", "portal.env"],
                            "etc/portunus"),
    "portunus-portal": (["portal.env"], ["portal.crt", "portal.key", "client.bundle.json"],
                        "etc/portunus"),
}


def test_a_purge_takes_what_is_ours_and_nothing_else(scripts, name):
    ours, others, place = WRITTEN[name]
    folder = scripts.root / place
    folder.mkdir(parents=True)
    for file in ours + others:
        (folder / file).write_text("x", "utf-8")
    assert scripts.run("/postrm", "remove")[0] == 0
    assert sorted(os.listdir(folder)) == sorted(ours + others)
    code, said, called = scripts.run("/postrm", "purge")
    assert (code, said) == (0, "")
    assert f"deb-systemd-helper purge {name}.service" in called
    assert sorted(os.listdir(folder)) == sorted(others)
    for file in others:
        (folder / file).unlink()
    assert scripts.run("/postrm", "purge")[:2] == (0, "")
    assert not folder.exists()
    assert scripts.run("/postrm", "purge")[:2] == (0, "")  # and again, with nothing left


def test_a_purge_leaves_a_certificate_of_the_operator(packages, tmp_path):
    scripts = Scripts(packages["portunus-server"], tmp_path)
    folder = scripts.root / "var/lib/portunus"
    folder.mkdir(parents=True)
    for file in ("state.db", "server.crt", "server.key"):  # and no mark of a pair of our making
        (folder / file).write_text("x", "utf-8")
    assert scripts.run("/postrm", "purge")[:2] == (0, "")
    assert sorted(os.listdir(folder)) == ["server.crt", "server.key"]
