"""What is wrong is found where it is kept, by an index; nothing that is in order is."""

from datetime import datetime
from typing import Any

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.events import ConnectorStatusChanged
from csms.store import alarm_looks as q
from csms.store.alarm_looks import AlarmLooks
from csms.store.database import Database
from csms.store.outbox import Outbox
from csms.store.records import ConnectorStateRow, OutboxRow, SessionMark, StationEventRow
from csms.store.registry import Registry
from csms.store.times import micros
from csms.store.webhooks import Delivery, WebhookForm, WebhookStore
from csms.store.writer import Writer
from tests.store.given import HOUR, MINUTE, T0, a_session, start_of, stations, write_of

OWNERS = {"city": "123456789"}


def status(station: ChargingStation, evse: int, word: str, error: str = "") -> ConnectorStateRow:
    event = ConnectorStatusChanged(evse, 1, ConnectorStatus(word), T0, error_code=error)
    return ConnectorStateRow.of(station.station_id, event, T0)


async def test_connectors(database: Database) -> None:
    """Faulted, or with an error; and not any more."""
    (station,) = await stations(database)
    looks = AlarmLooks(database)
    async with Writer(database) as writer:
        rows = [
            status(station, 1, "faulted", "GroundFailure"), status(station, 2, "available"),
            status(station, 3, "charging", "WeakSignal"),
        ]  # fmt: skip
        await writer.write(write_of(station, *rows))
        found = sorted(await looks.faults())
        await writer.write(write_of(station, status(station, 1, "available")))
        later = await looks.faults()

    assert [(one.subject, one.severity) for one in found] == [
        ("CS-0001/1/1", "major"), ("CS-0001/3/1", "minor"),
    ]  # fmt: skip
    assert found[0].details["error_code"] == "GroundFailure"
    assert found[0][4:] == (station.operator_id, station.site_id, station.station_id)
    assert [one.subject for one in later] == ["CS-0001/3/1"]


async def test_security_events(database: Database) -> None:
    """Of late, the first of each type."""
    (station,) = await stations(database)

    def event(name: str, at: datetime) -> StationEventRow:
        return StationEventRow.of(station.station_id, "security", at, at, {"type": name, "info": None})

    async with Writer(database) as writer:
        events = [event("Old", T0), event("New", T0 + HOUR), event("New", T0 + 2 * HOUR)]
        await writer.write(write_of(station, *events))

    (found,), is_whole = await AlarmLooks(database).security(T0 + MINUTE)
    assert is_whole
    assert (found.subject, found.since) == ("CS-0001/New", micros(T0 + HOUR))


async def test_a_station_that_tells_a_thousand_things(database: Database) -> None:
    """It does not push out what another has told; and where it does, the look says that it is not whole."""
    quiet, noisy = await stations(database, 2)

    def event(station: ChargingStation, name: str, info: str) -> StationEventRow:
        told = {"type": name, "info": info}
        return StationEventRow.of(station.station_id, "security", T0, T0, told)

    async with Writer(database) as writer:
        await writer.write(write_of(quiet, event(quiet, "Tamper", "")))
        await writer.write(write_of(noisy, *(event(noisy, "Noise", str(n % 7)) for n in range(1_200))))
    looks = AlarmLooks(database)
    found, is_whole = await looks.security(T0)
    pushed, is_all = await looks.security(T0, 1_000)

    assert sorted(one.subject for one in found) == ["CS-0001/Tamper", "CS-0002/Noise"]
    assert [one.subject for one in pushed] == ["CS-0002/Noise"]
    assert (is_whole, is_all) == (True, False)


async def test_silent_stations(database: Database) -> None:
    """Away for long and enabled; one that was never there is not silent."""
    first, second, _ = await stations(database, 3)
    registry = Registry(database)
    for station in (first, second):
        epoch = await registry.raise_epoch(station.station_id, now=T0)
        await registry.note_disconnected(station.station_id, epoch, T0 + MINUTE)
    await registry.set_enabled("CS-0002", False)
    looks = AlarmLooks(database)

    assert await looks.silent(T0) == []
    (found,) = await looks.silent(T0 + HOUR)
    assert (found.subject, found.since) == ("CS-0001", micros(T0 + MINUTE))
    await registry.raise_epoch(first.station_id, now=T0 + HOUR)
    assert await looks.silent(T0 + HOUR) == []


async def test_clocks_and_credentials(database: Database) -> None:
    """Sessions with unusable times of late; stations known by name, not strangers."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        await writer.write(start_of(station, a_session(station, 5)))
        await writer.write(write_of(station, SessionMark("clock-errors", 5, 1, 1)))
    looks = AlarmLooks(database)

    (clock,), is_whole = await looks.clocks(T0)
    assert is_whole
    assert not (await looks.clocks(T0, 1)).is_whole
    assert (clock.subject, clock.details) == ("CS-0001", {"session_id": "5"})
    assert await looks.clocks(T0 + MINUTE) == ([], True)
    (refused,) = await looks.refused({"CS-0001": 7, "X": 9}, "@a", T0)
    assert (refused.subject, refused.details) == ("CS-0001@a", {"refusals": 7})
    assert await looks.refused({}, "", T0) == []


async def test_platforms_and_webhooks(database: Database) -> None:
    """Paused, late (and not paused), given up."""
    await stations(database)
    looks, outbox, hooks = AlarmLooks(database), Outbox(database), WebhookStore(database)
    await outbox.enqueue([OutboxRow.of("city", "order", "k", "a", {}, T0)])

    assert await looks.platforms_late(OWNERS, T0 - MINUTE) == []
    (late,) = await looks.platforms_late(OWNERS, T0 + MINUTE)
    assert (late.subject, late.since, late.operator_id) == ("city", micros(T0), 1)
    assert await looks.platforms_paused(OWNERS) == []
    await outbox.pause("city", "refused: 1", T0)
    await outbox.pause("of-the-past", "gone from the settings", T0)
    assert await looks.platforms_late(OWNERS, T0 + MINUTE) == []
    (paused,) = await looks.platforms_paused(OWNERS)
    assert (paused.subject, paused.details) == ("city", {"reason": "refused: 1"})

    number = await hooks.add(WebhookForm("https://x/", None, None, True), "s", 0, T0)
    assert await looks.webhooks() == []
    hook, _ = await hooks.one(number, None)
    await hooks.lease(hook, "a", T0, 9)
    await hooks.failed(hook, "a", _failure(), 0, "given up")
    (given_up,) = await looks.webhooks()
    assert (given_up.subject, given_up.details) == ("1", {"reason": "given up"})


def _failure() -> Any:
    return Delivery(micros(T0), 1, 1, 1, 1, 500, "HTTP 500", 3)


async def test_no_look_reads_a_history(sqlite_url: str) -> None:
    """SQLite says by which index each is answered."""
    database = await Database.open(sqlite_url)
    plans = {}
    for name in ("FAULTS", "SILENT", "FIRST_OWED", "SECURITY"):
        query = getattr(q, name)
        sql = str(query.compile(dialect=database.dialect_of))
        plan = await database.look(
            lambda connection, sql=sql: connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN " + sql, (0,) * sql.count("?")
            ).all()
        )
        plans[name] = " ".join(row[3] for row in plan)
    await database.close()

    assert "ix_connectors_faulted" in plans["FAULTS"]
    assert "ix_station_events_kind" in plans["SECURITY"]
    assert "ix_charging_stations_away" in plans["SILENT"]
    assert "ix_outbox_due" in plans["FIRST_OWED"]
