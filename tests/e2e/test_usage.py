"""Help, version and usage errors of both programs (cli-and-config 1)."""

import re

import pytest

SERVER_COMMANDS = ["serve", "gen-token", "bootstrap-superadmin", "enroll-client", "revoke",
                   "list-clients", "rename-client", "push-rule", "remove-rule", "list-rules", "rule-stats",
                   "audit", "onboarding-token", "reset-password",
                   "user-add", "user-list", "user-get", "user-remove", "credential-issue",
                   "credential-list", "credential-revoke", "credential-rotate", "grant-add",
                   "grant-list", "grant-revoke",
                   "backup", "restore", "reset"]


@pytest.fixture
def run(lab):
    return lambda program, *words, **environment: lab.run([lab.bin / program, *words],
                                                          **environment)


@pytest.mark.parametrize("program", ["portunus-server", "portunus-client"])
@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(run, program, flag):
    done = run(program, flag)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(program + r" \d+\.\d+\.\d+\n", done.out)


@pytest.mark.parametrize("program, texts", [
    ("portunus-server", ["Portunus control plane", "enroll-client"]),
    ("portunus-client", ["Portunus edge client", "--bundle"]),
])
@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help(run, program, texts, words):
    done = run(program, *words)
    assert (done.code, done.err) == (0, "")
    for text in texts:
        assert text in done.out
    assert "PORTUNUS_DISABLE_SPLICE" not in done.out


@pytest.mark.parametrize("command", SERVER_COMMANDS)
@pytest.mark.parametrize("form", ["{} --help", "{} -h", "help {}"])
def test_help_of_each_command(run, command, form):
    done = run("portunus-server", *form.format(command).split())
    assert (done.code, done.err) == (0, "")
    assert done.out


@pytest.mark.parametrize("words", [["owner-cap", "--help"], ["help", "owner-cap"]])
def test_CLI_1_help_of_owner_cap_names_its_commands(run, words):
    done = run("portunus-server", *words)
    assert (done.code, done.err) == (0, "")
    for command in ("list", "get", "set", "delete"):
        assert re.search(rf"^ *{command}\b", done.out, re.MULTILINE), done.out


@pytest.mark.parametrize("program, words", [
    ("portunus-server", []),
    ("portunus-server", ["--unknown"]),
    ("portunus-server", ["unknown"]),
    ("portunus-server", ["serve", "extra"]),
    ("portunus-server", ["serve", "--operator-http-listen", "localhost:7080"]),
    ("portunus-server", ["serve", "--operator-http-listen", "127.0.0.1"]),
    ("portunus-server", ["serve", "--version"]),
    ("portunus-server", ["gen-token", "extra"]),
    ("portunus-server", ["reset-password"]),
    ("portunus-server", ["reset-password", "alice", "--temporary", "--password-stdin"]),
    ("portunus-server", ["onboarding-token", "extra"]),
    ("portunus-server", ["enroll-client"]),
    ("portunus-server", ["enroll-client", "edge-01", "--ttl-secs", "soon"]),
    ("portunus-server", ["enroll-client", "edge-01", "--ttl", "5"]),
    ("portunus-server", ["revoke"]),
    ("portunus-server", ["list-clients", "--format", "xml"]),
    ("portunus-server", ["rename-client", "--client-id", "edge-01"]),
    ("portunus-server", ["rename-client", "--name", "edge-01"]),
    ("portunus-server", ["push-rule", "edge-01"]),
    ("portunus-server", ["push-rule", "edge-01", "80", "h:1", "--ack-timeout", "-1"]),
    ("portunus-server", ["push-rule", "edge-01", "80", "--target", "h:1", "--targets-json", "[]"]),
    ("portunus-server", ["remove-rule", "seven"]),
    ("portunus-server", ["remove-rule", "-1"]),
    ("portunus-server", ["remove-rule", "18446744073709551616"]),
    ("portunus-server", ["rule-stats"]),
    ("portunus-server", ["user-add", "alice"]),
    ("portunus-server", ["user-get"]),
    ("portunus-server", ["credential-rotate", "alice"]),
    ("portunus-server", ["credential-revoke", "alice", "x", "--format", "json"]),
    ("portunus-server", ["grant-add", "--user-id", "alice", "--client", "*",
                         "--listen-port-start", "1"]),
    ("portunus-server", ["grant-add", "--user-id", "alice", "--client", "*",
                         "--listen-port-start", "1", "--listen-port-end", "65536"]),
    ("portunus-server", ["grant-list", "--format", "xml"]),
    ("portunus-server", ["backup"]),
    ("portunus-server", ["restore"]),
    ("portunus-server", ["reset", "--confirm=yes"]),
    ("portunus-client", ["--unknown"]),
    ("portunus-client", ["unknown"]),
    ("portunus-client", ["enroll"]),
    ("portunus-client", ["--reconnect-max-delay-secs", "x"]),
    ("portunus-client", ["--stats-report-interval-secs", "0"]),
    ("portunus-client", ["--bundle"]),
])
def test_usage_errors_end_with_2(run, program, words):
    done = run(program, *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip()


def test_global_flags_work_before_and_after_the_command(lab, run):
    for words in (["--data-dir", "d", "list-clients"], ["list-clients", "--data-dir", "d"],
                  ["--data-dir=d", "list-clients"], ["list-clients", "--data-dir=d"]):
        assert run("portunus-server", *words).code == 0
    assert (lab.folder / "d" / "state.db").exists()


@pytest.mark.parametrize("environment, expected", [
    ({"STATE_DIRECTORY": "{0}/s", "XDG_STATE_HOME": "{0}/x"}, "s"),
    ({"STATE_DIRECTORY": "", "XDG_STATE_HOME": "{0}/x"}, "x/portunus"),
    ({}, "home/.local/state/portunus"),
    ({"HOME": ""}, "portunus.state"),
])
def test_default_data_directory(lab, run, environment, expected):
    values = {key: value.format(lab.folder) for key, value in environment.items()}
    assert run("portunus-server", "list-clients", **values).code == 0
    assert (lab.folder / expected / "state.db").exists()


def test_gen_token_prints_43_characters(run):
    tokens = {run("portunus-server", "gen-token").ok() for _ in range(3)}
    assert len(tokens) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}\n", token) for token in tokens)
