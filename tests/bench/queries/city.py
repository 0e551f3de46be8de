"""A large network's year, written straight into a migrated database: stations, sessions, prices, totals.

Everything is computed from row numbers by the database itself, so that ten million sessions take minutes
and the same size gives the same rows on SQLite and PostgreSQL. Totals are summed from the sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Index, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateIndex, DropIndex

from csms.domain.meter import ENERGY_IMPORT_REGISTER
from csms.domain.power import POWER
from csms.domain.registers import MeterState
from csms.domain.sequence import SequenceState
from csms.store.migrations import upgrade
from csms.store.reading_rows import kind_of
from csms.store.session_codec import Progress
from csms.store.tables import metadata

OPERATORS = 47
SITES = 2_077
TOKENS = 200_000
DAYS = 365
ZONE_H = 8
CHUNK = 500_000
MICROS = 1_000_000
HOUR = 3_600 * MICROS
DAY = 24 * HOUR
FLAGGED_EVERY = 500
TOLD_LAST = 1_000_000  # the orders of so many sessions are still in the outbox
PROGRESS = msgspec.json.encode(Progress(SequenceState(), MeterState())).decode()
HEARD_EVERY = 1_000  # one session in so many has its messages
MESSAGES = 20
ENERGY = kind_of(ENERGY_IMPORT_REGISTER, "", "outlet", "sample.periodic")
POWERED = kind_of(POWER, "", "outlet", "sample.periodic")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is, and until when. The year ends at `until`, which is a full hour."""

    stations: int
    sessions: int
    until: datetime

    @property
    def since(self) -> datetime:
        """When the first session began."""
        return self.until - timedelta(days=DAYS)

    @property
    def live(self) -> int:
        """The newest sessions, which still run: one station in five."""
        return min(self.stations // 5, self.sessions // 10)


async def fill(url: str, size: Size, say: Callable[[str], None]) -> None:
    """Bring the database up to date and fill it. It has to be empty."""
    await asyncio.to_thread(upgrade, url)
    engine = create_async_engine(_with_driver(url))
    indexes = _indexes()
    async with engine.begin() as connection:
        for index in indexes:
            await connection.execute(DropIndex(index, if_exists=True))
    for name, statement in statements(size):
        say(name)
        async with engine.begin() as connection:
            await connection.exec_driver_sql(_spoken(statement, engine.dialect.name))
    for index in indexes:
        say(str(index.name))
        async with engine.begin() as connection:
            await connection.execute(CreateIndex(index))
    await _settle(engine)
    await engine.dispose()


def _indexes() -> list[Index]:
    """Indexes are made afterwards: sorted once instead of updated ten million times."""
    return [index for table in metadata.sorted_tables for index in sorted(table.indexes, key=_name)]


def _name(index: Index) -> str:
    return str(index.name)


async def _settle(engine: AsyncEngine) -> None:
    """What an old database knows of itself."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # PostgreSQL's own autovacuum would have been there many times in a year.
        await connection.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
        if engine.dialect.name == "sqlite":
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1).replace(
        "sqlite://", "sqlite+aiosqlite://", 1
    )


def _spoken(statement: str, dialect: str) -> str:
    """`{numbers:A:B}` is a table `n` of the numbers from A up to B."""
    before, _, rest = statement.partition("{numbers:")
    if not rest:
        return statement
    span, _, after = rest.partition("}")
    first, last = (int(word) for word in span.split(":"))
    if dialect == "postgresql":
        counted = f"generate_series({first}::bigint, {last - 1}::bigint) AS s(i)"
        return f"{before}(SELECT i FROM {counted}) AS n{after}"
    counted = f"WITH RECURSIVE c(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM c WHERE i < {last - 1})"
    return f"{before}({counted} SELECT i FROM c) AS n{after}"


def statements(size: Size) -> Iterator[tuple[str, str]]:
    """What fills the database, in order, each with a name to show."""
    until = _micros(size.until)
    yield "operators", OPERATOR.format(n=f"{{numbers:0:{OPERATORS}}}")
    yield "sites", SITE.format(n=f"{{numbers:0:{SITES}}}", operators=OPERATORS)
    yield "stations", STATION.format(n=f"{{numbers:0:{size.stations}}}", at=until, **_PLACES)
    for connector in (1, 2):
        yield (
            "connectors",
            CONNECTOR.format(n=f"{{numbers:0:{size.stations}}}", connector=connector, at=until, hour=HOUR),
        )
    yield "tokens", TOKEN.format(n=f"{{numbers:0:{min(TOKENS, size.sessions)}}}", at=until)
    for first in range(0, size.sessions, CHUNK):
        last = min(first + CHUNK, size.sessions)
        yield f"sessions {last:,}", _session(size).replace("{n}", f"{{numbers:{first}:{last}}}")
    yield "sessions that run", RUNNING.format(above=size.sessions - size.live)
    yield "costs", COST
    yield "orders told", ORDER.format(above=size.sessions - TOLD_LAST)
    for kind in (ENERGY, POWERED):
        yield "kinds of readings", KIND.format(**kind._asdict())
    yield (
        "messages",
        MESSAGE.format(
            n=f"{{numbers:0:{MESSAGES}}}", every=HEARD_EVERY, energy=ENERGY.kind_id, power=POWERED.kind_id
        ),
    )
    yield "hours of sessions", SESSION_HOUR.format(hour=HOUR)
    yield from _totals(size)


def _session(size: Size) -> str:
    step = int(timedelta(days=DAYS).total_seconds()) * MICROS // size.sessions
    at = f"({_micros(size.since)} + i * {step})"
    # Begun in the first third of an hour and over before its end: an hour of a session is a session.
    begun = f"({at} / {HOUR} * {HOUR} + {at} % {HOUR} / 3)"
    names = {
        "begun": begun, "stations": size.stations, "flagged": FLAGGED_EVERY, "tokens": TOKENS,
        "progress": PROGRESS, "every": HEARD_EVERY, "messages": MESSAGES, **_PLACES,
    }  # fmt: skip
    sql = SESSION
    for name, value in names.items():
        sql = sql.replace(f"{{{name}}}", str(value))
    return sql


def _totals(size: Size) -> Iterator[tuple[str, str]]:
    for level, subject in (("site", "site_id"), ("operator", "operator_id")):
        yield f"hours of {level}s", TOTAL.format(
            period="hour", level=level, subject=subject, evse=0, connector=0, start="hour",
            until=f"hour + {HOUR}", where="1 = 1", at=_micros(size.until), more=subject,
        )  # fmt: skip
    local = f"((hour + {ZONE_H * HOUR}) / {DAY} * {DAY} - {ZONE_H * HOUR})"
    for level, subject, evse, connector in LEVELS:
        parts = {"level": level, "subject": subject, "evse": evse, "connector": connector}
        more = f"{subject}, evse, connector" if level == "connector" else subject
        yield f"days of {level}s", TOTAL.format(
            period="day", start=local, until=f"{local} + {DAY}", where="1 = 1", at=_micros(size.until),
            more=more, **parts,
        )  # fmt: skip
        for start, end in _months(size):
            yield f"months of {level}s", TOTAL.format(
                period="month", start=_micros(start), until=_micros(end), at=_micros(size.until), more=more,
                where=f"hour >= {_micros(start)} AND hour < {_micros(end)}", **parts,
            )  # fmt: skip


def _months(size: Size) -> Iterator[tuple[datetime, datetime]]:
    """The months of the year that the network's zone has."""
    shift = timedelta(hours=ZONE_H)
    start = (size.since + shift).replace(day=1, hour=0)
    while start - shift < size.until:
        end = (start + timedelta(days=32)).replace(day=1)
        yield start - shift, end - shift
        start = end


def _micros(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp()) * MICROS


LEVELS = (
    ("connector", "station_id", "evse", "connector"),
    ("station", "station_id", "0", "0"),
    ("site", "site_id", "0", "0"),
    ("operator", "operator_id", "0", "0"),
)
# A station's site and operator follow from its number; a site's operator from the site's.
_PLACES = {
    "site": f"(s % {SITES} + 1)",
    "operator": f"(s % {SITES} % {OPERATORS} + 1)",
}
OPERATOR = """
INSERT INTO operators (operator_id, code, name, time_zone)
SELECT i + 1, 'OP' || (1000000 + i), 'Operator ' || i, 'Asia/Shanghai' FROM {n}
"""
SITE = """
INSERT INTO sites (site_id, operator_id, code, name, latitude, longitude)
SELECT i + 1, i % {operators} + 1, 'SITE-' || (10000 + i), 'Site ' || i,
       39.7 + (i % 61) * 0.008, 116.1 + (i % 83) * 0.008 FROM {n}
"""
STATION = """
INSERT INTO charging_stations (station_id, identity, site_id, operator_id, boot_status, vendor, model,
    serial_number, firmware_version, ocpp_version, remote_address, connected_at, last_seen_at,
    disconnected_at, created_at)
SELECT s + 1, 'CS-' || (1000000 + s), {site}, {operator}, 'accepted', 'Vendor ' || s % 9, 'M' || s % 23,
       'SN' || (s * 7), '1.' || s % 5, CASE s % 3 WHEN 0 THEN '1.6' WHEN 1 THEN '2.0.1' ELSE '2.1' END,
       '10.0.0.1', {at} - 86400000000, {at} - s % 300 * 1000000,
       CASE WHEN s % 20 = 0 THEN {at} - s * 1000000 END, {at} - 31536000000000
FROM (SELECT i AS s FROM {n}) AS numbered
"""
CONNECTOR = """
INSERT INTO connectors (station_id, evse, connector, status, error_code, info, vendor_error, since,
    received_at)
SELECT i + 1, {connector}, 1,
       CASE WHEN i % 40 = 7 THEN 'faulted' WHEN {connector} = 1 AND i % 5 = 1 THEN 'charging'
            ELSE 'available' END,
       CASE WHEN i % 40 = 7 THEN 'GroundFailure' ELSE '' END, '', '', {at} - {hour}, {at} - {hour}
FROM {n}
"""
TOKEN = """
INSERT INTO id_tokens (folded, token, type, status, concurrent_limit, updated_at)
SELECT 'tok' || i, 'TOK' || i, 'ISO14443', CASE WHEN i % 50 = 0 THEN 'blocked' ELSE 'accepted' END, 1, {at}
FROM {n}
"""
SESSION = """
INSERT INTO sessions (session_id, station_id, site_id, operator_id, ocpp_version, transaction_id, start_key,
    evse, connector, token, token_folded, token_type, "authorization", authorization_reason, state,
    started_at, received_at, ended_at, end_received_at, meter_start_wh, meter_stop_wh, energy_wh,
    energy_source, stop_reason, flags, revision, charging_state, last_event_at, progress, heard)
SELECT i + 1, s + 1, {site}, {operator}, CASE s % 3 WHEN 0 THEN '1.6' WHEN 1 THEN '2.0.1' ELSE '2.1' END,
       CAST(i AS TEXT), 'k' || i, i % 2 + 1, 1, 'TOK' || t, 'tok' || t, 'ISO14443', 'accepted', '',
       'ended', begun, begun + 500000, begun + w * 1000000, begun + w * 1000000 + 500000,
       i, i + e, e, 'registers', CASE i % 9 WHEN 0 THEN 'EVDisconnected' ELSE 'Local' END,
       CASE WHEN i % {flagged} = 0 THEN ',gap,' ELSE '' END, 1, '', begun + w * 1000000, '{progress}',
       CASE WHEN (i + 1) % {every} = 0 THEN {messages} ELSE 0 END
FROM (
    SELECT i, i * 48271 % {stations} AS s, i * 31 % {tokens} AS t, 600 + i * 69621 % 1700 AS w,
           5000 + i * 16807 % 40000 AS e, {begun} AS begun
    FROM {n}
) AS made
"""
RUNNING = """
UPDATE sessions SET state = 'active', ended_at = NULL, end_received_at = NULL, meter_stop_wh = NULL,
    stop_reason = '' WHERE session_id > {above}
"""
COST = """
INSERT INTO session_costs (session_id, revision, at, session_revision, digest, version_id, energy_wh,
    currency, elec_money, service_money, total, lines)
SELECT session_id, 1, ended_at, 1, 'd' || session_id, 1, energy_wh, 'CNY',
       (energy_wh * 8 / 10000) || '.00', (energy_wh * 8 / 10000) || '.00',
       (energy_wh * 8 / 10000 * 2) || '.00', '[]'
FROM sessions WHERE state = 'ended'
"""
ORDER = """
INSERT INTO outbox (platform, kind, key, about, payload, due_at, created_at, state, attempts, sent_at, answer)
SELECT 'city', 'charge-order', CAST(session_id AS TEXT), session_id || '/1', '{{}}', ended_at, ended_at,
       CASE WHEN session_id % 100000 = 0 THEN 'waiting' ELSE 'sent' END, 1, ended_at + 1000000, '{{"Ret":0}}'
FROM sessions WHERE session_id > {above} AND state = 'ended'
"""
KIND = """
INSERT INTO reading_kinds (kind_id, measurand, phase, location, context)
VALUES ({kind_id}, '{measurand}', '{phase}', '{location}', '{context}')
"""
MESSAGE = """
INSERT INTO session_messages (session_id, key_number, key, nth, kind, message_id, at, received_at,
    payload_hash, facts, evse, samples, action, request)
SELECT session_id, i + 2, '', i + 1, 'metered', 'm' || i, started_at + i * 30000000,
       started_at + i * 30000000 + 300000, '', '', evse,
       '[[' || (started_at + i * 30000000) || ',[[{energy},' || ((meter_start_wh + i * 250) * 1000)
           || '],[{power},' || (30000000 - i * 1000000) || ']]]]',
       'MeterValues', '{{"connectorId":1}}'
FROM sessions, {n} WHERE session_id % {every} = 0
"""
SESSION_HOUR = """
INSERT INTO session_hours (session_id, hour, operator_id, site_id, station_id, evse, connector, energy_wh,
    charging_s, starts)
SELECT session_id, started_at / {hour} * {hour}, operator_id, site_id, station_id, evse, connector,
       energy_wh, (COALESCE(ended_at, last_event_at) - started_at) / 1000000, 1
FROM sessions
"""
TOTAL = """
INSERT INTO totals (period, level, subject_id, evse, connector, start, until, operator_id, energy_wh,
    sessions, charging_s, revision, computed_at, closed_at)
SELECT '{period}', '{level}', {subject}, {evse}, {connector}, start, until, MIN(operator_id),
       SUM(energy_wh), SUM(starts), SUM(charging_s), 1, {at}, {at}
FROM (SELECT h.*, {start} AS start, {until} AS until FROM session_hours h WHERE {where}) AS spans
GROUP BY {more}, start, until
"""
