#!/usr/bin/python3
"""Holds the includes of src/ to cmake/Layers.cmake and to each library's PUBLIC_HEADERS.

CMake checks which libraries are linked; this checks what is included, which is what a reader
sees: an edge that is not in the table, a private header of another folder, a wrapped third-party
header outside its wrapper or inside a public header, and includes that lead nowhere.
"""

import argparse
import pathlib
import re
import sys

import cmake_files

KEYWORDS = {"SOURCES", "PUBLIC_HEADERS", "DEPS", "EXTERNAL", "PRIVATE_EXTERNAL", "MAIN",
            "NAMESPACE", "HEADER", "FILES"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# header pattern, the libraries that wrap it, whether a public header of those may show it
WRAPPED = [
    (re.compile(r"sqlite3\.h$|SQLiteCpp/"), {"server_store"}, False),
    (re.compile(r"ares\.h$"), {"dataplane_dns"}, False),
    (re.compile(r"openssl/"), {"crypto", "portal_tls"}, False),
    (re.compile(r"(ngtcp2|gnutls)/"), {"portal_quic"}, False),
    (re.compile(r"grpc(pp)?/|.*\.grpc\.pb\.h$"), {"server_control", "client_agent"}, False),
    (re.compile(r".*\.pb\.h$|google/protobuf/"),
     {"proto", "wire", "server_control", "client_agent"}, True),
    (re.compile(r"spdlog/"), {"log"}, False),
    (re.compile(r"prometheus/"), {"server_metrics"}, False),
]


class Library:
    def __init__(self, name, folder, public_headers, links):
        self.name = name
        self.folder = folder
        self.public_headers = public_headers
        self.links = links  # None: what the table says


class Tree:
    """The libraries under src/ and what may include what."""

    def __init__(self, root):
        self.root = root
        table = cmake_files.variables((root / "cmake" / "Layers.cmake").read_text("utf-8"))
        self.allowed = {name.removeprefix("PORTUNUS_LAYER_"): set(words)
                        for name, words in table.items() if name.startswith("PORTUNUS_LAYER_")}
        self.libraries = {}
        self.programs = {}
        self.generated = set()
        for path in sorted((root / "src").rglob("CMakeLists.txt")):
            self.read_folder(path.parent, path.read_text("utf-8"))

    def read_folder(self, folder, text):
        for words in cmake_files.calls(text, "portunus_library"):
            groups = cmake_files.sections(words, KEYWORDS)
            name = groups[""][0]
            self.libraries[folder] = Library(name, folder, groups.get("PUBLIC_HEADERS", []), None)
        for words in cmake_files.calls(text, "portunus_program"):
            groups = cmake_files.sections(words, KEYWORDS)
            for main in groups.get("MAIN", []):
                self.programs[folder / main] = Library(
                    groups[""][0], folder, [], set(groups.get("DEPS", [])))
        for words in cmake_files.calls(text, "portunus_embed_files"):
            groups = cmake_files.sections(words, KEYWORDS)
            self.generated.update((folder, header) for header in groups.get("HEADER", []))

    def library_of(self, path):
        if path in self.programs:
            return self.programs[path]
        for folder in path.parents:
            if folder in self.libraries:
                return self.libraries[folder]
            if folder == self.root:
                return None
        return None

    def may_use(self, user, other):
        if user.links is not None:
            return other.name in user.links
        return other.name in self.allowed.get(user.name, set())


def includes(path):
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def is_public(library, path):
    return str(path.relative_to(library.folder)) in library.public_headers


def check_wrapped(library, path, header):
    for pattern, owners, public in WRAPPED:
        if not pattern.match(header):
            continue
        if library.name not in owners:
            return f"<{header}> belongs to {', '.join(sorted(owners))} alone"
        if not public and is_public(library, path):
            return f"<{header}> must not show in a public header"
        return None
    return None


def check_own(tree, library, path, header):
    target = tree.root / "src" / header
    # A header configured from <name>.in or embedded by CMake stands in no folder of ours.
    if not target.exists() and not target.with_name(target.name + ".in").exists():
        if (path.parent, header) in tree.generated or header.endswith(".pb.h"):
            return None
        return f'"{header}" is no file under src/'
    other = tree.library_of(target)
    if other is None:
        return f'"{header}" belongs to no library'
    if other is library:
        return None
    if not tree.may_use(library, other):
        return f"{library.name} may not use {other.name} (cmake/Layers.cmake): \"{header}\""
    if not is_public(other, target):
        return f'"{header}" is not among the PUBLIC_HEADERS of {other.name}'
    return None


def check_file(tree, path):
    library = tree.library_of(path)
    if library is None:
        return [(1, "belongs to no portunus_library or portunus_program")]
    problems = []
    for number, quoted, header in includes(path):
        problem = check_wrapped(library, path, header)
        if problem is None and quoted:
            problem = check_own(tree, library, path, header)
        if problem:
            problems.append((number, problem))
    return problems


def check_public_lists(tree):
    """A header that is listed but does not exist promises something to the includers."""
    for library in tree.libraries.values():
        for header in library.public_headers:
            path = library.folder / header
            if not path.exists() and not path.with_name(path.name + ".in").exists():
                yield library.folder / "CMakeLists.txt", f"PUBLIC_HEADERS names a missing {header}"


def check(root):
    tree = Tree(root)
    problems = [f"{path.relative_to(root)}: {text}" for path, text in check_public_lists(tree)]
    count = 0
    for path in sorted((root / "src").rglob("*.[hc]pp")):
        count += 1
        problems += [f"{path.relative_to(root)}:{line}: {text}"
                     for line, text in check_file(tree, path)]
    if not tree.libraries or not count:
        problems.append("src: no library or no source was found, so nothing was checked")
    return problems, count


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    problems, count = check(parser.parse_args(argv).root.resolve())
    for problem in problems:
        print(problem)
    print(f"check_layers: {count} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
