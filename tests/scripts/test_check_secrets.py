"""tests/e2e/check_secrets.py finds what it is there to find, and notices when it looks at nothing."""

import hashlib
import importlib.util
import pathlib

import pytest

PATH = pathlib.Path(__file__).parents[1] / "e2e" / "check_secrets.py"
SPEC = importlib.util.spec_from_file_location("check_secrets", PATH)
check_secrets = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_secrets)

SECRETS = {kind: f"{index:02}-secret-{kind.replace(' ', '-')}"
           for index, kind in enumerate(sorted(check_secrets.KINDS))}
HASH = hashlib.sha256(SECRETS["session"].encode()).hexdigest()


@pytest.fixture
def record(tmp_path):
    """A whole run of two processes in which nothing leaked."""
    lines = [f"{kind}\t{value}\n" for kind, value in SECRETS.items()]
    (tmp_path / "gw0.secrets").write_text("".join(lines[:5]), "utf-8")
    (tmp_path / "gw1.secrets").write_text("".join(lines[5:]), "utf-8")
    (tmp_path / "gw0.texts").write_text("".join(f"{where} x\tharmless\n"
                                                for where in check_secrets.TEXTS), "utf-8")
    (tmp_path / "gw0.stores").write_text(f"state.db\tusers {HASH}\n", "utf-8")
    return tmp_path


def run(folder):
    return check_secrets.main([str(folder)])


def add(folder, name, line):
    with open(folder / name, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def test_a_whole_clean_run_passes(record):
    assert run(record) == 0


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("name", ["gw0.texts", "gw1.texts", "gw0.stores"])
def test_a_secret_anywhere_fails_and_is_not_shown(record, capsys, kind, name):
    add(record, name, f"audit row\tbefore{SECRETS[kind]}after")
    assert run(record) == 1
    out = capsys.readouterr().out
    assert f"audit row: {kind}: before***after" in out and SECRETS[kind] not in out


def test_a_hash_is_a_secret_but_in_a_store(record, capsys):
    add(record, "gw1.texts", f"metrics\tx {HASH}")
    assert run(record) == 1
    assert "SHA-256 of session" in capsys.readouterr().out


def test_a_password_hash_is_a_secret(record, capsys):
    add(record, "gw1.texts", "server.1.log\t$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")
    assert run(record) == 1
    assert "password hash" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["gw0.secrets", "gw0.texts"])
def test_a_kind_that_never_occurred_fails(record, capsys, name):
    (record / name).unlink()
    assert run(record) == 1
    assert "this run" in capsys.readouterr().out


def test_no_record_fails(tmp_path):
    assert run(tmp_path) == 1
