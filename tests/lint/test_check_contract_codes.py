import json

import check_contract_codes
import contract_rows
import pytest

HTTP = """## 5. Route index
| Method | Path | Who | OK | § |
|---|---|---|---|---|
| GET, POST | `/v1/rules` | any | 200, 201 | 8 |

## 15. Code index
| HTTP | Codes |
|---|---|
| 400 | `invalid_name` `validation.x` |
| 404, 405 | `not_found`, `method_not_allowed` |

## 16. Later
"""

CLI = """## 2. `portunus-server`
### 2.1 Command classes
| Class | Commands | Store |
|---|---|---|
| API | `push-rule` `user-*` | HTTP |
| Dual | `revoke` | lock |
| Offline | `reset-password` `reset --confirm` | lock |

| Store condition | Any command that opens the store | stderr |
|---|---|---|
| lock held | **exit 75** | `error: store_in_use: <data-dir>/state.db` |

| Transport outcome | stderr | Exit |
|---|---|---|
| connect | `error: http: <detail>` | 1 |

Missing token: `user-*` refuse with `error: unauthenticated (…)`, exit 4.

### 2.2 Daemon
| Command | Arguments | stdout on success | Failures |
|---|---|---|---|
| `serve` | – | nothing | §2.3 |
| `reset-password` | `<id>`; `--temporary` | `ok` | 3 bad id / `error: password_mismatch`; 8 `error: user_not_found: <id>` |

| Storage error | stderr | Exit |
|---|---|---|
| source absent | `error: source not found: <path>` | 5 |

- It only warns
  `warning: audit_write_failed: …`.

### 2.3 `serve` exit codes
| Exit | Cause | stderr (last line) | ERROR event |
|---|---|---|---|
| 0 | stopped | – | – |
| 78 | too new | `serve failed: too_new path=<dir>` | `startup.too_new {path}` |

### 2.4 Commands
| Command | Arguments | API call | stdout |
|---|---|---|---|
| `push-rule` | §2.7 | `POST /v1/rules` | id |
| `user-list` / `user-get <id>` | F(json) | `GET` | response |
| `revoke` | `<name>` | `POST` | nothing |

### 2.5 Exit codes by API error code
| Group | Exit ← codes (anything else → 1) |
|---|---|
| Rule commands | 3 ← `invalid_name` |
| `user-*` `credential-*` `grant-*` | 4 ← `unauthenticated`; 8 ← `user_not_found` |
| Dual commands | 8 ← `client_not_found`; 4, 5, 6 as in the previous row |

### 2.7 `push-rule <client>`
| Check | stderr starts | Exit |
|---|---|---|
| host | `error: invalid_target_host[_too_long\\|_label]: …` | 3 |

## 7. `portunus-client`
| Situation | Event / stderr | Exit |
|---|---|---|
| bad bundle | `client.bundle_load_failed {error, path}` (no dial) | 1 |

`enroll` kinds: `enrollment URI` (details `bad scheme`), `transport`.

## 8. `portunus-standalone`
Exit: 0 stopped; 2 config error.

### 8.1 TOML
| Condition | Text |
|---|---|
| form | ``each rule must have one of `a` or `b` `` |

### 8.2 Stats
failure `error: stats --once: <detail>`, exit 2.

## 11. Later
failure `client.self_bootstrap_failed {error}` exit 1
"""


@pytest.fixture
def good(tree, monkeypatch):
    monkeypatch.setattr(check_contract_codes, "CANNOT", {})
    tree.write(check_contract_codes.HTTP, HTTP)
    tree.write(check_contract_codes.CLI, CLI)
    tree.write("tests/e2e/test_a.py", "'invalid_name' 'validation.x' 'not_found' "
                                      "'method_not_allowed'")
    return tree


def rows(kind):
    return [str(row) for row in (contract_rows.answers(HTTP) if kind == "answers"
                                 else contract_rows.endings(CLI))]


def ended(command, code, *lines, program="portunus-server", events=()):
    return {"program": program, "command": command, "exit": code, "lines": lines,
            "events": list(events)}


EXITS = [
    ended("reset-password", 75, "error: store_in_use: /d/state.db"),
    ended("reset", 75, "error: store_in_use: /d/state.db"),
    ended("revoke", 75, "error: store_in_use: /d/state.db"),
    ended("push-rule", 1, "error: http: refused"),
    ended("user-list", 4, "error: unauthenticated (set it)"),
    ended("user-get", 4, "error: unauthenticated (set it)"),
    ended("reset-password", 0, "warning: audit_write_failed: x"),
    ended("reset-password", 3, "error: password_mismatch"),
    ended("reset-password", 8, "error: user_not_found: x"),
    ended("restore", 5, "error: source not found: /x"),
    ended("serve", 0),
    ended("serve", 78, "serve failed: too_new path=/d", events=["startup.too_new"]),
    *(ended(command, 0) for command in ("push-rule", "user-list", "user-get", "revoke")),
    ended("push-rule", 3, "error: invalid_name (x)"),
    ended("user-get", 8, "error: user_not_found (x)"),
    ended("revoke", 4, "error: unauthenticated (x)"),
    ended("revoke", 8, "error: client_not_found (x)"),
    *(ended("push-rule", 3, f"error: invalid_target_host{end}: a")
      for end in ("", "_too_long", "_label")),
    ended("", 2),
    *(ended("agent", code, program="portunus-client", events=[event]) for code, event in (
        (1, "client.bundle_load_failed"), (1, "client.self_bootstrap_failed"), (2, "x"))),
    *(ended("enroll", 1, f"error: {text}", program="portunus-client")
      for text in ("enrollment URI: bad scheme", "transport: x")),
    *(ended("daemon", code, *lines, program="portunus-standalone") for code, lines in (
        (0, []), (2, ["error: stats --once: x"]),
        (2, ["error: each rule must have one of `a` or `b`"]))),
]
ANSWERS = [("GET", "/v1/rules", 200, None), ("POST", "/v1/rules", 201, None),
           ("GET", "/v1/rules", 400, "invalid_name"), ("GET", "/v1/rules", 400, "validation.x"),
           ("GET", None, 404, "not_found"), ("PUT", "/v1/rules", 405, "method_not_allowed")]


