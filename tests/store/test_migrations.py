"""The tables that revisions make are the tables of this release, on both databases."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, select, text

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, SessionMessage
from csms.domain.meter import Reading
from csms.store import migrations, tariff_tables
from csms.store.database import Database, InlineDatabase
from csms.store.delivery_rows import raise_dispute
from csms.store.delivery_tables import disputes
from csms.store.migrations import is_current, upgrade, upgrade_database
from csms.store.outbox import put_down
from csms.store.platform_orders import OrderForm, PlatformOrders
from csms.store.reading_rows import kind_of
from csms.store.records import OutboxRow
from csms.store.session_codec import records_of
from csms.store.sessions import SessionStore
from csms.store.tables import metadata, readings
from csms.store.times import micros
from csms.store.writer import Write, Writer
from tests.conftest import POSTGRES, _postgres
from tests.store.given import HOUR, MINUTE, T0, a_message, a_session, start_of, stations


def differences(connection: Connection) -> list[object]:
    """What a new revision would have to do."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_revisions_make_the_tables_of_this_release(database: Database) -> None:
    """A database migrated from nothing differs in nothing from `tables`."""
    assert await database.look(differences) == []
    assert await is_current(database)


async def test_migrating_again_is_harmless(database: Database) -> None:
    """Every start migrates; several nodes may at once."""
    await asyncio.gather(upgrade_database(database), upgrade_database(database))

    assert await is_current(database)


def test_upgrade_needs_no_running_loop(tmp_path: Path) -> None:
    """`csms migrate` calls it; the folder is made where there is none."""
    upgrade(f"sqlite:///{tmp_path / 'new' / 'csms.db'}")

    assert (tmp_path / "new" / "csms.db").exists()


async def test_an_empty_database_is_not_current() -> None:
    """`doctor` and readiness can tell."""
    database = InlineDatabase()

    assert not await is_current(database)

    await database.close()


