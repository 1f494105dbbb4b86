#!/usr/bin/python3
"""Searches everything a run of the end-to-end tests has written for every secret that it created.

FOLDER is the record of a whole run (harness/record.py): logs, answers of the API, command output,
audit rows and metrics must hold no token, password, join code, session, private key, nor the
SHA-256 or the password hash of one; the database files no secret itself. One place per secret is
its own, where the contract hands it out; there the record has cut it out.

The check proves itself on the way: it fails when a kind of secret or of text never occurred.
CSRF has no secret: its header carries the constant 1 (http-api 3.4).
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile

KINDS = {"API token", "bearer", "client token", "enrollment code", "generated token", "password",
         "private key", "registered", "session", "setup token", "superadmin token",
         "temporary password"}
TEXTS = ("answer of POST", "answer of GET", "audit row", "edge-01.1.log", "event stream", "metrics",
         "server.1.log", "stderr of portunus-server", "stdout of user-add")
PHC = "$argon2"


def secrets(folder):
    """{secret: its kinds} of all processes of the run."""
    found = {}
    for path in folder.glob("*.secrets"):
        for line in path.read_text("utf-8").splitlines():
            kind, _, value = line.partition("\t")
            found.setdefault(value, set()).add(kind)
    return found


def digest(value):
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def hits(files, patterns):
    """(file, line) of every line that holds one of the patterns."""
    if not files:
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as list_file:
        list_file.write("".join(f"{pattern}\n" for pattern in patterns))
        list_file.flush()
        done = subprocess.run(["grep", "-aHF", "-f", list_file.name, *map(str, files)],
                              capture_output=True, env={"LC_ALL": "C"}, check=False)
    assert done.returncode in (0, 1), done.stderr
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        path, _, text = line.partition(":")
        yield pathlib.Path(path).name, text


def leaks(folder):
    known = {value: "/".join(sorted(kinds)) for value, kinds in secrets(folder).items()}
    hashes = {digest(value): f"SHA-256 of {kind}" for value, kind in known.items()}
    texts = sorted(folder.glob("*.texts"))
    for files, wanted in ((texts, {**known, **hashes, PHC: "password hash"}),
                          (sorted(folder.glob("*.stores")), known)):
        for name, line in hits(files, wanted):
            where, _, text = line.partition("\t")
            kinds = sorted({kind for value, kind in wanted.items() if value in text})
            # `where` itself is ours; what was found is shown without the secret.
            if kinds:
                shown = text
                for value in wanted:
                    shown = shown.replace(value, "***") if value in shown else shown
                yield f"{name}: {where}: {', '.join(kinds)}: {shown[:300]}"


def gaps(folder):
    """What a whole run has and this record has not."""
    missing = KINDS - set().union(*secrets(folder).values())
    places = set()
    for path in folder.glob("*.texts"):
        with open(path, encoding="utf-8", errors="replace") as file:
            places.update(line.partition("\t")[0] for line in file)
    return [f"no {kind} was created in this run" for kind in sorted(missing)] + [
        f"no text of `{text}` was kept of this run" for text in TEXTS
        if not any(place.startswith(text) for place in places)]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args(argv).folder
    problems = [*dict.fromkeys(leaks(folder)), *gaps(folder)]
    for problem in problems:
        print(problem)
    size = sum(path.stat().st_size for path in folder.glob("*.*s"))
    print(f"check_secrets: {len(secrets(folder))} secrets in {size >> 20} MiB, "
          f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
