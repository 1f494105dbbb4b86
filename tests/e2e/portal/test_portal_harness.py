"""What decides between a skipped test and a failed one; needs no program of ours."""

import pytest

from connect_harness import require_program


class Built:
    def __init__(self, folder):
        self.bin = folder


@pytest.mark.parametrize("ci", [None, "", "0", "false"])
def test_harness_skips_where_the_portal_is_left_out(tmp_path, monkeypatch, ci):
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.skip.Exception, match="portunus-portal is not built here"):
        require_program(Built(tmp_path))


@pytest.mark.parametrize("ci", ["true", "1"])
def test_harness_fails_where_everything_has_to_run(tmp_path, monkeypatch, ci):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.fail.Exception, match="portal_peer is not built, and CI is set"):
        require_program(Built(tmp_path), "portal_peer")


def test_harness_lets_run_what_is_built(tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "true")
    (tmp_path / "portunus-portal").touch()
    require_program(Built(tmp_path))
