"""Query parameters that lists share: page size, cursor, span of time. Knows no resource."""

from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from csms.api.forms import Instant
from csms.api.parts import Parts
from csms.api.problems import invalid

DEFAULT_LIMIT = 100
CURSOR_LONGEST = 300

After = Annotated[
    str | None,
    Query(
        max_length=CURSOR_LONGEST, description="The `next` of the page before; opaque.", examples=["WzE3XQ"]
    ),
]


def page_size(
    parts: Parts,
    limit: Annotated[
        int | None, Query(ge=1, description="Most records of the answer: 100 by default, 1,000 at most.")
    ] = None,
) -> int:
    """The number of records asked for. Raises Problem 422 above the limit."""
    most = parts.settings.http.page_limit
    if limit is not None and limit > most:
        raise invalid("query.limit", f"Input should be less than or equal to {most}", f"Send {most} or less.")
    return min(limit or DEFAULT_LIMIT, most)


Limit = Annotated[int, Depends(page_size)]


class Span(NamedTuple):
    """From (inclusive) to (exclusive)."""

    since: datetime | None
    until: datetime | None


def span(
    since: Annotated[
        Instant | None,
        Query(alias="from", description="From this time on.", examples=["2026-01-01T00:00:00Z"]),
    ] = None,
    until: Annotated[
        Instant | None, Query(alias="to", description="Before this time.", examples=["2026-02-01T00:00:00Z"])
    ] = None,
) -> Span:
    """The span of time asked for. Raises Problem 422 when it ends before it begins."""
    if since is not None and until is not None and until < since:
        raise invalid("query.to", "it lies before `from`", "Send a later time.")
    return Span(since, until)


TimeSpan = Annotated[Span, Depends(span)]


def known_parameters(request: Request) -> None:
    """Refuse query parameters nobody reads: a misspelt filter would select everything in silence."""
    route = request.scope["route"]
    known = _query_names(route.dependant)
    for name in request.query_params:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise invalid(f"query.{name}", "no such parameter", f"Parameters here: {listed}.")


def _query_names(dependant: object) -> set[str]:
    names = {field.alias for field in dependant.query_params}  # type: ignore[attr-defined]  # FastAPI's Dependant
    for inner in dependant.dependencies:  # type: ignore[attr-defined]  # as above
        names |= _query_names(inner)
    return names
