"""Errors: problem+json with status, kind and what to do, and nothing of the inside."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.api.problems import STATUS, field_problem
from csms.errors import CommandQueueFull, Conflict, InvalidInput, NotFound, StoreUnavailable


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("site S1"), 404),
        (Conflict("x"), 409),
        (InvalidInput("x"), 422),
        (StoreUnavailable(), 503),
        (CommandQueueFull("CS-0001"), 503),
    ],
)
async def test_each_named_error_has_its_status(desk: Any, error: Exception, status: int) -> None:
    """Wherever it is raised; the text is the error's own."""

    async def fail() -> None:
        raise error

    desk.app.add_api_route("/fails", fail)
    async with desk.anonymous() as client:
        answer = await client.get("/fails")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == str(error)
    assert answer.json()["type"].startswith("urn:csms:problem:")
    assert (answer.headers.get("Retry-After") is not None) == (status == 503)


async def test_an_unknown_error_tells_nothing(desk: Any) -> None:
    """500 with a number; the cause stands under the same number in the log."""

    async def fail() -> None:
        raise RuntimeError("canary: SELECT password FROM secrets")

    desk.app.add_api_route("/fails", fail)
    with capture_logs() as logs:
        async with desk.anonymous() as client:
            answer = await client.get("/fails")

    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert answer.json()["instance"].endswith(logs[0]["request"])
    assert "canary" in str(logs[0]["exc_info"])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"{", ["body"]),
        (b"", ["body"]),
        (b"[]", ["body"]),
        (b'{"code":"123456789"}', ["body.name", "body.time_zone"]),
        (b'{"code":"12345678","name":"x","time_zone":"UTC"}', ["body.code"]),
        (b'{"code":"123456789","name":"","time_zone":"UTC"}', ["body.name"]),
        (b'{"code":"123456789","name":"a\\u0000b","time_zone":"UTC"}', ["body.name"]),
        (b'{"code":"123456789","name":"\\ud800","time_zone":"UTC"}', ["body.name"]),
        (b'{"code":"123456789","name":"x","time_zone":"Mars/North"}', ["body.time_zone"]),
        (b'{"code":"123456789","name":"x","time_zone":"../../etc/passwd"}', ["body.time_zone"]),
        (b'{"code":"123456789","name":"x","time_zone":"UTC","admin":1}', ["body.admin"]),
        (b'{"code":123456789,"name":"x","time_zone":"UTC"}', ["body.code"]),
    ],
)
async def test_a_body_that_cannot_be_used(desk: Any, body: bytes, fields: list[str]) -> None:
    """422 names every field, what is wrong with it, and what to do."""
    async with await desk.client() as client:
        answer = await client.post(
            "/api/v1/operators", content=body, headers={"content-type": "application/json"}
        )

    assert answer.status_code == 422, answer.text
    errors = answer.json()["errors"]
    assert [error["field"] for error in errors] == fields
    assert all(error["problem"] and error["fix"] for error in errors)


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"code": 1e999999}', b"1" * 10_000]
)
async def test_a_body_made_to_hurt(desk: Any, body: bytes) -> None:
    """An error of the asker, whatever it is; never a failure of the server."""
    async with await desk.client() as client:
        answer = await client.post(
            "/api/v1/operators", content=body, headers={"content-type": "application/json"}
        )

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_value_is_not_repeated() -> None:
    """What cannot be used may be a secret: the problem names the field, not its value."""
    error = {"type": "string_too_short", "loc": ("body", "password"), "msg": "too short", "input": "canary"}

    told = field_problem({**error, "ctx": {"min_length": 16}})

    assert told.fix == "Send at least 16 characters."
    assert "canary" not in told.model_dump_json()


def test_a_kind_nobody_foresaw_still_says_what_to_do() -> None:
    """Also when the context lacks what the text wants."""
    for kind in ("some_new_kind", "less_than"):
        told = field_problem({"type": kind, "loc": ("query", "x"), "msg": "bad"})
        assert told.field == "query.x"
        assert "OpenAPI" in told.fix


def test_no_error_is_mapped_twice() -> None:
    """A subclass of a mapped error gets the status of the nearest."""
    assert len(STATUS) == len(set(STATUS))
