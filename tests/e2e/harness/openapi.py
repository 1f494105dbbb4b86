"""Holds every answer of the API to docs/openapi.json."""

import functools
import json
import urllib.parse

import jsonschema

from .lab import REPOSITORY

METHODS = ("get", "post", "put", "patch", "delete")
# What is not HTTP has no route: the listener's own answers, without an envelope.
PLAIN = (400, 408, 431, 501, 505)


@functools.cache
def document():
    return json.loads((REPOSITORY / "docs" / "openapi.json").read_text("utf-8"))


@functools.cache
def templates():
    """Paths as tuples of segments, the most literal ones first."""
    split = [(tuple(path.split("/")[1:]), path) for path in document()["paths"]]
    return sorted(split, key=lambda entry: [part.startswith("{") for part in entry[0]])


def template_of(target):
    path = target.partition("?")[0]
    parts = [urllib.parse.unquote(part) for part in path.split("/")[1:]]
    for wanted, template in templates():
        if len(wanted) == len(parts) and all(
                bool(part) if want.startswith("{") else part == want
                for want, part in zip(wanted, parts)):
            return template
    return None


def resolved(node):
    while "$ref" in node:
        target = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


@functools.cache
def validator(schema):
    """Of a schema as JSON text. References lead into the document's components."""
    return jsonschema.Draft202012Validator(
        {"allOf": [json.loads(schema)], "components": document()["components"]})


def flaw_of_value(value, schema):
    """None, or what is wrong."""
    error = jsonschema.exceptions.best_match(validator(json.dumps(schema)).iter_errors(value))
    if error is None:
        return None
    where = "/".join(str(part) for part in error.absolute_path)
    return f"{where or 'the body'}: {error.message[:300]}"


def response_of(method, target, status, code):
    """The documented answer; None where there is none."""
    common = document()["components"]["responses"]
    template = template_of(target)
    if status == 404 and code == "not_found":
        # Also for a route that this program does not have yet.
        return common["NotFound"]
    operation = document()["paths"].get(template, {}).get("get" if method == "HEAD"
                                                          else method.lower())
    if operation is not None:
        return resolved(operation["responses"].get(str(status), {})) or None
    if template is None:
        return None
    if status == 405:
        return common["MethodNotAllowed"]
    # The authentication of a known path comes before its methods.
    if status in (401, 403, 503):
        return {"content": {"application/json": {"schema": {
            "$ref": "#/components/schemas/Error"}}}}
    return None


def code_of(body):
    try:
        return json.loads(body)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def flaw(method, target, status, headers, body):
    """What is wrong with an answer; None for a good one, and for what is outside the API."""
    if not target.startswith("/v1/"):
        return None
    media = (headers.get("Content-Type") or "").partition(";")[0].strip()
    if media == "text/plain" and status in PLAIN:
        return None
    response = response_of(method, target, status, code_of(body))
    if response is None and method == "HEAD" and status >= 400:
        return None  # without a body nobody can tell which 404 it is
    if response is None:
        return f"{status} is not documented"
    if not (headers.get("Cache-Control") or "").startswith("no-"):
        return "no Cache-Control"
    content = response.get("content", {})
    if method == "HEAD":
        return None
    if not content:
        return None if body == b"" else f"a body where none is documented: {body[:200]!r}"
    documented = {name.partition(";")[0]: entry for name, entry in content.items()}
    if media not in documented:
        return f"{media or 'no media type'} instead of {', '.join(documented)}"
    if media != "application/json":
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return f"no JSON: {body[:200]!r}"
    return flaw_of_value(value, documented[media]["schema"])


def check(method, target, status, headers, body):
    found = flaw(method, target, status, headers, body)
    assert found is None, f"{method} {target} {status} does not fit docs/openapi.json: {found}"
