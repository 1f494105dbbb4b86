import check_events
import pytest

TABLE = """
#define PORTUNUS_EVENTS_SERVER(X) \\
  X(store_opened, "store.opened", info, server, "path hint?", "database file opened") \\
  X(grpc_failed, "server.grpc_failed", error, server, "", "ended") \\
  X(http_failed, "server.operator_http_failed", error, server, "error", "ended")
"""


CONTRACT = """
| Event | Level | Fields |
|---|---|---|
| `store.opened` | INFO | path, `not.an_event` |
| `server.grpc_failed`, `.operator_http_failed` | ERROR | |

| Event | Why not |
|---|---|
| `store.pool_exhausted` | there is no pool |
"""


@pytest.fixture
def good(tree):
    tree.write(check_events.TABLE, TABLE)
    tree.write(check_events.CONTRACT, CONTRACT)
    tree.write("src/a.cpp", "log::log(log::Event::store_opened);\nlog(Event::grpc_failed);\n"
                            "log(Event::http_failed);\n")
    tree.write("src/common/log/logger.cpp", "#include <spdlog/spdlog.h>\n")
    assert run(tree, "--write") == 0
    return tree


def run(tree, *arguments):
    return check_events.main(["--root", str(tree.root), *arguments])


def test_a_good_tree_passes_and_the_table_is_rendered(good):
    assert run(good) == 0
    text = (good.root / check_events.GENERATED).read_text("utf-8")
    assert "| `store.opened` | INFO | `server` | `path`, `hint` (optional) |" in text


def test_an_unused_event_fails(good, capsys):
    good.write("src/a.cpp", "log(Event::store_opened); log(Event::grpc_failed);\n")
    assert run(good) == 1
    assert "http_failed (server.operator_http_failed) is used nowhere" in capsys.readouterr().out


def test_an_event_outside_the_contract_fails(good, capsys):
    good.write(check_events.CONTRACT, "`store.opened` and `server.grpc_failed`\n")
    assert run(good) == 1
    assert "server.operator_http_failed does not stand in" in capsys.readouterr().out


def test_an_event_that_is_promised_and_never_written_fails(good, capsys):
    good.write(check_events.CONTRACT, CONTRACT.replace(
        "`.operator_http_failed`", "`.operator_http_failed`, `.metrics_failed`"))
    assert run(good) == 1
    out = capsys.readouterr().out
    assert "server.metrics_failed is promised, and nothing writes it" in out
    assert "pool_exhausted" not in out and "not.an_event" not in out


def test_a_contract_without_tables_is_no_success(good, capsys):
    good.write(check_events.CONTRACT, CONTRACT.replace("| Level |", "| How bad |"))
    assert run(good) == 1
    assert "no table of events was found" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["spdlog::info(1);", "#include <spdlog/spdlog.h>"])
def test_raw_spdlog_fails(good, capsys, line):
    good.write("src/b.cpp", f"\n{line}\n")
    assert run(good) == 1
    assert "src/b.cpp:2: only common/log may touch spdlog" in capsys.readouterr().out


def test_a_stale_document_fails(good, capsys):
    good.write(check_events.GENERATED, "old\n")
    assert run(good) == 1
    assert "is stale" in capsys.readouterr().out


def test_an_empty_table_is_no_success(good):
    good.write(check_events.TABLE, "")
    assert run(good, "--write") == 1


def test_names_of_the_contract_are_expanded():
    text = "| `a.b_issued`, `_revoked` / `_rotated` | `.lonely`\n`_lonely`\n`x.y.ok` / `.failed`"
    assert check_events.contract_names(text) == {
        "a.b_issued", "a.b_revoked", "a.b_rotated", "a.lonely", "x.y.ok", "x.y.failed"}
