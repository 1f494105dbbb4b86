"""What is in the packages: files, modes, versions, libraries."""

import os
import re
import subprocess

from debs import NAMES, REPOSITORY, output

VERSION = re.search(r"project\(portunus VERSION (\S+)",
                    (REPOSITORY / "CMakeLists.txt").read_text("utf-8"))[1]
FILES = {
    "portunus-server": ["/usr/share/portunus-server/server.toml"],
    "portunus-client": ["/usr/sbin/portunus-enroll-edge"],
    "portunus-standalone": [],
    "portunus-portal": [],
}
DOCS = {
    "portunus-server": ["operator-guide.md", "events.md", "openapi.json",
                        "contracts/cli-and-config.md", "contracts/http-api.md"],
    "portunus-client": ["operator-guide.md", "events.md", "contracts/cli-and-config.md",
                        "examples/portunus-sysctl.conf"],
    "portunus-standalone": ["events.md", "contracts/cli-and-config.md", "examples/standalone.toml",
                            "examples/portunus-sysctl.conf"],
    "portunus-portal": ["portal-guide.md", "contracts/portal.md", "examples/portal.env",
                        "examples/portunus-sysctl.conf"],
}
# What each links of others, and what it must not.
LIBRARIES = {
    "portunus-server": (["libgrpc++", "libsqlite3-0"], ["libngtcp2"]),
    "portunus-client": (["libgrpc++", "libc-ares2"], ["libsqlite3-0", "libngtcp2"]),
    "portunus-standalone": (["libc-ares2", "libncurses"], ["libsqlite3-0", "libgrpc", "libngtcp2"]),
    "portunus-portal": (["libngtcp2-16", "libngtcp2-crypto-gnutls8"], ["libsqlite3-0", "libgrpc"]),
}


def test_CLI_10_a_package_has_its_files_and_no_others(packages, name):
    doc = f"/usr/share/doc/{name}/"
    files = {path for path, (member, _) in packages[name].tree.items() if member.isfile()}
    expected = {f"/usr/bin/{name}", f"/usr/lib/systemd/system/{name}.service",
                f"/usr/lib/sysusers.d/{name}.conf", f"/usr/lib/tmpfiles.d/{name}.conf",
                *FILES[name]}
    if name != "portunus-portal":  # it has no completion
        expected |= {f"/usr/share/bash-completion/completions/{name}",
                     f"/usr/share/zsh/vendor-completions/_{name}"}
    assert {path for path in files if not path.startswith(doc)} == expected
    assert {doc + file for file in DOCS[name]} <= files


def test_CLI_10_owners_and_modes(packages, name):
    for path, (member, _) in packages[name].tree.items():
        executable = member.isdir() or path.startswith(("/usr/bin/", "/usr/sbin/"))
        assert (member.mode, member.uid, member.gid) == (0o755 if executable else 0o644, 0, 0), path
        assert member.isdir() or member.isfile(), path
        assert member.uname == member.gname == "root", path


def test_the_version_is_that_of_the_program(packages, unpacked, name):
    package = packages[name]
    assert package.field("Version") == VERSION
    assert package.path.name == f"{name}_{VERSION}_{package.field('Architecture')}.deb"
    said = output(unpacked / "usr" / "bin" / name, "--version").decode()
    # The Portal has a form of its own.
    assert said.startswith(f"{name}-v{VERSION} " if name == "portunus-portal" else
                           f"{name} {VERSION}\n")


def test_the_libraries_are_named_and_here(packages, unpacked, name):
    depends = packages[name].field("Depends")
    with_these, without = LIBRARIES[name]
    for library in with_these:
        assert library in depends
    for library in without:
        assert library not in depends
    # This machine has built it, so each library that is named must be installed here.
    libraries = re.findall(r"(?:^|, )(lib[^ ,]+)", depends)
    assert len(libraries) > 5
    output("dpkg-query", "-W", *libraries)
    for script_needs in ("systemd | systemd-sysusers", "systemd | systemd-tmpfiles"):
        assert script_needs in depends
    # And no library is one that only this machine has.
    linked = output("ldd", unpacked / "usr" / "bin" / name).decode()
    assert "not found" not in linked and "/usr/local" not in linked


