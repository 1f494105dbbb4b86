import json

import check_openapi
import pytest

CONTRACT = """# API
## 5. Route index
| Method | Path | Who | OK | § |
|---|---|---|---|---|
| GET, POST | `/v1/a` | super | 200, 201 | 6 |
| GET | `/v1/a/{id}/b`, `…/c/d` | any | 200 | 6 |
| any | everything else | public | 200 | 14 |
## 15. Code index
| HTTP | Codes |
|---|---|
| 400 | `bad_x` `bad_y` |
| 404 | `not_found` |
| 405, 413 | `method_not_allowed`, `too_large` |
## 16. More
"""


def error(*codes):
    named = {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}
    return {"content": {"application/json": {"schema": {"allOf": [{}, named]}}}}


def operation(status, errors, parameters=()):
    return {"security": [], "responses": {status: {}, **errors}, "parameters": list(parameters)}


def document():
    of_path = [{"$ref": "#/components/parameters/id"}]
    return {
        "paths": {
            "/v1/a": {"get": operation("200", {"400": {"$ref": "#/components/responses/Bad"}}),
                      "post": operation("201", {"413": error("too_large")})},
            "/v1/a/{id}/b": {"get": operation("200", {}, of_path)},
            "/v1/a/{id}/c/d": {"get": operation("200", {}, of_path)}},
        "components": {
            "parameters": {"id": {"name": "id", "in": "path"}},
            "responses": {"Bad": error("bad_x", "bad_y"), "NotFound": error("not_found"),
                          "MethodNotAllowed": error("method_not_allowed")}}}


@pytest.fixture
def good(tree):
    tree.write(check_openapi.CONTRACT, CONTRACT)
    ids = iter("abcdefgh")
    tree.document = document()
    for one in check_openapi.operations(tree.document).values():
        one["operationId"] = next(ids)
    return tree


def run(tree):
    tree.write(check_openapi.DOCUMENT, json.dumps(tree.document))
    return check_openapi.main(["--root", str(tree.root)])


def test_a_document_that_fits_passes(good, capsys):
    assert run(good) == 0
    assert "4 routes, 5 codes, 0 problems" in capsys.readouterr().out


@pytest.mark.parametrize("spoil, text", [
    (lambda d: d["paths"].pop("/v1/a/{id}/c/d"),
     "GET /v1/a/{id}/c/d of the route index is missing"),
    (lambda d: d["paths"].update({"/v1/z": {"put": operation("200", {})}}),
     "PUT /v1/z is not in the route index"),
    (lambda d: d["paths"]["/v1/a"]["post"]["responses"].pop("201"), "answers 201"),
    (lambda d: d["components"]["responses"].update(Bad=error("bad_x")), "bad_y of the code index"),
    (lambda d: d["components"]["responses"].update(Bad=error("bad_x", "bad_y", "bad_z")),
     "bad_z is not in the code index"),
    (lambda d: d["paths"]["/v1/a"]["post"]["responses"].update({"400": error("too_large")}),
     "too_large is 413 in the code index"),
    (lambda d: d["paths"]["/v1/a"]["post"]["responses"].update({"500": {}}), "500 names no code"),
    (lambda d: d["components"]["parameters"].pop("id"), "leads nowhere"),
    (lambda d: d["paths"]["/v1/a"]["get"].update(parameters=[{"name": "x", "in": "path"}]),
     "other path parameters"),
    (lambda d: d["paths"]["/v1/a"]["get"].pop("security"), "who may call it"),
    (lambda d: d["paths"]["/v1/a"]["get"].update(operationId="b"), "given twice"),
])
def test_what_does_not_fit_is_named(good, capsys, spoil, text):
    spoil(good.document)
    assert run(good) == 1
    assert text in capsys.readouterr().out


def test_a_contract_without_indexes_fails(good):
    good.write(check_openapi.CONTRACT, "# API\n")
    assert run(good) == 1
