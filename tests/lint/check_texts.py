#!/usr/bin/python3
"""Refuses tracked text that only makes sense on one machine, or that fetches from elsewhere.

Absolute paths of somebody's machine, and host names of package registries: everything comes from
the system's packages, so nothing here has a reason to name one.
"""

import argparse
import pathlib
import re
import subprocess
import sys

# Written in pieces, so that this file passes its own check.
HOMES = ("work", "home", "root", "Users", "opt/wheels")
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com",
              "yarn" + "pkg.com", "crates" + ".io", "conan" + ".io", "vcpkg" + ".io",
              "maven" + ".org", "ruby" + "gems.org", "proxy.golang" + ".org", "docker" + ".io",
              "ghcr" + ".io", "quay" + ".io", "deb.debian" + ".org")
MACHINE_PATH = re.compile(r"(?<![\w.}*/-])/(" + "|".join(HOMES) + r")/")
REGISTRY = re.compile("|".join(re.escape(host) for host in REGISTRIES), re.IGNORECASE)


def tracked(root):
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
               "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.split(b"\0")
    return [root / name.decode() for name in names if name]


def lines(path):
    content = path.read_bytes()
    if b"\0" in content:
        return []  # not text
    return content.decode("utf-8", errors="replace").splitlines()


def check(root):
    problems = []
    count = 0
    for path in tracked(root):
        if not path.is_file():
            continue
        count += 1
        for number, line in enumerate(lines(path), 1):
            where = f"{path.relative_to(root)}:{number}"
            found = MACHINE_PATH.search(line)
            if found:
                problems.append(f"{where}: path of one machine: {found.group(0)}")
            found = REGISTRY.search(line)
            if found:
                problems.append(f"{where}: package registry: {found.group(0)}")
    if not count:
        problems.append("no tracked file was found, so nothing was checked")
    return problems, count


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    problems, count = check(parser.parse_args(argv).root.resolve())
    for problem in problems:
        print(problem)
    print(f"check_texts: {count} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
