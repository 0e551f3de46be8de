"""One month of a station by three regimes, from its histories, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import ChargingStation
from csms.domain.assets import ConnectorStatus as S
from csms.domain.scope import WHOLE
from csms.domain.timeline import Span
from csms.domain.uptime import Reason
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.exclusions import ExclusionForm, Exclusions
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.uptime import UptimeFilter, UptimeReports, month_of
from tests.store.connector_history import link, state, tell
from tests.store.given import OPERATOR, stations

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2025, 12, 31, 16, tzinfo=UTC)  # of January 2026 in Shanghai
NOW = START + 60 * DAY


async def january(database: Database) -> ChargingStation:
    """744 hours: 24 off-line, 30 faulted (20 by vandals), ten unavailable (six for maintenance)."""
    (station,) = await stations(database)
    await Registry(database).put_station(StationForm("CS-0001", "S01", max_power_w=120_000), START)
    await tell(
        database,
        station,
        [
            link(station, START - 5 * DAY, "connected"),
            state(station, START - 5 * DAY, S.AVAILABLE),
            link(station, START + 2 * DAY, "disconnected"),
            link(station, START + 3 * DAY, "connected"),
            state(station, START + 9 * DAY, S.FAULTED, error_code="GroundFailure"),
            state(station, START + 9 * DAY + 30 * HOUR, S.AVAILABLE),
            state(station, START + 19 * DAY, S.UNAVAILABLE),
            state(station, START + 19 * DAY + 10 * HOUR, S.AVAILABLE),
        ],
    )
    form = ExclusionForm("CS-0001", 1, Span(START + 9 * DAY, START + 9 * DAY + 20 * HOUR), Reason.VANDALISM)
    store = Exclusions(database)
    await store.add(form, WHOLE, "a", NOW)
    shift = Span(START + 19 * DAY + 4 * HOUR, START + 19 * DAY + 12 * HOUR)
    await store.add(replace(form, evse=0, span=shift, reason=Reason.MAINTENANCE), WHOLE, "a", NOW)
    night = Span(START + 29 * DAY, START + 29 * DAY + 8 * HOUR)
    await store.add(replace(form, evse=0, span=night, reason=Reason.CLOSED), WHOLE, "a", NOW)
    await store.add(replace(form, evse=7), WHOLE, "a", NOW)  # of another EVSE
    return station


async def test_one_month_by_three_regimes(database: Database) -> None:
    """The same history gives three figures, each by its own rule."""
    await january(database)

    (item,) = (await UptimeReports(database).find(UptimeFilter("2026-01"), NOW)).items

    assert {
        name: item[name] for name in ("charging_station", "evse", "connector", "operator", "site", "month")
    } == {
        "charging_station": "CS-0001",
        "evse": 1,
        "connector": 1,
        "operator": OPERATOR,
        "site": "S01",
        "month": "2026-01",
    }
    assert (item["from"], item["to"]) == ("2025-12-31T16:00:00.000Z", "2026-01-31T16:00:00.000Z")
    assert item["minutes"] == {
        "charging": 0.0,
        "occupied": 0.0,
        "free": 40_800.0,
        "reserved": 0.0,
        "offline": 1440.0,
        "fault": 2400.0,
        "unknown": 0.0,
        "in_service": 44_640.0,
    }
    assert item["cn"]["own"] == {
        "online_rate": 96.7742,
        "fault_rate": 5.5556,
        "available_rate": 91.3978,
        "time_use_rate": 0.0,
        "power_use_rate": 0.0,
    }
    assert item["cn"]["shenzhen"] == {"time_use_rate": 0.0, "fault_rate": 33.33}  # two records of six
    assert item["nevi"]["month"] == {
        "in_service_minutes": 44_640.0,
        "outage_minutes": 3840.0,
        "excluded_minutes": 1560.0,
        "uptime": 94.8925,
    }
    # Twelve months with it; the port has been there since the end of December.
    assert item["nevi"]["twelve_months"] == {
        "in_service_minutes": 51_840.0,
        "outage_minutes": 3840.0,
        "excluded_minutes": 1560.0,
        "uptime": 99.5662,
        "uptime_in_service": 95.6019,
    }
    assert [(one["minutes"], one["excluded_minutes"]) for one in item["nevi"]["outages"]] == [
        (1440.0, 0.0),
        (1800.0, 1200.0),
        (600.0, 360.0),
    ]
    expected = {"accessible_minutes": 44_160.0, "unreliable_minutes": 2400.0, "reliability": 94.5652}
    assert item["uk"] == {"month": expected, "year": expected, "rapid": True}


async def test_only_what_is_asked_for(database: Database) -> None:
    """Regimes, stations, operators; a port has no line for a month before it was there."""
    await january(database)
    reports = UptimeReports(database)

    async def names(**wanted: Any) -> list[set[str]]:
        page = await reports.find(UptimeFilter(**({"month": "2026-01"} | wanted)), NOW)
        return [set(item) & {"cn", "nevi", "uk"} for item in page.items]

    assert await names(regimes=("uk",)) == [{"uk"}]
    assert await names(station="CS-0002") == []
    assert await names(operator="000000000") == []
    assert await names(month="2025-11") == []
    (item,) = (await reports.find(UptimeFilter("2025-12"), NOW)).items
    assert item["minutes"]["in_service"] == 5 * 1440
    (current,) = (await reports.find(UptimeFilter("2026-03"), NOW)).items
    assert (current["to"], current["minutes"]["in_service"]) == ("2026-03-01T16:00:00.000Z", 1440.0)


async def test_stations_page_by_page_each_by_its_operators_clock(database: Database) -> None:
    """January is another time in Berlin."""
    for station in await stations(database, 3):
        await tell(database, station, [state(station, START - DAY, S.AVAILABLE, evse=2)])
        await tell(database, station, [state(station, START - DAY, S.AVAILABLE)])
    registry = Registry(database)
    await registry.put_operator(OperatorForm("000000001", "", "Europe/Berlin"))
    await registry.put_site(SiteForm("B", "000000001", "Berlin"))
    await registry.put_station(StationForm("CS-0002", "B"), START)
    reports, found, after = UptimeReports(database), [], None

    while True:
        page = await reports.find(UptimeFilter("2026-01"), NOW, after, 2)
        found += page.items
        after = page.next
        if after is None:
            break

    assert [(item["charging_station"], item["evse"], item["from"][11:13]) for item in found] == [
        ("CS-0001", 1, "16"),
        ("CS-0001", 2, "16"),
        ("CS-0002", 1, "23"),
        ("CS-0002", 2, "23"),
        ("CS-0003", 1, "16"),
        ("CS-0003", 2, "16"),
    ]


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-1", "26-01", "January", "1800-01"])
def test_a_month_is_written_one_way(text: str) -> None:
    """Anything else is refused."""
    assert month_of("2026-01") == "2026-01"
    with pytest.raises(InvalidInput):
        month_of(text)
