"""What the programs tell a shell about themselves, and the help that ends in examples."""

import re
import shutil

import pytest

PROGRAMS = ["portunus-server", "portunus-client", "portunus-standalone"]
TREES = {}


@pytest.fixture
def run(lab):
    return lambda *words: lab.run([lab.bin / words[0], *words[1:]])


def commands_of(text):
    """The commands that a help lists."""
    below = text.partition("Subcommands:")[2].split("\n\n")[0]
    return re.findall(r"^  ([a-z][a-z-]*)", below, re.MULTILINE)


def flags_of(text):
    """The flags that a help lists, without what its prose mentions."""
    return set(re.findall(r"^ +(?:-\w,)?(--[a-z][a-z0-9-]*)", text, re.MULTILINE))


def tree(run, program, *path):
    """(path, flags) of the program and all its commands, as their helps have it."""
    key = (program, *path)
    if key not in TREES:
        text = run(program, *path, "--help").ok()
        TREES[key] = (flags_of(text), commands_of(text), text)
    flags, commands, text = TREES[key]
    yield path, flags, text
    for command in commands:
        if path != ("help",):
            yield from tree(run, program, *path, command)


def complete(lab, script, program, *words):
    """What bash offers for the last of these words."""
    function = "_" + program.replace("-", "_")
    code = (f'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); {function}; '
            'printf "%s\\n" "${COMPREPLY[@]}"')
    done = lab.run(["bash", "-c", code, script, program, *words])
    assert done.err == ""
    return [word for word in done.ok().splitlines() if word]


@pytest.fixture
def script(lab, run):
    def write(program, shell):
        path = lab.folder / f"{program}.{shell}"
        path.write_text(run(program, "completion", shell).ok(), "utf-8")
        return path
    return write


@pytest.mark.parametrize("program", PROGRAMS)
def test_bash_completes_every_command_and_flag(lab, run, script, program):
    path_of_script = script(program, "bash")
    seen = 0
    for path, flags, text in tree(run, program):
        offered = complete(lab, path_of_script, program, *path, "--")
        assert flags <= set(offered), path
        assert {"--help"} <= set(offered) or path[:1] == ("help",)
        commands = commands_of(text)
        if commands:
            assert set(commands) <= set(complete(lab, path_of_script, program, *path, ""))
        seen += 1
    assert seen >= 4


@pytest.mark.parametrize("program", PROGRAMS)
def test_zsh_names_every_command_and_flag(lab, run, script, program):
    path_of_script = script(program, "zsh")
    text = path_of_script.read_text("utf-8")
    assert text.startswith(f"#compdef {program}\n")
    for path, flags, _ in tree(run, program):
        function = "_" + "_".join([program, *path]).replace("-", "_")
        body = text.partition(f"\n{function}() {{\n")[2].partition("\n}\n")[0]
        assert body, function
        for flag in flags:
            assert f"){flag}" in body, (path, flag)
    if shutil.which("zsh"):
        assert lab.run(["zsh", "-n", path_of_script]).ok() == ""


def test_bash_completes_values(lab, script):
    server = script("portunus-server", "bash")

    def offered(*words):
        return complete(lab, server, "portunus-server", *words)
    assert offered("list-rules", "--format", "") == ["text", "json"]
    assert offered("list-rules", "--format", "=", "j") == ["json"]
    assert offered("completion", "") == ["bash", "zsh"]
    assert "push-rule" in offered("help", "pu")
    assert offered("--data-dir", "serve", "ba") == ["backup"]  # a value is no command
    assert offered("--data-dir", "=", "x", "owner-cap", "de") == ["delete"]
    assert offered("owner-cap", "") == ["list", "get", "set", "delete"]
    assert offered("revoke", "--", "") == []
    (lab.folder / "copy.db").write_bytes(b"")
    assert offered("backup", "--out", "cop") == ["copy.db"]
    standalone = script("portunus-standalone", "bash")
    assert complete(lab, standalone, "portunus-standalone", "--log-format", "") == [
        "json", "pretty"]
    assert "--config" in complete(lab, standalone, "portunus-standalone", "stats", "--c")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", [[], ["fish"], ["bash", "zsh"]])
def test_completion_usage(run, program, words):
    done = run(program, "completion", *words)
    assert (done.code, done.out) == (2, "") and done.err.strip()


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_help_ends_with_examples(run, program):
    for path, _, text in tree(run, program):
        if path and commands_of(text):
            continue  # a group: its commands have theirs
        shown = text.partition("Example")[2] or text.partition("First steps")[2]
        assert f"  {program} " in shown or f"<({program} " in shown, path
