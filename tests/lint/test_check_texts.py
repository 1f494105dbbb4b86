import subprocess

import check_texts
import pytest

HOME = "/ho" + "me/"
REGISTRY = "registry.npm" + "js.org"


@pytest.fixture
def repository(tree):
    subprocess.run(["git", "init", "-q", str(tree.root)], check=True)
    tree.write("good.md", "build/release/bin, https://example.com/work/x, a/home/b, /var/lib\n")
    return tree


def run(tree):
    return check_texts.main(["--root", str(tree.root)])


def test_a_good_tree_passes(repository):
    assert run(repository) == 0


@pytest.mark.parametrize("text, expected", [
    (f"see {HOME}me/notes", "bad.txt:2: path of one machine"),
    ("cd '/wo" + "rk/main'", "bad.txt:2: path of one machine"),
    (f"curl https://{REGISTRY}/x", "bad.txt:2: package registry"),
])
def test_bad_text_fails(repository, capsys, text, expected):
    repository.write("bad.txt", f"\n{text}\n")
    assert run(repository) == 1
    assert expected in capsys.readouterr().out


def test_ignored_files_are_left_alone(repository):
    repository.write(".gitignore", "build/\n")
    repository.write("build/x.txt", HOME)
    assert run(repository) == 0


def test_an_empty_repository_is_no_success(repository):
    (repository.root / "good.md").unlink()
    assert run(repository) == 1
