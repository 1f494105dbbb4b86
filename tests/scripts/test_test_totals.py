import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "test_totals"

GTEST = """<testsuites><testsuite>
<testcase name="One" status="run" result="completed" classname="A"/>
<testcase name="Two" status="run" result="completed" classname="A">{two}</testcase>
<testcase name="Off" status="notrun" result="suppressed" classname="A"/>
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "stages").write_text("")
    return tmp_path


def stage(results, name, code=0, files=None):
    with (results / "stages").open("a") as stages:
        stages.write(f"{name}\t{code}\t3\n")
    for path, text in (files or {}).items():
        (results / name / path).parent.mkdir(parents=True, exist_ok=True)
        (results / name / path).write_text(text)


def ctest(*programs):
    cases = "".join(f'<testcase name="{name}" classname="{name}" status="{status}">'
                    + ("<failure/>" if status == "fail" else "") + "</testcase>"
                    for name, status in programs)
    return f"<testsuite>{cases}</testsuite>"


def run(results):
    done = subprocess.run([SCRIPT, results], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def test_cases_of_all_suites_are_added(results):
    stage(results, "build")
    stage(results, "unit", files={"ctest.xml": ctest(("a_test", "run")),
                                  "gtest/a_test.xml": GTEST.format(two="")})
    stage(results, "e2e", files={"pytest.xml": '<testsuites><testsuite><testcase name="x"/>'
                                               '<testcase name="y"><skipped/></testcase>'
                                               "</testsuite></testsuites>"})
    code, lines = run(results)
    assert code == 0
    assert lines[-1] == "3 passed, 0 failed"
    assert "skipped: 2" in lines
    assert any(line.split() == ["total", "9", "s"] for line in lines)


def test_a_failed_case_is_counted_and_named(results):
    stage(results, "unit", 8, {"ctest.xml": ctest(("a_test", "fail")),
                               "gtest/a_test.xml": GTEST.format(two="<failure/>")})
    code, lines = run(results)
    assert code == 1
    assert lines[-1] == "1 passed, 1 failed"
    assert "failed: unit: A.Two" in lines


@pytest.mark.parametrize("files, closing", [
    ({"ctest.xml": ctest(("a_test", "fail"))}, "0 passed, 1 failed"),  # crashed, no report
    ({"ctest.xml": ctest(("a_test", "fail")), "gtest/a_test.xml": GTEST.format(two="")},
     "2 passed, 1 failed"),  # all cases passed, then the program died
    ({"ctest.xml": ctest(("a_test", "notrun"))}, "0 passed, 1 failed"),  # not built
    ({"ctest.xml": "<broken"}, "0 passed, 1 failed"),
    ({"other.txt": ""}, "0 passed, 1 failed"),  # no report at all
    ({"ctest.xml": "<testsuite/>"}, "0 passed, 1 failed"),
    ({"ctest.xml": ctest(("a_test", "run")), "gtest/a_test.xml": "<testsuites/>"},
     "0 passed, 1 failed"),  # a program without tests
])
def test_nothing_hides_behind_a_zero(results, files, closing):
    stage(results, "unit", 8, files)
    code, lines = run(results)
    assert code == 1
    assert lines[-1] == closing


def test_a_failed_stage_without_tests_is_one_failure(results):
    stage(results, "lint", 1)
    stage(results, "unit", files={"ctest.xml": ctest(("a_test", "run"))})
    code, lines = run(results)
    assert code == 1
    assert lines[-1] == "1 passed, 1 failed"


def test_no_stage_is_a_failure(results):
    code, lines = run(results)
    assert code == 1
    assert lines[-1] == "0 passed, 1 failed"
