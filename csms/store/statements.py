"""What the writer executes for each kind of record: Core statements, compiled once per database.

Knows tables and records. Does not know transactions or callers.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Dialect,
    Executable,
    Insert,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from csms.domain.charging_session import METERED
from csms.store import change_tables as ch
from csms.store import device_tables as d
from csms.store import records as r
from csms.store import tables as t

Rows = Sequence[tuple[Any, ...]]


class Prepared(NamedTuple):
    """SQL of one dialect. `pick` reorders a record into its parameters; None when they are in order."""

    sql: str
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = None

    def parameters(self, rows: Rows) -> Any:
        """`rows` as this statement wants them."""
        return rows if self.pick is None else [self.pick(row) for row in rows]


def upsert(dialect: Dialect) -> Callable[[Table], Any]:
    """`insert` of this database, which knows ON CONFLICT."""
    return sqlite.insert if dialect.name == "sqlite" else postgresql.insert


def prepare(statement: Executable, fields: Sequence[str], dialect: Dialect) -> Prepared:
    """Compile `statement`, whose bind parameters are named after `fields` of the record."""
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # every statement of ours has it
    assert isinstance(compiled, SQLCompiler)
    order = [fields.index(name) for name in compiled.positiontup or ()]
    sql = str(compiled)
    if order == list(range(len(fields))):
        return Prepared(sql)
    pick = itemgetter(*order)
    return Prepared(sql, pick if len(order) > 1 else lambda row: (pick(row),))


@cache
def statements(dialect: Dialect) -> dict[type, tuple[Prepared, ...]]:
    """The statements of each kind of record, in the order in which a commit executes them.

    A session comes before what belongs to it, a revision before the update that changes the energy it
    compares with.
    """
    up = upsert(dialect)
    made: dict[Any, list[Executable]] = {
        r.SessionInsert: [_insert(t.sessions, r.SessionInsert)],
        r.SessionRevisionRow: [_revision(up)],
        r.SessionUpdate: [_update(t.sessions, "session_id", r.SessionUpdate)],
        r.SessionProgress: [_progress()],
        r.SessionMessageRow: [_once(up, t.session_messages, _fields(r.SessionMessageRow))],
        r.NextReadingRow: [_next_reading(up)],
        r.ReadingKind: [_once(up, t.reading_kinds, r.ReadingKind)],
        r.ReadingRow: [_once(up, t.readings, _fields(r.ReadingRow))],
        r.SessionDue: [_due(up)],
        r.ConnectorStateRow: [_connector_history(), _connector_now(up)],
        r.StationBootUpdate: [_update(t.charging_stations, "station_id", r.StationBootUpdate)],
        r.StationEventRow: [_insert(d.station_events, r.StationEventRow)],
        r.VariableRow: [_variable(up)],
        r.OutboxRow: [_once(up, t.outbox, r.OutboxRow)],
        r.AuditRow: [_insert(t.audit_log, r.AuditRow)],
        r.SessionMark: [_once(up, ch.session_marks, r.SessionMark)],
        r.SessionUnmark: [_gone(ch.session_marks, r.SessionUnmark)],
        # Late: see `change_rows`.
        r.ChangeRow: [_insert(ch.changes, r.ChangeRow)],
    }
    return {
        kind: tuple(prepare(one, kind._fields, dialect) for one in several) for kind, several in made.items()
    }


WITH_KINDS: tuple[type[r.ReadingRow] | type[r.SessionMessageRow], ...] = (r.ReadingRow, r.SessionMessageRow)
"""Records that end with the kinds of their readings, which are rows of their own."""


def _fields(kind: Any) -> tuple[str, ...]:
    fields: tuple[str, ...] = kind._fields
    return fields[:-1] if kind in WITH_KINDS else fields


def _names(kind: Any) -> tuple[str, ...]:
    return kind if isinstance(kind, tuple) else kind._fields


def _insert(table: Table, kind: Any) -> Insert:
    return insert(table).values({name: bindparam(name) for name in _names(kind)}).inline()


def _once(up: Any, table: Table, kind: Any) -> Executable:
    """The first row of a key stays."""
    made: Executable = (
        up(table).values({name: bindparam(name) for name in _names(kind)}).inline().on_conflict_do_nothing()
    )
    return made


def _update(table: Table, key: str, kind: Any) -> Executable:
    values: dict[str, Any] = {name: bindparam(name) for name in kind._fields if name != key}
    return table.update().where(table.c[key] == bindparam(key)).values(values)


def _gone(table: Table, kind: Any) -> Executable:
    return table.delete().where(*(table.c[name] == bindparam(name) for name in kind._fields))


def _next_reading(up: Any) -> Executable:
    same = {"key": "", "kind": METERED, "payload_hash": "", "facts": ""}
    values: dict[str, Any] = {name: bindparam(name) for name in r.NextReadingRow._fields}
    values |= {name: literal_column(f"'{text}'") for name, text in same.items()}
    made: Executable = up(t.session_messages).values(values).inline().on_conflict_do_nothing()
    return made


def _progress() -> Executable:
    s = t.sessions
    values: dict[str, Any] = {
        name: bindparam(name) for name in r.SessionProgress._fields if name != "session_id"
    }
    is_news = s.c.heard < bindparam("heard", type_=s.c.heard.type)
    return s.update().where(s.c.session_id == bindparam("session_id"), is_news).values(values)


def _typed(table: Table, kind: Any) -> dict[str, BindParameter[Any]]:
    """Parameters with their columns' types: in a SELECT nothing else tells PostgreSQL."""
    return {name: bindparam(name, type_=table.c[name].type) for name in kind._fields}


