import check_rule_ids
import pytest


@pytest.fixture
def good(tree):
    tree.write(check_rule_ids.CONTRACT, "- **TCP-1** Each port.\n- **TCP-12** Then. See TCP-13.\n")
    tree.write("tests/tcp/CMakeLists.txt", "portunus_test(tcp_test SOURCES a_test.cpp)\n")
    tree.write("tests/tcp/a_test.cpp", "TEST(Ports, TCP_1_one_socket)\n{\n}\n")
    tree.write("tests/e2e/test_ports.py", "def test_TCP_12_LIFE_3_then(lab):\n    pass\n")
    return tree


def run(tree, *arguments):
    return check_rule_ids.main(["--root", str(tree.root), *arguments])


def test_a_tree_where_every_rule_has_a_test_passes(good, capsys):
    assert run(good, "--list") == 0
    assert "TCP-12\n  tests/e2e/test_ports.py: test_TCP_12_LIFE_3_then" in capsys.readouterr().out


def test_a_rule_without_a_test_fails(good, capsys):
    good.write("tests/e2e/test_ports.py", "def test_TCP_1_then(lab):\n    pass\n")
    assert run(good) == 1
    assert "TCP-12 stands in the name of no test\n" in capsys.readouterr().out


def test_a_longer_number_is_another_rule(good):
    good.write("tests/tcp/a_test.cpp", "TEST(Ports, TCP_11_one_socket)\n{\n}\n")
    assert run(good) == 1


def test_a_name_broken_over_lines_counts(good):
    good.write("tests/tcp/a_test.cpp", "TEST_F(Ports,\n       LIFE_2_TCP_1_one_socket)\n{\n}\n")
    assert run(good) == 0


def test_a_disabled_test_does_not_count(good):
    good.write("tests/tcp/a_test.cpp", "TEST(Ports, DISABLED_TCP_1_one_socket)\n{\n}\n")
    assert run(good) == 1


def test_a_file_that_is_not_compiled_does_not_count(good):
    good.write("tests/tcp/CMakeLists.txt", "portunus_test(tcp_test SOURCES not_a_test.cpp)\n")
    assert run(good) == 1


def test_a_contract_without_rules_fails(good):
    good.write(check_rule_ids.CONTRACT, "nothing\n")
    assert run(good) == 1
