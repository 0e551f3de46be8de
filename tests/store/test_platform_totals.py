"""What a platform pulls: every subject in every period, from the same histories, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from csms.domain.assets import ChargingStation
from csms.domain.assets import ConnectorStatus as S
from csms.domain.charging_session import Change, SessionState
from csms.errors import InvalidInput
from csms.store.asset_tables import site_assets
from csms.store.database import Database
from csms.store.peaks import Peaks
from csms.store.platform_lines import PlatformFilter
from csms.store.platform_subjects import Scope
from csms.store.platform_totals import PlatformTotals
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.reports import ReportStore
from csms.store.session_codec import records_of
from csms.store.times import micros
from csms.store.writer import Writer
from tests.store.connector_history import link, state, tell
from tests.store.given import OPERATOR, a_message, a_session, write_of
from tests.store.test_use_days import compute

OTHER = "987654321"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(minutes=15)
MIDNIGHT = datetime(2026, 1, 4, 16, tzinfo=UTC)  # of 5 January in Shanghai
NOW = MIDNIGHT + 2 * DAY + GRACE
AREAS = {"A1": "110105", "A2": "110108", "B1": "440304"}


async def network(database: Database) -> dict[str, ChargingStation]:
    """Two operators; three sites in two districts of Beijing and one of Shenzhen; a station each."""
    registry, made = Registry(database), {}
    for code, sites in ((OPERATOR, ("A1", "A2")), (OTHER, ("B1",))):
        await registry.put_operator(OperatorForm(code, "Operator", "Asia/Shanghai"))
        for site in sites:
            await registry.put_site(SiteForm(site, code, "Site"))
            await registry.put_station(StationForm(f"CS-{site}", site, max_power_w=60_000), MIDNIGHT)
            station = await registry.station(f"CS-{site}")
            assert station is not None
            made[site] = station
            await put_area(database, station, AREAS[site])
    return made


async def put_area(database: Database, station: ChargingStation, area: str) -> None:
    """The area code of the station's site, as the registry of assets has it."""
    attributes = f'{{"area_code": "{area}"}}'
    table = site_assets
    done = await database.execute(
        update(table).where(table.c.site_id == station.site_id).values(attributes=attributes)
    )
    if not done:
        await database.execute(
            insert(table).values(
                site_id=station.site_id,
                operator_id=station.operator_id,
                attributes=attributes,
                changed_at=micros(MIDNIGHT),
            )
        )


async def charged(
    database: Database, station: ChargingStation, number: int, start: datetime, length: timedelta, wh: int
) -> None:
    """A session, ended and due."""
    session = a_session(
        station,
        number,
        state=SessionState.ENDED,
        started_at=start,
        ended_at=start + length,
        last_event_at=start + length,
        energy_wh=wh,
    )
    change = Change(session, is_new=True, message=a_message(at=start), hours_due=True)
    async with Writer(database, fence=False) as writer:
        await writer.write(write_of(station, *records_of(change, station)))


async def lived(database: Database) -> dict[str, ChargingStation]:
    """Two days: A1 charges two hours and is off-line six; A2 is out of order for twelve; B1 never told of."""
    made = await network(database)
    one, two = made["A1"], made["A2"]
    await tell(
        database,
        one,
        [
            link(one, MIDNIGHT, "connected"),
            state(one, MIDNIGHT, S.AVAILABLE),
            state(one, MIDNIGHT + 2 * HOUR, S.CHARGING),
            state(one, MIDNIGHT + 4 * HOUR, S.AVAILABLE),
            link(one, MIDNIGHT + 18 * HOUR, "disconnected"),
            link(one, MIDNIGHT + 24 * HOUR, "connected"),
        ],
    )
    await tell(
        database,
        two,
        [
            link(two, MIDNIGHT, "connected"),
            state(two, MIDNIGHT, S.FAULTED),
            state(two, MIDNIGHT + 12 * HOUR, S.AVAILABLE),
        ],
    )
    await charged(database, one, 1, MIDNIGHT + 2 * HOUR, 3 * HOUR, 30_000)
    await charged(database, two, 2, MIDNIGHT + 25 * HOUR, HOUR, 12_000)
    while await ReportStore(database).recompute(NOW, grace=GRACE):
        pass
    while await Peaks(database).compute(NOW, GRACE, 50):
        pass
    await compute(database, NOW)
    return made


