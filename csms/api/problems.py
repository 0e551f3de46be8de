"""Errors as `application/problem+json` (RFC 9457). Knows every error's status; tells nothing of the inside.

One table says which named error is which HTTP status; whatever is not named is a 500 whose cause goes to
the log under the same request id, never to the caller.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from csms.errors import (
    CommandQueueFull,
    Conflict,
    CsmsError,
    DoorBusy,
    InvalidInput,
    NotFound,
    StoreUnavailable,
)

MEDIA_TYPE = "application/problem+json"
URN = "urn:csms:problem:"

STATUS: dict[type[CsmsError], int] = {
    NotFound: 404,
    Conflict: 409,
    InvalidInput: 422,
    CommandQueueFull: 503,
    DoorBusy: 503,
    StoreUnavailable: 503,
}
SLUGS = {
    401: ("not-authenticated", "No valid API key"),
    403: ("not-allowed", "This API key may not do this"),
    404: ("not-found", "There is no such record"),
    405: ("method-not-allowed", "This resource has no such method"),
    406: ("not-acceptable", "This form is not offered"),
    409: ("conflict", "The request contradicts what is stored"),
    413: ("too-large", "The request is too large"),
    422: ("invalid", "The request has values that cannot be used"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "The server failed"),
    501: ("not-installed", "This server does not have what it takes"),
    503: ("unavailable", "The server cannot do this now"),
}


class FieldProblem(BaseModel):
    """One field that cannot be used."""

    field: str = Field(description="Where it is: `body.latitude`, `query.limit`, `path.identity`.")
    problem: str = Field(description="What is wrong with it.")
    fix: str = Field(description="What to do about it.")


class ProblemBody(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="Names the kind of error; stable, for programs.")
    title: str = Field(description="The kind of error, for people; always the same for one type.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened this time, and what to do.")
    instance: str | None = Field(
        default=None, description="Names this occurrence; the server's log has it too."
    )
    errors: list[FieldProblem] | None = Field(default=None, description="Every field that cannot be used.")


class Problem(HTTPException):
    """An answer that is an error, raised from wherever it is noticed."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.errors = tuple(errors)


def invalid(field: str, problem: str, fix: str) -> Problem:
    """A 422 about one field."""
    return Problem(422, f"{field}: {problem}", errors=(FieldProblem(field=field, problem=problem, fix=fix),))