async def test_every_sqlite_table_is_strict(sqlite_url: str) -> None:
    """J15: text cannot get into a number's column."""
    database = await Database.open(sqlite_url)
    rows = await database.read(text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"))
    await database.close()

    loose = {row.name for row in rows if not row.strict} - {"sqlite_schema", "alembic_version"}
    assert loose == set()


async def test_every_index_is_there(database: Database) -> None:
    """Partial ones too."""

    def names(connection: Connection) -> set[str | None]:
        found = inspect(connection)
        return {index["name"] for table in found.get_table_names() for index in found.get_indexes(table)}

    wanted = {index.name for table in metadata.tables.values() for index in table.indexes}
    assert wanted <= await database.look(names)


async def test_orders_told_before_costs_were_kept_count(database: Database) -> None:
    """Revision 0003: the next order of such a session has a higher revision than the city has."""
    row = OutboxRow.of("city", "charge-order", "7", "7/1", {}, T0)
    others = [
        row._replace(platform="b"),
        row._replace(about="7/3/closed"),
        row._replace(kind="hour-total", about="7/9"),
    ]
    for one in (row, *others):
        await database.run(partial(put_down, [one]))
    versions = Path(migrations.__file__).parent / "versions"
    script = (versions / f"0003_tariffs.{database.dialect}.sql").read_text(encoding="utf-8")

    await database.execute(text(script.split(";\n")[-2]))

    (cost,) = await database.read(tariff_tables.session_costs.select())
    assert (cost.session_id, cost.revision, cost.digest, cost.total) == (7, 3, "", None)


async def test_disputes_find_their_sessions(database: Database) -> None:
    """Revision 0009: by our StartChargeSeq or the platform's own; what names no session has none."""
    (station,) = await stations(database)
    async with Writer(database, fence=False) as writer:
        await writer.write(start_of(station, a_session(station, 7)))
        await writer.write(start_of(station, a_session(station, 8)))
    form = OrderForm("city", "THEIRS", station.station_id, "CS-0001", 1, 1, "C", "T")
    await PlatformOrders(database).adopt(form, 8, T0)
    names = [f"123456789{7:018d}", f"123456789{9:018d}", "THEIRS", "MA1234567-no-number-of-ours"]
    disputed = {"source": "order-check", "about": "a", "their_power": "", "their_money": "", "raised_at": 0}
    for name in names:
        values = {"platform": "city", "start_charge_seq": name, **disputed}
        await database.run(partial(_raise, values))
    kept = select(disputes.c.session_id).order_by(disputes.c.dispute_id)
    raised = [row.session_id for row in await database.read(kept)]
    await database.execute(disputes.update().values(session_id=None))
    script = Path(migrations.__file__).parent / "versions" / f"0009_evidence.{database.dialect}.sql"

    (fill,) = [one for one in script.read_text(encoding="utf-8").split(";\n") if "UPDATE disputes" in one]
    await database.run(partial(_run, fill))

    assert [row.session_id for row in await database.read(kept)] == [7, None, 8, None] == raised


def _raise(values: dict[str, Any], connection: Connection) -> None:
    raise_dispute(connection, values)


def _run(statement: str, connection: Connection) -> None:
    connection.exec_driver_sql(statement)


MESSAGES = [  # key, kind, payload hash, facts, answer; in the order in which they came
    ("start", "started", "hash-start", '{"meter_start_wh":1000}', '{"transactionId":1001}'),
    (
        "metered:0123456789abcdef01234567",
        "metered",
        "0123456789abcdef0123456789abcdef",
        '{"readings":2}',
        None,
    ),
    ("41", "metered", "hash-41", '{"readings":0}', None),
    ("42", "metered", "hash-42", '{"readings":1}', '{"idTokenInfo":{"status":"Accepted"}}'),
    ("42#0123456789abcdef", "metered", "hash-42-other", '{"readings":1}', '{"n":2}'),
    ("1.0", "metered", "hash-1.0", '{"readings":1}', None),
    ("stop", "ended", "hash-stop", '{"reason":"local"}', '{"idTagInfo":{"status":"Accepted"}}'),
    ("stop#0123456789abcdef", "ended", "hash-stop-2", "{}", None),
]
ENERGY = kind_of("energy.active.import.register", "", "", "")
VOLTAGE = kind_of("voltage", "l1-n", "", "")
READINGS = [  # owner (a station below zero), minute, EVSE, part, samples
    (1, 0, 1, 7, [[ENERGY.kind_id, 1_000_000]]),
    (1, 1, 1, 8, [[ENERGY.kind_id, 1_100_000], [VOLTAGE.kind_id, None, "n/a"]]),
    (1, 1, 1, 9, [[ENERGY.kind_id, 1_999_000]]),  # the same again with another value: the first one counts
    (1, 2, 1, 8, [[VOLTAGE.kind_id, 230_000]]),
    (2, 1, 2, 8, [[ENERGY.kind_id, 5_000]]),
    (-1, 0, 1, 5, [[ENERGY.kind_id, 77_000], [VOLTAGE.kind_id, 231_500, "0.2315 kV"]]),
    (-2, 1, 2, 6, [[VOLTAGE.kind_id, 1]]),
]


def to_first_release(connection: Connection) -> None:
    """Only the tables of the first release."""
    config = migrations._config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def put(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """A row in words that every release understands."""
    names, values = (", ".join(f"{mark}{name}{end}" for name in row) for mark, end in (('"', '"'), (":", "")))
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def told_by_the_first_release(connection: Connection) -> None:
    """Two stations, a session of each, and what was said: in the shapes of the first release."""
    to_first_release(connection)
    for number in (1, 2):
        put(
            connection,
            "charging_stations",
            {"station_id": number, "identity": f"CS-{number}", "created_at": 0},
        )
        session = a_session(ChargingStation(number, f"CS-{number}"), number)
        (insert, *_) = records_of(Change(session, is_new=True), ChargingStation(number, f"CS-{number}"))
        put(connection, "sessions", {name: v for name, v in insert._asdict().items() if name != "heard"})
    for kind in (ENERGY, VOLTAGE):
        put(connection, "reading_kinds", kind._asdict())
    for session_id in (1, 2):
        for n, (key, kind_name, digest, facts, answer) in enumerate(MESSAGES):
            row = {"session_id": session_id, "key": key, "kind": kind_name, "message_id": f"m{n}"}
            at = None if key == "1.0" else micros(T0 + n * MINUTE)
            row |= {"at": at, "received_at": micros(T0 + (n + 1) * MINUTE), "payload_hash": digest}
            put(connection, "session_messages", row | {"facts": facts, "answer": answer})
    for n, (owner, minute, evse, part, samples) in enumerate(READINGS):
        row = {"owner_id": owner, "at": micros(T0 + minute * MINUTE), "evse": evse, "part": part}
        row |= {"samples": json.dumps(samples, separators=(",", ":")), "received_at": micros(T0) + n}
        put(connection, "readings", row)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind in turn. Here and not in `old`: a server's database is made outside any loop."""
    if request.param == "postgres":
        request.getfixturevalue("postgres_of_process")  # or skipped, where there is none
    return str(request.param)


@pytest.fixture
async def old(kind: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the first release on each kind, with sessions, messages and readings."""
    if kind == "sqlite":
        database = await Database.open(f"sqlite:///{tmp_path / 'old.db'}")
        await database.run(told_by_the_first_release)
        yield database
        await database.close()
        return
    name = f"csms_old_{uuid.uuid4().hex[:12]}"
    await _postgres(POSTGRES, f'CREATE DATABASE "{name}"')
    database = await Database.open(
        make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    )
    try:
        await database.run(told_by_the_first_release)
        yield database
    finally:
        await database.close()
        await _postgres(POSTGRES, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def test_a_database_of_the_first_release_becomes_one_of_this(old: Database) -> None:
    """Its tables are those of this release then, and migrating again does nothing."""
    assert not await is_current(old)

    await upgrade_database(old)
    await upgrade_database(old)

    assert await is_current(old)
    assert await old.look(differences) == []


async def test_every_message_of_a_session_is_kept(old: Database) -> None:
    """With all it said, in the order in which it came; and what it was answered."""
    await upgrade_database(old)
    store = SessionStore(old)

    for session_id in (1, 2):
        found = [message for message in await store.messages_of(session_id) if message.kind != "readings"]
        assert found == [
            SessionMessage(
                key,
                kind,
                f"m{n}",
                None if key == "1.0" else T0 + n * MINUTE,
                T0 + (n + 1) * MINUTE,
                digest,
                json.loads(facts),
            )
            for n, (key, kind, digest, facts, _) in enumerate(MESSAGES)
        ]
        told = [one for one in await store.timeline(session_id) if one["kind"] != "readings"]
        assert [one["answer"] for one in told] == [
            None if answer is None else json.loads(answer) for *_, answer in MESSAGES
        ]


@pytest.mark.parametrize("key", ["start", "41", "42", "stop"])
async def test_stored_answers_are_found(old: Database, key: str) -> None:
    """A station that sends a message again after the update hears the same."""
    await upgrade_database(old)
    (digest, answer) = next((digest, answer) for name, _, digest, _, answer in MESSAGES if name == key)

    for session_id in (1, 2):
        assert await SessionStore(old).stored_answer(session_id, key) == (digest, answer)


async def test_every_reading_of_a_session_is_kept(old: Database) -> None:
    """Value, raw, time and EVSE; of two at one time the one that came first."""
    await upgrade_database(old)
    store = SessionStore(old)

    first = await store.readings(1)
    assert sorted(
        (one["at"], one["measurand"], one["evse"], one["value"], one["raw"]) for one in first.items
    ) == [
        ("2026-01-05T10:00:00.000Z", ENERGY.measurand, 1, 1000, None),
        ("2026-01-05T10:01:00.000Z", ENERGY.measurand, 1, 1100, None),
        ("2026-01-05T10:01:00.000Z", "voltage", 1, None, "n/a"),
        ("2026-01-05T10:02:00.000Z", "voltage", 1, 230, None),
    ]
    (second,) = (await store.readings(2)).items
    assert (second["evse"], second["value"], second["received_at"]) == (2, 5, "2026-01-05T10:00:00.000Z")


async def test_every_reading_of_a_station_is_kept(old: Database) -> None:
    """Under the station itself."""
    await upgrade_database(old)

    rows = await old.read(select(readings).order_by(readings.c.station_id))

    assert [tuple(row) for row in rows] == [
        (
            -owner,
            micros(T0 + minute * MINUTE),
            evse,
            part,
            json.dumps(samples, separators=(",", ":")),
            micros(T0) + n,
        )
        for n, (owner, minute, evse, part, samples) in enumerate(READINGS)
        if owner < 0
    ]


async def test_a_session_of_the_first_release_goes_on(old: Database) -> None:
    """Its row counts from nought; the next message is its first, and nothing is carried on twice."""
    await upgrade_database(old)
    store = SessionStore(old)
    station = ChargingStation(1, "CS-1")
    before = await store.by_id(1)
    assert before == a_session(station, 1)
    assert before.heard == 0

    at = T0 + HOUR
    after = before._replace(heard=1, last_event_at=at)
    reading = Reading(at, ENERGY.measurand, 1_200_000)
    change = Change(after, message=a_message("43", at), readings=(reading,))
    async with Writer(old) as writer:
        await writer.write(Write(1, 0, records_of(change, station, before)))
    await store.catch_up()

    assert await store.by_id(1) == after
    assert (await store.readings_of(after))[-1] == reading
    assert (await store.messages_of(1))[-1].key == "43"
    assert (await store.messages_of(1))[-1] == change.message