def record(tree, answers, exits):
    """Two processes of one run."""
    keys = ("method", "route", "status", "code")
    lines = [json.dumps(dict(zip(keys, answer))) for answer in answers]
    tree.write("run/gw0.answers", "\n".join(lines[:2]) + "\n")
    tree.write("run/gw1.answers", "\n".join(lines[2:]) + "\n")
    tree.write("run/gw1.exits", "".join(json.dumps(end) + "\n" for end in exits))
    return tree.root / "run"


def run(tree, *arguments):
    return check_contract_codes.main(["--root", str(tree.root), *map(str, arguments)])


def test_the_rows_of_both_contracts_are_read(capsys):
    assert rows("answers") == [
        "http-api 15: 400 invalid_name", "http-api 15: 400 validation.x",
        "http-api 15: 404 not_found", "http-api 15: 405 method_not_allowed",
        "http-api 5: GET /v1/rules 200", "http-api 5: POST /v1/rules 201"]
    found = rows("endings")
    for row in ("cli 2.1: server reset exit 75 `error: store_in_use: <path>`",
                "cli 2.2: server reset-password exit 3 `error: password_mismatch`",
                "cli 2.3: server serve exit 78 `serve failed: too_new path=<dir>` startup.too_new",
                "cli 2.5: server revoke exit 4 `error: unauthenticated (<message>)`",
                "cli 2.7: server push-rule exit 3 `error: invalid_target_host_label: …`",
                "cli 7: client exit 1 client.bundle_load_failed"):
        assert row in found, found


def test_a_tree_whose_codes_all_stand_in_a_test_passes(good):
    assert run(good) == 0


@pytest.mark.parametrize("text", ["'invalid_name' 'not_found' 'method_not_allowed'",
                                  "'invalid_name' 'validation.xy' 'not_found' "
                                  "'method_not_allowed'"])
def test_a_code_in_no_test_fails(good, capsys, text):
    good.write("tests/e2e/test_a.py", text)
    assert run(good) == 1
    assert "400 validation.x stands in no test" in capsys.readouterr().out


def test_a_run_that_produced_every_row_passes(good, capsys):
    assert run(good, "--run", record(good, ANSWERS, EXITS)) == 0, capsys.readouterr().out


@pytest.mark.parametrize("gone", range(len(ANSWERS)))
def test_an_answer_that_was_not_given_fails(good, capsys, gone):
    answers = ANSWERS[:gone] + ANSWERS[gone + 1:]
    assert run(good, "--run", record(good, answers, EXITS)) == 1
    assert "was not produced\n" in capsys.readouterr().out


@pytest.mark.parametrize("gone", range(len(EXITS)))
def test_an_end_that_was_not_seen_fails(good, capsys, gone):
    exits = EXITS[:gone] + EXITS[gone + 1:]
    assert run(good, "--run", record(good, ANSWERS, exits)) == 1
    assert "was not produced\n" in capsys.readouterr().out


@pytest.mark.parametrize("change", [{"exit": 1}, {"lines": ["error: password_mismatch!"]},
                                    {"command": "reset"}, {"program": "portunus-client"}])
def test_another_exit_or_text_or_command_is_no_proof(good, change):
    index = next(i for i, end in enumerate(EXITS) if end["lines"] == ("error: password_mismatch",))
    exits = [*EXITS[:index], {**EXITS[index], **change}, *EXITS[index + 1:]]
    assert run(good, "--run", record(good, ANSWERS, exits)) == 1


def test_the_same_code_with_another_status_is_no_proof(good):
    answers = [(method, route, 422 if code == "invalid_name" else status, code)
               for method, route, status, code in ANSWERS]
    assert run(good, "--run", record(good, answers, EXITS)) == 1


def test_an_empty_record_fails(good, capsys):
    (good.root / "run").mkdir()
    assert run(good, "--run", good.root / "run") == 1
    assert "holds no record of a run" in capsys.readouterr().out


def test_what_is_said_to_be_impossible_must_be_a_row_and_must_not_happen(good, monkeypatch, capsys):
    cannot = {"http-api 15: 400 validation.x": "because"}
    monkeypatch.setattr(check_contract_codes, "CANNOT", cannot)
    without = [answer for answer in ANSWERS if answer[3] != "validation.x"]
    assert run(good, "--run", record(good, without, EXITS)) == 0
    assert run(good, "--run", record(good, ANSWERS, EXITS)) == 1
    assert "said to be impossible" in capsys.readouterr().out
    cannot["http-api 15: 400 no_row"] = "because"
    assert run(good) == 1
    assert "is no row of a contract" in capsys.readouterr().out


def test_contracts_without_rows_fail(good, capsys):
    good.write(check_contract_codes.HTTP, "nothing\n")
    assert run(good) == 1
    assert "no Answer was found" in capsys.readouterr().out


@pytest.mark.parametrize("skipped, code", [(0, 1), (2, 0)])
def test_a_run_that_had_to_skip_tests_only_lists_what_is_missing(good, capsys, skipped, code):
    good.write("pytest.xml", f'<testsuites><testsuite skipped="{skipped}"/></testsuites>')
    folder = record(good, ANSWERS[1:], EXITS)
    assert run(good, "--run", folder, "--junit", good.root / "pytest.xml") == code
    assert "was not produced\n" in capsys.readouterr().out