def problem_response(
    status: int,
    detail: str,
    *,
    errors: Iterable[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    instance: str | None = None,
) -> Response:
    """The body and media type of an error."""
    slug, title = SLUGS.get(status, (f"http-{status}", "The request was not served"))
    body: dict[str, Any] = {"type": URN + slug, "title": title, "status": status, "detail": detail}
    if instance is not None:
        body["instance"] = instance
    listed = [error.model_dump() for error in errors]
    if listed:
        body["errors"] = listed
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    for kind in STATUS:
        app.add_exception_handler(kind, _on_named_error)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` entry of the errors an operation may give."""
    return {
        status: {
            "description": SLUGS[status][1],
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _example(status)}
            },
        }
        for status in sorted(statuses)
    }


def _example(status: int) -> dict[str, Any]:
    slug, title = SLUGS[status]
    return {
        "type": URN + slug,
        "title": title,
        "status": status,
        "detail": EXAMPLE_DETAILS.get(status, title),
    }


EXAMPLE_DETAILS = {
    401: "Send `Authorization: Bearer KEY` with a key that is registered and not revoked.",
    403: "The role viewer may not do this; it needs admin.",
    404: "There is no such record: charging station CS-0001",
    409: "This Idempotency-Key was used with another body.",
    413: "The body may have 1048576 bytes.",
    422: "body.latitude: Input should be less than or equal to 90",
    503: "The database does not take writes; nothing was stored.",
}


async def _on_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code == 400:
        return problem_response(422, f"{UNREADABLE.field}: {UNREADABLE.problem}", errors=(UNREADABLE,))
    errors = exc.errors if isinstance(exc, Problem) else ()
    return problem_response(exc.status_code, str(exc.detail), errors=errors, headers=exc.headers)


# FastAPI's own 400 is for a body that is not UTF-8, too deep, or holds a number of thousands of digits. To
# whoever sent it, that is like any other that is no JSON.
UNREADABLE = FieldProblem(field="body", problem="not valid JSON", fix="Send one JSON object in UTF-8.")


async def _on_named_error(request: Request, exc: Exception) -> Response:
    status = next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)
    headers = {"Retry-After": "5"} if status == 503 else None
    errors = _named_field(exc) if isinstance(exc, InvalidInput) else ()
    return problem_response(status, str(exc), errors=errors, headers=headers)


def _named_field(exc: InvalidInput) -> tuple[FieldProblem, ...]:
    """The field, where the text begins with one: `after: this is no cursor`."""
    field, colon, problem = str(exc.args[0] if exc.args else "").partition(": ")
    if not colon or not field.isidentifier():
        return ()
    return (FieldProblem(field=field, problem=problem, fix=FIXES.get(field, DEFAULT_FIX)),)


async def _on_validation_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    errors = [field_problem(error) for error in exc.errors()]
    return problem_response(422, f"{errors[0].field}: {errors[0].problem}", errors=errors)


def field_problem(error: Mapping[str, Any]) -> FieldProblem:
    """One pydantic error in our form. The value itself is not repeated: it may be a secret."""
    where = ".".join(str(part) for part in error["loc"])
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind == "json_invalid":
        return FieldProblem(
            field="body", problem=f"not valid JSON: {context.get('error', '')}", fix=FIXES[kind]
        )
    fix = FIXES.get(kind, DEFAULT_FIX)
    known = {name: value for name, value in context.items() if isinstance(value, str | int | float)}
    try:
        fix = fix.format(**known)
    except KeyError:
        fix = DEFAULT_FIX
    return FieldProblem(field=where, problem=str(error["msg"]), fix=fix)


DEFAULT_FIX = "Send a value of the form the OpenAPI document describes."
FIXES = {
    "after": "Use the `next` of the page before, unchanged.",
    "missing": "Add this field.",
    "extra_forbidden": "Remove this field; it is not known here.",
    "json_invalid": "Send one JSON object in UTF-8.",
    "literal_error": "Use one of: {expected}.",
    "enum": "Use one of: {expected}.",
    "union_tag_invalid": "Use one of: {expected_tags}.",
    "union_tag_not_found": "Name it in the field {discriminator}.",
    "string_type": "Send text in quotes.",
    "string_too_short": "Send at least {min_length} characters.",
    "string_too_long": "Send at most {max_length} characters.",
    "string_pattern_mismatch": "Send text that matches {pattern}.",
    "int_parsing": "Send a whole number.",
    "int_type": "Send a whole number, not in quotes.",
    "int_from_float": "Send a whole number.",
    "float_type": "Send a number, not in quotes.",
    "bool_type": "Send true or false.",
    "bool_parsing": "Send true or false.",
    "finite_number": "Send a finite number.",
    "greater_than": "Send a number above {gt}.",
    "greater_than_equal": "Send {ge} or more.",
    "less_than": "Send a number below {lt}.",
    "less_than_equal": "Send {le} or less.",
    "too_short": "Send at least {min_length} items.",
    "too_long": "Send at most {max_length} items.",
    "timezone_aware": "Add the offset from UTC, for instance Z.",
    "datetime_from_date_parsing": "Send RFC 3339 with an offset: 2026-01-01T10:00:00Z.",
    "datetime_parsing": "Send RFC 3339 with an offset: 2026-01-01T10:00:00Z.",
    "datetime_type": "Send RFC 3339 with an offset: 2026-01-01T10:00:00Z.",
    "model_attributes_type": "Send one JSON object.",
    "dict_type": "Send one JSON object.",
    "list_type": "Send a JSON array.",
}