def _revision(up: Any) -> Executable:
    s = t.sessions
    b = _typed(t.session_revisions, r.SessionRevisionRow)
    before = select(
        b["session_id"], b["revision"], b["at"], b["cause"], s.c.energy_wh, b["new_energy_wh"], b["snapshot"]
    ).where(s.c.session_id == b["session_id"])
    names = ["session_id", "revision", "at", "cause", "old_energy_wh", "new_energy_wh", "snapshot"]
    made: Executable = up(t.session_revisions).from_select(names, before).inline().on_conflict_do_nothing()
    return made


def _due(up: Any) -> Executable:
    mark = up(t.session_due).values(
        session_id=bindparam("session_id"), due_at=bindparam("due_at"), version=literal_column("1")
    )
    sooner = case(
        (mark.excluded.due_at < t.session_due.c.due_at, mark.excluded.due_at), else_=t.session_due.c.due_at
    )
    made: Executable = mark.inline().on_conflict_do_update(
        index_elements=["session_id"],
        set_={"due_at": sooner, "version": t.session_due.c.version + literal_column("1")},
    )
    return made


COMPARED = ("status", "error_code", "vendor_error")


def _connector_history() -> Executable:
    """Compares with the last row of the history, so that several changes in one commit are all kept."""
    h = d.connector_states
    b = _typed(h, r.ConnectorStateRow)
    place = and_(h.c.station_id == b["station_id"], h.c.evse == b["evse"], h.c.connector == b["connector"])
    last = h.alias("last")
    newest = select(func.max(h.c.state_id)).where(place).scalar_subquery()
    same = exists(
        select(last.c.state_id).where(last.c.state_id == newest, *(last.c[n] == b[n] for n in COMPARED))
    )
    return insert(h).from_select(list(b), select(*b.values()).where(~same)).inline()


def _connector_now(up: Any) -> Executable:
    made = up(d.connectors).values(
        {("since" if name == "at" else name): bindparam(name) for name in r.ConnectorStateRow._fields}
    )
    unchanged = and_(
        d.connectors.c.status == made.excluded.status, d.connectors.c.error_code == made.excluded.error_code
    )
    since = case((unchanged, d.connectors.c.since), else_=made.excluded.since)
    return _replace(made, d.connectors, since=since)


def _variable(up: Any) -> Executable:
    made = up(d.variables).values({name: bindparam(name) for name in r.VariableRow._fields})
    return _replace(made, d.variables)


def _replace(made: Any, table: Table, **other: Any) -> Executable:
    """The newer row takes the place of the older one of its key."""
    columns, keys = table.columns.keys(), table.primary_key.columns.keys()
    fresh = {name: made.excluded[name] for name in columns if name not in keys}
    replaced: Executable = made.inline().on_conflict_do_update(index_elements=keys, set_=fresh | other)
    return replaced
