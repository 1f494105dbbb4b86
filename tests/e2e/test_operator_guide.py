"""docs/operator-guide.md, word for word: every command in it runs, and prints what it says.

The guide uses the default ports, so it gets a network of its own; a process namespace ends with it
whatever it has started.
"""

import re
import shlex
import subprocess

import pytest

from harness.lab import REPOSITORY

GUIDE = REPOSITORY / "docs" / "operator-guide.md"
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@@ block"
# How a program in its own terminal shows that it is ready.
READY = {"portunus-server": "server.listening", "portunus-client": "control.connected"}


class Block:
    def __init__(self, kind, code):
        self.kind = kind
        self.code = code
        self.expected = None


def blocks(text):
    """The fenced commands; a text block is the output of the commands before it."""
    found = []
    for kind, code in FENCE.findall(text):
        if kind == "text":
            assert found and found[-1].kind == "sh" and found[-1].expected is None, code
            found[-1].expected = code
        else:
            assert kind in ("sh", "sh daemon"), f"an unknown kind of block: {kind}"
            found.append(Block(kind, code))
    return found


def background(number, code):
    """A command that stays: started, and waited for until it is ready."""
    program = code.split()[0]
    log = f"daemon-{number}.log"
    event = READY.get(program)
    port = re.search(r"http\.server (\d+)", code)
    ready = f"grep -qs {shlex.quote(event)} {log}" if event else (
        f"curl -s -o /dev/null http://127.0.0.1:{port[1]}/")
    return (f"{{\n{code}}} >{log} 2>&1 &\n"
            f"for ((i = 0; i < 300; i++)); do {ready} && break; sleep 0.1; done\n"
            f"{ready} || {{ cat {log} >&2; exit 99; }}\n")


def script(parts):
    lines = ["set -euo pipefail", "ip link set lo up"]
    for number, block in enumerate(parts):
        lines.append(f"printf '\\n%s\\n' {shlex.quote(f'{MARK} {number}')}")
        lines.append(background(number, block.code) if block.kind == "sh daemon" else block.code)
    return "\n".join(lines) + f"\nprintf '\\n%s\\n' {shlex.quote(f'{MARK} end')}\n"


def pattern(expected):
    """… is anything on its line, and runs of spaces are one."""
    parts = [re.escape(part) for part in squeezed(expected).split("…")]
    return "[^\n]*".join(parts)


def squeezed(text):
    return re.sub(r" +", " ", re.sub(r" +$", "", text, flags=re.MULTILINE))


def test_harness_a_guide_is_read_as_meant():
    found = blocks("x\n```sh\na\n```\n```text\nA …\n```\n```sh daemon\nportunus-server serve\n```\n")
    assert [(block.kind, block.code, block.expected) for block in found] == [
        ("sh", "a\n", "A …\n"), ("sh daemon", "portunus-server serve\n", None)]
    assert re.fullmatch(pattern("A … c\nd\n"), squeezed("A   b  c  \nd\n"))
    assert not re.fullmatch(pattern("A … c\n"), squeezed("A b\nc\n"))


def test_every_command_of_the_operator_guide(lab):
    isolated = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    for extra in ([], ["--map-root-user"]):
        if subprocess.run([*isolated, *extra, "true"], check=False, capture_output=True,
                          timeout=20).returncode == 0:
            isolated += extra
            break
    else:
        pytest.skip("no network and process namespaces here")
    parts = blocks(GUIDE.read_text("utf-8"))
    assert len(parts) > 15 and sum(block.kind == "sh daemon" for block in parts) == 3
    done = lab.run([*isolated, "bash", "-c", script(parts)], seconds=240,
                   PATH=f"{lab.bin}:/usr/bin:/bin:/usr/sbin:/sbin")
    outputs = re.split(rf"^{MARK} (?:\d+|end)\n", done.out, flags=re.MULTILINE)[1:]
    where = parts[min(len(outputs), len(parts)) - 1].code if outputs else "the very beginning"
    assert done.code == 0, f"exit {done.code} in:\n{where}\n{done.err[-3000:]}"
    assert len(outputs) == len(parts) + 1
    for block, output in zip(parts, outputs):
        if block.expected is not None:
            assert re.fullmatch(pattern(block.expected.strip()), squeezed(output).strip()), (
                f"{block.code}\nprinted\n{output}\ninstead of\n{block.expected}")
