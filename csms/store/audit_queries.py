"""The audit log as the API shows it. Knows rows; nothing of a caller's rights."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from csms.store.jsontext import value_of
from csms.store.paging import Page, cursor_of, key_of, page_of
from csms.store.tables import audit_log
from csms.store.times import micros, text_of

a = audit_log
MOST_SEARCHED = 20_000  # rows that a search for text looks at in one request


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None does not filter. `since` <= at < `until`; `text` anywhere in subject or details."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


def find(wanted: AuditFilter, after: str | None, most: int, connection: Connection) -> Page:
    """At most `most` entries, newest first.

    A search for text looks at a bounded number of entries; the page then goes on where it stopped.
    """
    query = _selected(wanted).order_by(a.c.audit_id.desc())
    if after is not None:
        query = query.where(a.c.audit_id < key_of(after, (int,))[0])
    if wanted.text is None:
        rows = list(connection.execute(query.limit(most + 1)))
        return page_of(rows, most, _shown, lambda row: (row.audit_id,))
    return _search(wanted.text, query, most, connection)


def _search(text: str, query: Select[Any], most: int, connection: Connection) -> Page:
    looked = query.limit(MOST_SEARCHED).subquery()
    told = [looked.c[name].icontains(text, autoescape=True) for name in ("subject", "details")]
    found = select(looked).where(or_(*told)).order_by(looked.c.audit_id.desc()).limit(most + 1)
    rows = list(connection.execute(found))
    page = page_of(rows, most, _shown, lambda row: (row.audit_id,))
    if page.next is not None:
        return page
    last = connection.execute(query.offset(MOST_SEARCHED - 1).limit(1)).one_or_none()
    return page if last is None else page._replace(next=cursor_of(last.audit_id))


def _selected(wanted: AuditFilter) -> Select[Any]:
    query = select(a)
    for name in ("actor", "action", "subject"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(a.c[name] == value)
    if wanted.since is not None:
        query = query.where(a.c.at >= micros(wanted.since))
    if wanted.until is not None:
        query = query.where(a.c.at < micros(wanted.until))
    return query


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "audit_id": str(row.audit_id),
        "at": text_of(row.at),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "address": row.address,
        "before": None if row.before is None else value_of(row.before),
        "details": value_of(row.details),
    }
