"""Files as answers: at most so many at once, each on record, none held by somebody who does not read it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from csms.api import exports
from csms.api.audit import audit
from csms.api.auth import Principal
from csms.api.parts import ApiParts
from csms.api.problems import Problem
from csms.books.exporting import MEDIA_TYPES

READS_WITHIN_S = 60.0  # each part, which is a quarter of a megabyte at most

log = structlog.get_logger()


@contextmanager
def place(parts: ApiParts) -> Iterator[ExitStack]:
    """One of the places of files that are made at once: given back at the end, unless an answer takes it on.

    Raises Problem 503 while all are taken.
    """
    # Asked and taken in one breath: whoever awaited between the two would find others there.
    if not parts.books.has_room:
        detail = "As many files are being made as may be at once; nothing was started."
        raise Problem(503, detail, headers={"Retry-After": "10"})
    with ExitStack() as held:
        held.enter_context(parts.books.turn())
        yield held


async def keep_record(
    parts: ApiParts, request: Request, who: Principal, name: str, form: str, wanted: Any
) -> dict[str, Any]:
    """Put the export into the audit log; what was asked for, as it stands there."""
    asked = {key: _said(value) for key, value in asdict(wanted).items() if value not in (None, False)}
    await audit(parts, request, who, "export", name, {"format": form, "filter": asked})
    return asked


def attachment(
    parts: AsyncGenerator[bytes, None], form: str, name: str, held: ExitStack
) -> StreamingResponse:
    """A file to be saved under `name` (ASCII). `held` is let go when it is sent or given up."""
    return _Download(parts, disposition(name), MEDIA_TYPES[form], held.pop_all())


async def csv_file(
    parts: ApiParts,
    request: Request,
    who: Principal,
    table: tuple[str, tuple[str, ...], Any],
    wanted: Any,
    name: str,
) -> StreamingResponse:
    """A CSV file of a `table`: what it is called, its columns, its pages."""
    title, columns, pages = table
    with place(parts) as held:
        await keep_record(parts, request, who, title, "csv", wanted)
        return attachment(exports.csv_stream(columns, pages), "csv", name, held)


def disposition(name: str, kind: str = "attachment") -> dict[str, str]:
    """The header that names a file (RFC 6266)."""
    return {"Content-Disposition": f'{kind}; filename="{name}"'}


class _NotRead(Exception):
    """Who asked for the file has stopped reading it."""


class _Download(StreamingResponse):
    def __init__(
        self, content: AsyncGenerator[bytes, None], headers: dict[str, str], kind: str, held: ExitStack
    ) -> None:
        super().__init__(content, 200, headers, kind)
        self._content, self._held = content, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def within(message: Message) -> None:
            try:
                async with asyncio.timeout(READS_WITHIN_S):
                    await send(message)
            except TimeoutError as exc:
                raise _NotRead from exc

        with self._held:
            try:
                # What is not read to its end is closed all the same: its query stops, its file is gone.
                async with aclosing(self._content):
                    await super().__call__(scope, receive, within)
            except _NotRead:
                # The answer is not whole, so that the server closes the connection.
                log.info("download_not_read", path=scope["path"])


def _said(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
