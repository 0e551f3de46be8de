"""The file of one period of a schedule. Knows reports by name; not where files go."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

from csms.books.desk import Desk
from csms.books.exporting import Look
from csms.books.fields import Language
from csms.books.statement_page import statement_page
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.audit_queries import AuditFilter
from csms.store.jsontext import json_of
from csms.store.reports import TotalFilter
from csms.store.schedules import ScheduleForm
from csms.store.sessions import SessionFilter

FORMS: dict[str, tuple[str, ...]] = {
    "statement": ("xlsx", "html", "json"),
    "sessions": ("csv", "xlsx", "parquet"),
    "orders": ("csv", "xlsx", "parquet"),
    "totals": ("csv", "xlsx", "parquet"),
    "audit": ("csv", "xlsx", "parquet"),
}


class Span(NamedTuple):
    """From (inclusive) to (exclusive), and its name."""

    since: datetime
    until: datetime
    label: str


def check(form: ScheduleForm) -> None:
    """Raises InvalidInput for a report that no schedule can make."""
    if form.form not in FORMS[form.report]:
        raise InvalidInput(f"format: {form.report} is made as {', '.join(FORMS[form.report])}")
    if form.report == "statement" and (form.every != "month" or form.operator is None):
        raise InvalidInput("report: a statement is of one operator, every month")
    if form.report == "audit" and form.operator is not None:
        raise InvalidInput("report: the audit log is that of the whole network")


async def parts(desk: Desk, form: ScheduleForm, span: Span, now: datetime) -> AsyncGenerator[bytes, None]:
    """The file, in parts."""
    with desk.turn():
        async with aclosing(_parts(desk, form, span, now)) as found:
            async for part in found:
                yield part


async def _parts(desk: Desk, form: ScheduleForm, span: Span, now: datetime) -> AsyncGenerator[bytes, None]:
    if form.report == "statement":
        whose = form.operator or ""
        async for part in statement(desk, whose, span.label, form.form, form.language, now):
            yield part
        return
    operator, since, until = form.operator, span.since, span.until
    export = {
        "sessions": lambda: desk.sessions(SessionFilter(operator, since=since, until=until)),
        "orders": lambda: desk.orders(SessionFilter(operator, since=since, until=until)),
        "totals": lambda: desk.totals(
            TotalFilter(
                form.options.get("by", "day"),
                form.options.get("of", "site"),
                None,
                Scope(operator),
                since,
                until,
            )
        ),
        "audit": lambda: desk.audit(AuditFilter(since=since, until=until)),
    }[form.report]()
    language: Language = "zh-CN" if form.language == "zh-CN" else "en"
    look = Look(form.form, language, form.time_zone, mark=True)  # type: ignore[arg-type]  # checked at the door
    async for part in desk.stream(export, look):
        yield part


async def statement(
    desk: Desk, operator: str, month: str, form: str, language: str, now: datetime
) -> AsyncGenerator[bytes, None]:
    """A statement as xlsx, html or json, in parts. Raises NotFound, InvalidInput for the month."""
    made = await desk.statements.make(await desk.statements.month(operator, month), now)
    words: Language = "zh-CN" if language == "zh-CN" else "en"
    if form == "xlsx":
        async for part in desk.statement_book(made, words):
            yield part
    elif form == "html":
        yield statement_page(made.shown, words)
    else:
        yield json_of(made.shown).encode()


def name_of(form: ScheduleForm, schedule_id: int, delivery_id: int, label: str) -> str:
    """The file's name: the same at every try, and no other delivery's."""
    return f"{form.report}-{form.operator or 'network'}-{label}-{schedule_id}-{delivery_id}.{form.form}"
