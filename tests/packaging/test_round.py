"""dpkg itself installs, upgrades, removes and purges the packages, in a root of their own."""

import os
import subprocess

import pytest

from debs import output

USERS = {"portunus-server": "portunus-server", "portunus-client": "portunus-client",
         "portunus-standalone": "portunus", "portunus-portal": "portunus-portal"}


class Root:
    """An empty system: dpkg's own files, the accounts of root, and nothing that runs."""

    def __init__(self, folder):
        self.folder = folder
        for part in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "etc", "usr/sbin", "tmp"):
            (folder / part).mkdir(parents=True)
        (folder / "var/lib/dpkg/status").touch()
        (folder / "var/lib/dpkg/available").touch()
        (folder / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n", "utf-8")
        (folder / "etc/group").write_text("root:x:0:\n", "utf-8")

    def dpkg(self, *words):
        # The libraries are those of this machine, so this root has none of them.
        done = subprocess.run(["dpkg", f"--root={self.folder}", "--force-script-chrootless",
                               "--force-depends", f"--log={self.folder}/dpkg.log", *words],
                              capture_output=True, text=True, check=False, timeout=120,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def status(self, name):
        done = subprocess.run(["dpkg-query", f"--admindir={self.folder}/var/lib/dpkg", "-W",
                               "-f=${db:Status-Status}", name], capture_output=True, text=True,
                              check=False, timeout=60)
        return done.stdout if done.returncode == 0 else None

    def account(self, name, kind="passwd"):
        """The id of a user or group of this root."""
        for line in (self.folder / "etc" / kind).read_text("utf-8").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2])
        return None

    def owned(self, path):
        found = (self.folder / path).stat()
        return found.st_uid, found.st_gid, oct(found.st_mode & 0o7777)


@pytest.fixture
def root(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("dpkg needs root, also in a root of its own")
    return Root(tmp_path / "root")


def test_CLI_10_installed_upgraded_removed_and_purged(root, packages):
    debs = [package.path for package in packages.values()]
    root.dpkg("--install", *debs)
    for name in packages:
        assert root.status(name) == "installed"
        assert output(root.folder / "usr/bin" / name, "--version").startswith(name.encode())
        assert root.account(USERS[name]) and root.account(USERS[name], "group")
    server, group = root.account("portunus-server"), root.account("portunus-server", "group")
    assert root.owned("var/lib/portunus") == (server, group, "0o750")
    assert root.owned("var/lib/portunus/server.toml") == (0, group, "0o640")
    assert root.owned("etc/portunus") == (0, root.account("portunus-client", "group"), "0o750")
    # Nothing is enabled.
    assert not list(root.folder.glob("etc/systemd/system/*.wants/*"))

    # What the programs and the operator put there, and an upgrade.
    (root.folder / "var/lib/portunus/state.db").write_text("rows", "utf-8")
    (root.folder / "var/lib/portunus/server.toml").unlink()
    for file in ("client.bundle.json", "standalone.toml", "portal.env", "portal.key"):
        (root.folder / "etc/portunus" / file).write_text("x", "utf-8")
        (root.folder / "etc/portunus" / file).chmod(0o600)
    root.dpkg("--install", *debs)
    assert not (root.folder / "var/lib/portunus/server.toml").exists()
    for file, user in (("client.bundle.json", "portunus-client"), ("standalone.toml", "portunus"),
                       ("portal.key", "portunus-portal")):
        assert root.owned(f"etc/portunus/{file}") == (0, root.account(user, "group"), "0o640")
    assert root.owned("etc/portunus/portal.env") == (0, 0, "0o600")

    root.dpkg("--remove", *packages)
    assert not list(root.folder.glob("usr/bin/*")) and not list(root.folder.glob("usr/lib/*/*"))
    for name in packages:
        assert root.status(name) == "config-files"
    assert (root.folder / "var/lib/portunus/state.db").read_text("utf-8") == "rows"
    assert (root.folder / "etc/portunus/client.bundle.json").exists()

    root.dpkg("--purge", *packages)
    for name in packages:
        assert root.status(name) in (None, "not-installed")
    assert not (root.folder / "var/lib/portunus").exists()
    # The certificate of the Portal is the operator's.
    assert os.listdir(root.folder / "etc/portunus") == ["portal.key"]


def test_CLI_10_one_package_alone_lets_its_own_user_in(root, packages):
    for name in list(packages)[2:]:
        root.dpkg("--install", packages[name].path)
        assert root.owned("etc/portunus") == (0, 0, "0o755")
        root.dpkg("--purge", name)
        assert not (root.folder / "etc/portunus").exists()
    root.dpkg("--install", packages["portunus-client"].path)
    edges = (0, root.account("portunus-client", "group"), "0o750")
    assert root.owned("etc/portunus") == edges
    # Whoever comes after it leaves the folder to it.
    root.dpkg("--install", packages["portunus-standalone"].path)
    assert root.owned("etc/portunus") == edges
    assert not (root.folder / "var/lib/portunus").exists()


def test_CLI_10_what_the_operator_has_enabled_is_gone_after_a_purge(root, packages):
    root.dpkg("--install", packages["portunus-client"].path)
    # As `systemctl enable` does it.
    wants = root.folder / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    link = wants / "portunus-client.service"
    link.symlink_to("/lib/systemd/system/portunus-client.service")
    root.dpkg("--install", packages["portunus-client"].path)
    root.dpkg("--remove", "portunus-client")
    assert link.is_symlink()  # so that it runs again when it is installed again
    root.dpkg("--purge", "portunus-client")
    assert not link.is_symlink()
