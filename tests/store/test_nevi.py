"""Sessions of a quarter for the federal report, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import ChargingStation
from csms.domain.assets import ConnectorStatus as S
from csms.domain.charging_session import Change, SessionState
from csms.domain.meter import Reading
from csms.domain.nevi_sessions import NeviSession
from csms.domain.power import POWER
from csms.domain.timeline import Span
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.nevi import NeviSessions, QuarterFilter, quarter_of
from csms.store.session_codec import records_of
from csms.store.writer import Writer
from tests.store.connector_history import state, tell
from tests.store.given import HOUR, MINUTE, OPERATOR, T0, a_message, a_session, stations, told_row, write_of


async def charged(
    database: Database, station: ChargingStation, number: int, power_w: int | None = None, **over: Any
) -> None:
    """An hour's session of 20 kWh."""
    start = over.get("started_at", T0)
    fields = {
        "state": SessionState.ENDED,
        "ended_at": start + HOUR,
        "last_event_at": start + HOUR,
        "energy_wh": 20_000,
        "stop_reason": "local",
    }
    session = a_session(station, number, **(fields | over))
    rows: list[Any] = list(records_of(Change(session, is_new=True, message=a_message(at=start)), station))
    if power_w is not None:
        reading = Reading(start + MINUTE, POWER, power_w * 1000)
        rows.append(told_row(number, [reading], T0))
    async with Writer(database, fence=False) as writer:
        await writer.write(write_of(station, *rows))


async def test_a_session_as_the_rule_asks_for_it(database: Database) -> None:
    """Energy in kWh, peak in kW, how it was paid; errors of an unsuccessful one."""
    (station,) = await stations(database)
    await charged(database, station, 1, 48_000)
    await charged(
        database,
        station,
        2,
        started_at=T0 + 2 * HOUR,
        energy_wh=0,
        stop_reason="emergency-stop",
        token_type="eMAID",
    )
    await tell(
        database,
        station,
        [
            state(station, T0 + 2 * HOUR + MINUTE, S.FAULTED, error_code="GroundFailure"),
            state(station, T0 + 2 * HOUR + 2 * MINUTE, S.FAULTED, evse=2, error_code="OtherError"),
            state(station, T0 + 5 * HOUR, S.FAULTED, error_code="HighTemperature"),
        ],
    )

    items, following = await NeviSessions(database).find(QuarterFilter("2026Q1"))

    assert following is None
    assert items == [
        NeviSession("CS-0001", "1/1", "1", T0, T0 + HOUR, True, (), 20.0, 48.0, "rfid"),
        NeviSession(
            "CS-0001",
            "1/1",
            "2",
            T0 + 2 * HOUR,
            T0 + 3 * HOUR,
            False,
            ("GroundFailure", "emergency-stop"),
            0.0,
            0.0,
            "plug-and-charge",
        ),
    ]


async def test_pages_scope_and_quarters(database: Database) -> None:
    """By start; those of the quarter by the operator's clock; of one's own operator only."""
    one, two = await stations(database, 2)
    first = datetime(2025, 12, 31, 16, tzinfo=UTC)
    for n, at in enumerate([first - MINUTE, first, first + HOUR, first + 90 * timedelta(days=1)], 1):
        await charged(database, one if n % 2 else two, n, started_at=at)
    store = NeviSessions(database)

    async def found(**wanted: Any) -> list[str]:
        numbers, after = [], None
        while True:
            items, after = await store.find(QuarterFilter(**({"quarter": "2026Q1"} | wanted)), after, 1)
            numbers += [item.session_id for item in items]
            if after is None:
                return numbers

    assert await found() == ["2", "3"]
    assert await found(quarter="2025Q4") == ["1"]
    assert await found(quarter="2026Q2") == ["4"]
    assert await found(station="CS-0002", operator=OPERATOR) == ["2"]
    assert await found(operator="000000000") == []


def test_quarters() -> None:
    """By a local clock; written in one way."""
    assert quarter_of("2026Q4", "UTC") == Span(
        datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )
    assert quarter_of("2026Q2", "Asia/Shanghai").start == datetime(2026, 3, 31, 16, tzinfo=UTC)
    for text in ("2026", "2026Q5", "26Q1", "2026-Q1", "1999Q1", "Q1"):
        with pytest.raises(InvalidInput):
            quarter_of(text, "UTC")
