"""The OpenAPI document says everything, and paths that are no resource are answered properly."""

from typing import Any

import pytest


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation there is."""
    return [(m, p, o) for p, methods in document["paths"].items() for m, o in methods.items()]


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference."""
    while "$ref" in schema:
        node: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


def test_every_operation_is_described(desk_document: dict[str, Any]) -> None:
    """Summary, description, tags, and a described schema of what comes back."""
    for method, path, operation in operations(desk_document):
        where = f"{method} {path}"
        assert operation.get("summary"), where
        assert operation.get("description"), where
        assert operation.get("tags"), where
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{where}: {parameter['name']}"


def test_every_error_is_a_problem_with_an_example(desk_document: dict[str, Any]) -> None:
    """Each operation of the API names its errors, in problem+json, with an example."""
    for method, path, operation in operations(desk_document):
        if not path.startswith("/api/"):
            continue
        errors = {code: each for code, each in operation["responses"].items() if int(code) >= 400}
        assert {"401", "403", "422", "500"} <= set(errors), (method, path)
        for code, error in errors.items():
            # What is wrong with an imported file is a report, which lists every row.
            report = {"application/json"} if path.endswith("/import") and code == "422" else set()
            assert set(error["content"]) == {"application/problem+json"} | report, (method, path, code)
            assert error["content"]["application/problem+json"]["example"]["status"] == int(code)


def test_what_any_operation_may_answer_is_told(desk_document: dict[str, Any]) -> None:
    """A body may be too large; a POST may repeat the key of another."""
    for method, path, operation in operations(desk_document):
        told = set(operation["responses"])
        assert "413" in told or "requestBody" not in operation, (method, path)
        assert "409" in told or method != "post" or operation.get("x-public"), (method, path)


def test_every_body_has_an_example(desk_document: dict[str, Any]) -> None:
    """A reader can copy a request and knows what an answer looks like."""
    for method, path, operation in operations(desk_document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            schema = resolve(desk_document, body["schema"])
            shown = "example" in body or "examples" in body or "examples" in schema
            assert shown or not schema.get("required"), (method, path)
        for code, response in operation["responses"].items():
            json_body = response.get("content", {}).get("application/json")
            if int(code) < 300 and json_body is not None:
                assert has_example(desk_document, json_body["schema"]), (method, path)


def has_example(document: dict[str, Any], schema: dict[str, Any], depth: int = 4) -> bool:
    """Whether a schema, its items or one of its fields shows an example."""
    schema = resolve(document, schema)
    if "examples" in schema or "example" in schema:
        return True
    inner = [schema.get("items"), *schema.get("properties", {}).values()]
    return depth > 0 and any(has_example(document, each, depth - 1) for each in inner if each)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/sessions", "/api/"])
async def test_no_such_path(desk: Any, path: str) -> None:
    """404 as a problem that says where to look."""
    async with desk.anonymous() as client:
        answer = await client.get(path)

    assert answer.status_code == 404
    assert "openapi.json" in answer.json()["detail"]


async def test_wrong_method(desk: Any) -> None:
    """405 says which methods there are."""
    async with await desk.client() as client:
        answer = await client.delete("/api/v1/sessions")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_document_is_served(desk: Any) -> None:
    """To anyone who reaches the port; nothing in it is secret."""
    async with desk.anonymous() as client:
        document = (await client.get("/api/v1/openapi.json")).json()

    assert document["openapi"].startswith("3.")
    assert "/api/v1/sessions" in document["paths"]