def test_the_programs_are_stripped(unpacked, name):
    sections = output("readelf", "--sections", "--wide", unpacked / "usr" / "bin" / name).decode()
    assert ".text" in sections
    assert ".symtab" not in sections and ".debug_" not in sections


def test_CLI_10_the_unit_starts_the_program_of_the_package(packages, name):
    unit = packages[name].text(f"/usr/lib/systemd/system/{name}.service")
    in_the_tree = (REPOSITORY / "packaging" / "systemd" / f"{name}.service").read_text("utf-8")
    assert f"\nExecStart=/usr/bin/{name}" in unit
    assert unit == in_the_tree.replace("ExecStart=/usr/local/bin/", "ExecStart=/usr/bin/")


def test_completions_are_whole(packages, tmp_path):
    for name in NAMES[:3]:
        bash = tmp_path / name
        bash.write_text(packages[name].text(f"/usr/share/bash-completion/completions/{name}"),
                        "utf-8")
        offered = output("bash", "-c", f'source "$0"; complete -p {name}', bash).decode()
        assert name in offered
        zsh = packages[name].text(f"/usr/share/zsh/vendor-completions/_{name}")
        assert zsh.startswith(f"#compdef {name}\n")


def test_the_links_of_the_docs_lead_somewhere(packages, name):
    """Between documents of one package; a link to what it has not must not look like one."""
    doc = f"/usr/share/doc/{name}/"
    checked = 0
    for guide in ("operator-guide.md", "portal-guide.md"):
        if doc + guide in packages[name].tree:
            for link in re.findall(r"\]\((?!https?:)([^)#]+)", packages[name].text(doc + guide)):
                assert doc + link in packages[name].tree, link
                checked += 1
    assert checked or name != "portunus-portal"


def test_every_key_of_the_example_of_the_server_is_one(packages, unpacked, tmp_path):
    text = packages["portunus-server"].text("/usr/share/portunus-server/server.toml")
    keys = re.findall(r"^#(\w+ = .*)$", text, re.MULTILINE)
    assert len(keys) >= 9
    # As it is installed it changes nothing, and all of its keys together are a configuration.
    for settings in (text, "\n".join(keys)):
        data = tmp_path / str(len(settings))
        data.mkdir()
        (data / "server.toml").write_text(settings, "utf-8")
        output(unpacked / "usr/bin/portunus-server", "--data-dir", data, "list-clients")
    (data / "server.toml").write_text("no_key = 1\n", "utf-8")
    refused = subprocess.run([unpacked / "usr/bin/portunus-server", "--data-dir", data,
                              "list-clients"], capture_output=True, check=False, timeout=60)
    assert refused.returncode == 1 and b"unknown field" in refused.stderr


def test_the_example_of_the_standalone_is_valid(unpacked):
    example = unpacked / "usr/share/doc/portunus-standalone/examples/standalone.toml"
    assert output(unpacked / "usr/bin/portunus-standalone", "--config", example,
                  "--check") == b"ok\n"


def test_the_packages_have_the_time_of_the_commit(packages, name):
    """Or two builds of one commit would differ."""
    times = {member.mtime for tree in (packages[name].tree, packages[name].control)
             for member, _ in tree.values()}
    assert len(times) == 1


def test_CLI_10_without_packages_all_is_below_usr_local(tmp_path):
    output("cmake", "--install", REPOSITORY / "build" / "release", "--component", "client",
           env={**os.environ, "DESTDIR": str(tmp_path)})
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {file for file in files if "/share/doc/" not in file} == {
        "usr/local/bin/portunus-client", "usr/local/sbin/portunus-enroll-edge",
        "usr/local/lib/systemd/system/portunus-client.service",
        "usr/local/lib/sysusers.d/portunus-client.conf",
        "usr/local/lib/tmpfiles.d/portunus-client.conf",
        "usr/local/share/bash-completion/completions/portunus-client",
        "usr/local/share/zsh/site-functions/_portunus-client"}
    # The unit as it stands in the tree.
    unit = tmp_path / "usr/local/lib/systemd/system/portunus-client.service"
    in_the_tree = REPOSITORY / "packaging/systemd/portunus-client.service"
    assert unit.read_text("utf-8") == in_the_tree.read_text("utf-8")