async def rows(database: Database, by: str, of: str, **asked: Any) -> list[dict[str, Any]]:
    """All rows, two at a time."""
    scope = Scope(of, asked.pop("operators", None), asked.pop("id", None))
    wanted = PlatformFilter(by, scope, **({"since": MIDNIGHT} | asked))
    store, found, after = PlatformTotals(database), [], None
    while True:
        page = await store.find(wanted, NOW, after, 2)
        found += page.items
        after = page.next
        if after is None:
            return found


def hours_of(row: dict[str, Any]) -> dict[str, float]:
    """Hours of each state that there are."""
    return {name: value / 60 for name, value in row["minutes"].items() if value and name != "in_service"}


async def test_a_row_as_the_contract_has_it(database: Database) -> None:
    """A connector's day, whole."""
    await lived(database)

    first, *_ = await rows(database, "day", "connector")

    assert first == {
        "by": "day",
        "of": "connector",
        "id": "CS-A1/1/1",
        "operator": OPERATOR,
        "time_zone": "Asia/Shanghai",
        "start": "2026-01-04T16:00:00.000Z",
        "end": "2026-01-05T16:00:00.000Z",
        "energy_wh": 30_000,
        "sessions": 1,
        "charging_s": 10_800,
        "minutes": {
            "charging": 120.0,
            "occupied": 0.0,
            "free": 960.0,
            "reserved": 0.0,
            "offline": 360.0,
            "fault": 0.0,
            "unknown": 0.0,
            "in_service": 1440.0,
        },
        "minutes_until": "2026-01-05T16:00:00.000Z",
        "peak_power_w": None,
        "peak_power_basis": None,
        "own": {
            "online_rate": 75.0,
            "fault_rate": 0.0,
            "available_rate": 75.0,
            "time_use_rate": 8.3333,
            "power_use_rate": 2.0833,
        },
        "shenzhen": {"time_use_rate": 12.5, "fault_rate": 0.0},
    }


@pytest.mark.parametrize(
    ("of", "ids", "energies", "faults"),
    [
        ("connector", ["CS-A1/1/1", "CS-A2/1/1"], [30_000, 0, 0, 12_000], [0, 12, 0, 0]),
        ("equipment", ["CS-A1", "CS-A2", "CS-B1"], [30_000, 0, 0, 0, 12_000, 0], [0, 12, 0, 0, 0, 0]),
        ("site", ["A1", "A2", "B1"], [30_000, 0, 0, 0, 12_000, 0], [0, 12, 0, 0, 0, 0]),
        ("operator", [OPERATOR, OTHER], [30_000, 0, 12_000, 0], [12, 0, 0, 0]),
        ("district", ["110105", "110108", "440304"], [30_000, 0, 0, 0, 12_000, 0], [0, 12, 0, 0, 0, 0]),
        ("city", ["110000", "440300"], [30_000, 0, 12_000, 0], [12, 0, 0, 0]),
    ],
)
async def test_every_level_by_day(
    database: Database, of: str, ids: list[str], energies: list[int], faults: list[int]
) -> None:
    """Every subject in every period, by start and then by name; the same totals at every level."""
    await lived(database)

    found = await rows(database, "day", of, until=MIDNIGHT + 2 * DAY)

    assert [row["id"] for row in found] == ids * 2
    assert [row["energy_wh"] for row in found] == energies
    assert [hours_of(row).get("fault", 0) for row in found] == faults
    assert sum(row["minutes"]["in_service"] for row in found) == 4 * 1440


async def test_hours_are_read_from_histories(database: Database) -> None:
    """Also of the day that is not over, as far as it has come; every level says the same."""
    await lived(database)
    span = {"since": MIDNIGHT + 17 * HOUR, "until": MIDNIGHT + 19 * HOUR}

    assert [hours_of(row) for row in await rows(database, "hour", "connector", **span)] == [
        {"free": 1.0},
        {"free": 1.0},
        {"offline": 1.0},
        {"free": 1.0},
    ]
    for of, ids in (("equipment", 3), ("site", 3), ("operator", 2), ("district", 3), ("city", 2)):
        found = await rows(database, "hour", of, **span)
        assert len(found) == 2 * ids
        assert [sum(hours_of(row).get(name, 0) for row in found) for name in ("free", "offline")] == [3, 1]
    (now, *_) = await rows(database, "hour", "site", id="A1", since=MIDNIGHT + 2 * DAY)
    assert (hours_of(now), now["minutes_until"]) == ({"free": 0.25}, "2026-01-06T16:15:00.000Z")
    charging = await rows(
        database, "hour", "city", id="110000", since=MIDNIGHT + 2 * HOUR, until=MIDNIGHT + 5 * HOUR
    )
    assert [row["energy_wh"] for row in charging] == [10_000] * 3
    of_connector = await rows(database, "hour", "connector", id="CS-A1/1/1", since=MIDNIGHT + 2 * HOUR)
    assert [row["energy_wh"] for row in of_connector[:4]] == [10_000, 10_000, 10_000, 0]


