"""Rare events leave a row in the feed, in the transaction of their cause; readings never do."""

from typing import Any

from csms.domain.assets import BootStatus, ChargingStation, IdToken
from csms.domain.charging_session import Change, Evidence, SessionState, evolve
from csms.store.change_rows import Kind, session_changes
from csms.store.change_tables import changes
from csms.store.database import Database
from csms.store.delivery_rows import Told
from csms.store.jsontext import value_of
from csms.store.outbox import Hold, Outbox
from csms.store.records import OutboxRow
from csms.store.registry import Registry, StationForm
from csms.store.session_codec import records_of
from csms.store.times import micros
from csms.store.writer import Writer
from tests.handlers.kit import House
from tests.store.given import HOUR, MINUTE, T0, a_message, a_session, stations, write_of

KINDS = changes.select().order_by(changes.c.number)


async def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """Kinds and bodies of everything in the feed."""
    return [(row.kind, value_of(row.body)) for row in await database.read(KINDS)]


async def test_what_a_session_goes_through(database: Database) -> None:
    """Started, suspected, resumed, ended, revised: a row each; what carries it on leaves none."""
    (station,) = await stations(database)
    session = a_session(station)
    suspected = evolve(
        session, state=SessionState.SUSPECTED_ENDED, suspected_at=T0 + MINUTE, suspected_by=Evidence.BOOT
    )
    ended = evolve(session, state=SessionState.ENDED, ended_at=T0 + HOUR, energy_wh=500)
    steps = [
        (Change(session, is_new=True, message=a_message()), None),
        (Change(evolve(session, energy_wh=5), message=a_message("1")), session),
        (Change(suspected), session),
        (Change(session, message=a_message("2")), suspected),
        (Change(ended, message=a_message("stop", T0 + HOUR)), session),
        (Change(evolve(ended, revision=2), revised=True, message=a_message("3"), cause="late"), ended),
    ]
    before = len(await told(database))
    async with Writer(database) as writer:
        for change, was in steps:
            await writer.write(write_of(station, *records_of(change, station, was)))

    found = (await told(database))[before:]
    rows = (await database.read(KINDS))[before:]
    assert [kind for kind, _ in found] == [
        "session_started", "session_suspected", "session_resumed", "session_ended", "session_revised",
    ]  # fmt: skip
    assert {(row.operator_id, row.site_id, row.station_id, row.session_id) for row in rows} == {
        (station.operator_id, station.site_id, station.station_id, 1)
    }
    assert [row.at for row in rows][:2] == [micros(T0), micros(T0 + MINUTE)]
    assert found[3][1]["energy_wh"] == 500
    assert found[4][1] | {"revision": 2, "cause": "late"} == found[4][1]


def test_an_orphan_stop_is_an_end() -> None:
    """A session that is new and over was never seen to start."""
    session = a_session(ChargingStation(7, "CS-7"), state=SessionState.ENDED)

    (row,) = session_changes(Change(session, is_new=True), None, 0)

    assert row.kind == Kind.SESSION_ENDED


async def test_registration_and_quarantine(database: Database) -> None:
    """A new station, a changed one, one approved by hand; the first visit of a stranger."""
    await stations(database)
    registry = Registry(database)
    before = len(await told(database))

    await registry.put_station(StationForm("CS-0001", "S01", enabled=False), T0)
    await registry.set_boot_status("CS-0001", BootStatus.REJECTED, T0)
    await registry.set_boot_status("CS-9999", BootStatus.REJECTED, T0)
    for _ in range(2):
        await registry.put_in_quarantine("X", "192.0.2.1", "not registered", T0)

    assert (await told(database))[before:] == [
        ("registration_changed", {"new": False, "enabled": False}),
        ("registration_changed", {"new": False, "boot_status": "rejected"}),
        ("quarantine_arrived", {"identity": "X", "remote_address": "192.0.2.1", "reason": "not registered"}),
    ]


async def test_what_a_city_says_of_an_order(database: Database) -> None:
    """Accepted, disputed, set aside; other records are no news."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        change = Change(a_session(station, 7), is_new=True, message=a_message())
        await writer.write(write_of(station, *records_of(change, station)))
    outbox = Outbox(database)
    rows = [OutboxRow.of("city", "charge-order", "7", f"7/{n}", {}, T0) for n in (1, 2, 3)]
    await outbox.enqueue([*rows, OutboxRow.of("city", "hour-total", "h", "h/1", {}, T0)])
    before = len(await told(database))

    order = {"start_charge_seq": "123456789000000000000000007"}
    await outbox.sent(Hold(1), T0)
    await outbox.sent(Hold(2), T0, None, Told(disputed=3, order=order))
    await outbox.dead(Hold(3), T0, "no")
    await outbox.sent(Hold(4), T0)

    found = (await told(database))[before:]
    assert [kind for kind, _ in found] == [
        "order_accepted", "dispute_raised", "order_refused", "order_refused",
    ]  # fmt: skip
    assert found[0][1] == {"platform": "city", "revision": "1", "objection": None}
    assert found[3][1]["objection"] == "no"
    dispute = (await database.read(KINDS))[before + 1]
    assert dispute.operator_id == station.operator_id


async def test_stations_messages_and_no_reading(inline_database: Database) -> None:
    """A day of a 1.6 station: its boot, statuses and session; a hundred readings leave nothing."""
    async with Writer(inline_database) as writer:
        await a_day(House(inline_database, writer))


async def a_day(house: House) -> None:
    await house.services.registry.put_token(IdToken("A1"), house.at)
    talk = await house.connect()
    await talk.boot()
    before = len(await house._rows(KINDS))
    await talk.status("Preparing")
    await talk.status("Preparing")
    house.at += MINUTE
    number = await talk.start()
    for n in range(100):
        house.at += MINUTE
        await talk.meter(1000 + n, number)
    await talk.stop(number, 1200)

    found = [row.kind for row in (await house._rows(KINDS))[before:]]
    assert found == ["connector_status", "session_started", "session_ended"]
    assert "station_booted" in [row.kind for row in await house._rows(KINDS)]
