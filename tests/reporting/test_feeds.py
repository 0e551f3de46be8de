"""Alarms and events from what stations told, over each database: each once, none unasked for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus
from csms.domain.events import ConnectorStatusChanged
from csms.reporting.feeds import Feeds, faults
from csms.store.database import Database
from csms.store.feeds import STATES, FeedStore, StateRow
from csms.store.outbox import Outbox
from csms.store.platforms import PlatformStore
from csms.store.records import ConnectorStateRow, StationEventRow
from csms.store.writer import Write, Writer
from tests.reporting.cityparts import route_of
from tests.reporting.parts import MINUTE, T0, Clock, services_of, sites


def state(status: str, error: str = "", before: str = "available", error_before: str = "") -> StateRow:
    return StateRow(1, "A", "S01", 1, 1, status, error, "", before, error_before, 0, 0)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (state("charging"), []),
        (state("faulted", "GroundFailure"), [("ground-failure", True)]),
        (state("faulted"), [("faulted", True)]),
        (state("available", "WeakSignal"), [("weak-signal", True)]),
        (state("available", "", "faulted", "GroundFailure"), [("ground-failure", False)]),
        (
            state("faulted", "OverVoltage", "faulted", "GroundFailure"),
            [("ground-failure", False), ("over-voltage", True)],
        ),
        (state("faulted", "GroundFailure", "faulted", "GroundFailure"), []),
        (state("faulted", "GroundFailure", "", ""), [("ground-failure", True)]),
    ],
)
def test_what_a_change_means(row: StateRow, expected: list[tuple[str, bool]]) -> None:
    """The fault before is over, another has begun."""
    assert faults(row) == expected


async def owed(outbox: Outbox) -> list[tuple[str, dict[str, Any]]]:
    found = []
    while entries := await outbox.lease(["city"], T0 + timedelta(days=1), 1):
        found += [(entry.kind, entry.payload) for entry in entries]
        await outbox.sent(entries[0].hold, T0)
    return sorted(found, key=lambda one: (one[1]["at"], one[0]))


async def test_a_feed(database: Database, writer: Writer, outbox: Outbox, clock: Clock) -> None:
    """Nothing from before it began; a fault raised and cleared; security events that have a code."""
    services = services_of(database, writer, clock)
    (station,) = await sites(services)
    number = station.station_id

    async def becomes(status: ConnectorStatus, error: str = "") -> None:
        event = ConnectorStatusChanged(1, 1, status, clock(), error)
        await writer.write(Write(number, 0, [ConnectorStateRow.of(number, event, clock())]))

    async def reports(kind: str) -> None:
        details = {"type": kind, "info": "x"}
        row = StationEventRow.of(number, "security", clock(), clock(), details)
        await writer.write(Write(number, 0, [row]))

    route = route_of("shenzhen", clock)
    feeds = Feeds([route], FeedStore(database), PlatformStore(database))
    await becomes(ConnectorStatus.FAULTED, "HighTemperature")
    await feeds.look(route, clock())

    clock.move(MINUTE)
    await becomes(ConnectorStatus.AVAILABLE)
    clock.move(MINUTE)
    await becomes(ConnectorStatus.FAULTED, "GroundFailure")
    clock.move(MINUTE)
    await reports("TamperDetectionActivated")
    await reports("FirmwareUpdated")
    await reports("SettingSystemTime")
    for _ in range(3):
        await feeds.look(route, clock())
        clock.move(2 * MINUTE)

    found = await owed(outbox)
    assert [(kind, p["word"], p.get("is_raised")) for kind, p in found] == [
        ("alarm", "high-temperature", False),
        ("alarm", "ground-failure", True),
        ("alarm", "tamper-detection-activated", True),
        ("event", "firmware-updated", None),
    ]
    assert found[1][1]["site_code"] == "S01"


async def test_a_full_look_forgets_nobody(
    database: Database, writer: Writer, outbox: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More at once than a page holds: all are owed, and the cursor waits for who commits late among them."""
    monkeypatch.setattr("csms.reporting.feeds.MOST", 2)
    monkeypatch.setattr("csms.store.feeds.STATES", STATES.limit(2))
    services = services_of(database, writer, clock)
    (station,) = await sites(services)
    number = station.station_id
    route, store = route_of("shenzhen", clock), PlatformStore(database)
    feeds = Feeds([route], FeedStore(database), store)
    await feeds.look(route, clock())

    for n in range(1, 6):
        event = ConnectorStatusChanged(n, 1, ConnectorStatus.FAULTED, clock(), "GroundFailure")
        await writer.write(Write(number, 0, [ConnectorStateRow.of(number, event, clock())]))
    assert await feeds.look(route, clock()) == 5
    assert await store.position("city/connector-states") == 0
    assert [entry.payload["evse"] for entry in await outbox.lease(["city"], clock())] == [1, 2, 3, 4, 5]

    clock.move(2 * MINUTE)
    assert await feeds.look(route, clock()) == 5
    assert await store.position("city/connector-states") == 5
    assert await feeds.look(route, clock()) == 0


async def test_others_histories_are_passed_over(database: Database, writer: Writer, clock: Clock) -> None:
    """What another operator's connectors did is not read again with every look."""
    services = services_of(database, writer, clock)
    (station,) = await sites(services)
    others = replace(route_of("shenzhen", clock), operator_code="NOBODY000")
    store = PlatformStore(database)
    feeds = Feeds([others], FeedStore(database), store)
    await feeds.look(others, clock())
    event = ConnectorStatusChanged(1, 1, ConnectorStatus.FAULTED, clock(), "GroundFailure")
    await writer.write(
        Write(station.station_id, 0, [ConnectorStateRow.of(station.station_id, event, clock())])
    )

    clock.move(2 * MINUTE)

    assert await feeds.look(others, clock()) == 0
    assert await store.position("city/connector-states") == 1


async def test_nobody_wants_alarms(database: Database, clock: Clock) -> None:
    """It ends at once."""
    await Feeds([route_of("beijing", clock)], FeedStore(database), PlatformStore(database)).run()
