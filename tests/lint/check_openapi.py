#!/usr/bin/python3
"""Holds docs/openapi.json to the contract it describes (docs/contracts/http-api.md).

Every route of the route index (section 5) with its methods and its status, every code of the code
index (section 15) under its status, and nothing else; every reference leads somewhere, and every
path names the parameters it has.
"""

import argparse
import json
import pathlib
import re
import sys

CONTRACT = "docs/contracts/http-api.md"
DOCUMENT = "docs/openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")
# What the listener says of paths and methods that no route has.
EVERYWHERE = ("not_found", "method_not_allowed")


def section(text, number):
    match = re.search(rf"^## {number}\. .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[0] if match else ""


def full_paths(cell):
    """The paths of one cell; "…/x" stands for the path before it with another end."""
    paths = []
    for path in re.findall(r"`([^`]+)`", cell):
        if path.startswith("…"):
            path = paths[0].rpartition("/")[0] + path[1:]
        paths.append(path)
    return paths


def routes(text):
    """{(method, path): status} of the route index."""
    found = {}
    for line in section(text, 5).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 5 or "/v1/" not in cells[1]:
            continue
        methods = [word.lower() for word in re.findall(r"[A-Z]+", cells[0])]
        statuses = re.findall(r"\d{3}", cells[3])
        if len(statuses) == 1:
            statuses *= len(methods)
        for path in full_paths(cells[1]):
            found.update({(method, path): status
                          for method, status in zip(methods, statuses, strict=True)})
    return found


def codes(text):
    """{code: status} of the code index."""
    found = {}
    for line in section(text, 15).splitlines():
        cells = line.strip("|").split("|")
        statuses = re.findall(r"\d{3}", cells[0])
        names = re.findall(r"`([^`]+)`", "|".join(cells[1:]))
        if len(statuses) == 1:
            statuses *= len(names)
        if len(statuses) == len(names):
            found.update(zip(names, statuses))
    return found


def operations(document):
    return {(method, path): operation
            for path, item in document.get("paths", {}).items()
            for method, operation in item.items() if method in METHODS}


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def named_codes(document, response):
    """The codes that an error answer may carry."""
    if "$ref" in response:
        response = resolve(document, response["$ref"]) or {}
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    for part in schema.get("allOf", []):
        error = part.get("properties", {}).get("error", {})
        yield from error.get("properties", {}).get("code", {}).get("enum", [])


def check_routes(document, expected):
    actual = operations(document)
    for method, path in sorted(expected.keys() - actual.keys()):
        yield f"{method.upper()} {path} of the route index is missing"
    for method, path in sorted(actual.keys() - expected.keys()):
        yield f"{method.upper()} {path} is not in the route index"
    for route, status in expected.items():
        if route in actual and status not in actual[route].get("responses", {}):
            yield f"{route[0].upper()} {route[1]} answers {status} in the route index"


def check_codes(document, expected):
    seen = {}
    for (method, path), operation in operations(document).items():
        for status, response in operation.get("responses", {}).items():
            named = list(named_codes(document, response))
            if status >= "400" and not named:
                yield f"{method.upper()} {path} {status} names no code"
            for code in named:
                seen.setdefault(code, set()).add(status)
    for name, status in (("NotFound", "404"), ("MethodNotAllowed", "405")):
        response = document.get("components", {}).get("responses", {}).get(name, {})
        for code in named_codes(document, response):
            seen.setdefault(code, set()).add(status)
    for code in sorted(expected.keys() - seen.keys()):
        yield f"{code} of the code index is missing"
    for code in sorted(seen.keys() - expected.keys()):
        yield f"{code} is not in the code index"
    for code in sorted(seen.keys() & expected.keys()):
        if seen[code] != {expected[code]}:
            yield f"{code} is {expected[code]} in the code index, not {sorted(seen[code])}"


def check_form(document):
    for reference in sorted(set(references(document))):
        if not reference.startswith("#/") or resolve(document, reference) is None:
            yield f"{reference} leads nowhere"
    ids = [operation.get("operationId") for operation in operations(document).values()]
    for name in sorted({str(name) for name in ids if ids.count(name) > 1}):
        yield f"operationId {name} is given twice"
    for (method, path), operation in operations(document).items():
        parameters = [resolve(document, parameter["$ref"]) if "$ref" in parameter else parameter
                      for parameter in operation.get("parameters", [])]
        named = {parameter["name"] for parameter in parameters
                 if parameter and parameter.get("in") == "path"}
        if named != set(re.findall(r"\{(\w+)\}", path)):
            yield f"{method.upper()} {path} has other path parameters than its path"
        if "security" not in operation:
            yield f"{method.upper()} {path} does not say who may call it"


def check(root):
    text = (root / CONTRACT).read_text("utf-8")
    document = json.loads((root / DOCUMENT).read_text("utf-8"))
    expected = routes(text)
    index = codes(text)
    problems = [*check_routes(document, expected), *check_codes(document, index),
                *check_form(document)]
    if not expected or not index:
        problems.append(f"{CONTRACT}: no route or no code was found, so nothing was checked")
    return problems, len(expected), len(index)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    problems, route_count, code_count = check(parser.parse_args(argv).root.resolve())
    for problem in problems:
        print(f"{DOCUMENT}: {problem}")
    print(f"check_openapi: {route_count} routes, {code_count} codes, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