async def test_months_and_years_as_far_as_days_are_computed(database: Database) -> None:
    """A year is the sum of its months; peaks are the highest, and of a city the sum of its sites'."""
    await lived(database)
    since = MIDNIGHT - 300 * DAY

    (month, year) = [
        next(row for row in await rows(database, by, "city", since=since) if row["energy_wh"])
        for by in ("month", "year")
    ]

    assert (month["start"], year["start"]) == ("2025-12-31T16:00:00.000Z",) * 2
    assert year["end"] == "2026-12-31T16:00:00.000Z"
    for row in (month, year):
        assert (row["id"], row["energy_wh"], row["sessions"]) == ("110000", 42_000, 2)
        assert hours_of(row) == {"charging": 2, "free": 76, "offline": 6, "fault": 12}
        assert row["minutes_until"] == "2026-01-06T16:00:00.000Z"
        assert (row["peak_power_w"], row["peak_power_basis"]) == (22_000, "energy")
    site = next(
        row
        for row in await rows(database, "month", "site", since=since)
        if row["id"] == "A1" and row["energy_wh"]
    )
    assert site["peak_power_w"] == 10_000


async def test_shenzhens_figures_beside_ours(database: Database) -> None:
    """Sessions over equipment's time, and messages of a fault over messages."""
    await lived(database)

    first, *_ = await rows(database, "day", "site", id="A2")

    assert first["own"]["fault_rate"] == 50.0
    # Connected, faulted and available were told; the first two said fault.
    assert first["shenzhen"] == {"time_use_rate": 0.0, "fault_rate": 66.67}
    _, city, _ = await rows(database, "day", "city", id="110000")
    assert city["shenzhen"]["time_use_rate"] == 2.08  # one hour of 48


async def test_operators_of_others_do_not_exist(database: Database) -> None:
    """At no level; an unknown id selects nothing."""
    await lived(database)

    for of in ("connector", "equipment", "site", "operator", "district", "city"):
        for by in ("hour", "day", "month", "year"):
            found = await rows(database, by, of, operators=(OTHER,))
            assert sum(row["energy_wh"] + row["minutes"]["in_service"] for row in found) == 0
            assert {row["operator"] for row in found} <= {OTHER, None}
            assert {row["id"] for row in found} <= {"CS-B1", "B1", OTHER, "440304", "440300"}
    assert await rows(database, "day", "site", id="A9") == []
    assert await rows(database, "day", "site", id="A1", operators=()) == []


async def test_two_clocks_are_two_lines(database: Database) -> None:
    """A day in Urumqi is not the day in Shanghai."""
    await lived(database)
    await Registry(database).put_operator(OperatorForm(OTHER, "", "Asia/Urumqi"))
    await put_area(database, await station_of(database, "CS-B1"), "110105")

    found = await rows(database, "day", "district", id="110105", until=MIDNIGHT + DAY)

    assert [(row["time_zone"], row["start"][11:13]) for row in found] == [
        ("Asia/Shanghai", "16"),
        ("Asia/Urumqi", "18"),
    ]


async def station_of(database: Database, identity: str) -> ChargingStation:
    """A registered station."""
    station = await Registry(database).station(identity)
    assert station is not None
    return station


async def test_what_cannot_be_asked(database: Database) -> None:
    """Unknown words, years of hours, and a cursor that is none."""
    store = PlatformTotals(database)
    for wanted in (
        PlatformFilter("week", Scope("site")),
        PlatformFilter("day", Scope("planet")),
        PlatformFilter("hour", Scope("site"), since=NOW - 400 * DAY),
    ):
        with pytest.raises(InvalidInput):
            await store.find(wanted, NOW)
    with pytest.raises(InvalidInput):
        await store.find(PlatformFilter("day", Scope("site")), NOW, after="x")
    assert (await store.find(PlatformFilter("day", Scope("site")), NOW)).items == []
