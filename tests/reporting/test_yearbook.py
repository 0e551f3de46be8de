"""The yearbook: the published table to the digit, any date, rounding, and service radii."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.config import YearbookSettings
from csms.domain.geodesy import Position, area_m2
from csms.domain.inventory import ChargerClass, EquipmentRecord, OperatorRecord, SiteRecord
from csms.errors import InvalidInput
from csms.reporting.yearbook import Precision, Row, YearbookWriter, a_year_before, rules_of
from csms.reporting.yearbook_text import text
from csms.store.asset_counts import AssetCounts
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.registry import Registry
from csms.store.tables import totals
from csms.store.times import micros
from tests.reporting import city

NOW = datetime(2018, 3, 1, tzinfo=UTC)
YEAR_END = date(2017, 12, 31)
ENOUGH_S = 60.0  # seconds of processor: the clock says little on a machine that does other things too


@pytest.mark.slow
async def test_the_published_table(database: Database) -> None:
    """47 operators, 2,077 sites, 115,107 chargers: +24 / 104 %, +671 / 47 %, +6,661 / 54.84 %, 11.51 万."""
    began = time.process_time()
    done = await AssetStore(database).put(city.everything(), NOW)
    asked = time.process_time()
    book = await YearbookWriter(AssetCounts(database)).make(YEAR_END)
    answered = time.process_time()

    assert done.problems == []
    assert book.rows[:3] == (
        Row("operators", 47, 23, 24, "104"),
        Row("sites", 2077, 1406, 671, "47"),
        Row("chargers", 18_807, 12_146, 6_661, "54.84"),
    )
    assert {row.name: row.ten_thousands for row in book.classes} == {
        "all": "11.51",
        "private": "8.33",
        "public-dedicated": "1.30",
        "workplace-internal": "0.40",
        "social-public": "1.88",
    }
    printed = text(book).decode()
    line = next(each for each in printed.splitlines() if each.startswith("operators connected"))
    assert line.split()[2:] == ["47", "23", "+24", "104", "%"]
    assert "11.51 = 8.33 + 1.30 + 1.88 (万)" in printed
    assert asked - began < ENOUGH_S
    assert answered - asked < 5


async def test_any_past_date_can_be_asked(database: Database) -> None:
    """A charger that moved and one that retired are counted where and while they were."""
    store, one, other = AssetStore(database), city.code(1), city.code(2)
    made = [
        OperatorRecord(one, joined_at=_day(2015, 1, 1)),
        OperatorRecord(other, joined_at=_day(2016, 7, 1)),
        SiteRecord(one, "S1", "S1", joined_at=_day(2015, 1, 1)),
        SiteRecord(other, "S2", "S2", joined_at=_day(2016, 7, 1)),
        _charger(one, "S1", "MOVES", joined_at=_day(2015, 6, 1)),
        _charger(one, "S1", "ENDS", joined_at=_day(2015, 6, 1), retired_at=_day(2017, 6, 1)),
        _charger(other, "S2", "COMES", joined_at=_day(2016, 8, 1)),
    ]
    assert (await store.put(made, NOW)).problems == []
    await store.put([SiteRecord(one, "S3", "S3", joined_at=_day(2015, 1, 1))], NOW)
    moved = _charger(one, "S3", "MOVES", joined_at=_day(2015, 6, 1), placed_at=_day(2017, 3, 1))
    assert (await store.put([moved], NOW)).problems == []
    writer = YearbookWriter(AssetCounts(database))

    found = {}
    for year in (2014, 2015, 2016, 2017):
        book = await writer.make(date(year, 12, 31))
        found[year] = [(row.now, row.added, row.growth_percent) for row in book.rows[:3]]

    assert found == {
        2014: [(0, 0, None), (0, 0, None), (0, 0, None)],
        2015: [(1, 1, None), (1, 1, None), (2, 2, None)],
        2016: [(2, 1, "100"), (2, 1, "100"), (3, 1, "50.00")],
        2017: [(2, 0, "0"), (2, 0, "0"), (2, -1, "-33.33")],
    }
    own = await writer.make(YEAR_END, other)
    assert [(row.now, row.added) for row in own.rows[:3]] == [(1, 0), (1, 0), (1, 0)]


async def test_a_day_ends_at_the_city_s_midnight(database: Database) -> None:
    """What joined at 23:59 in Beijing counts that day; what joined a minute later does not."""
    midnight = datetime(2017, 12, 31, 16, tzinfo=UTC)
    made = [
        OperatorRecord(city.code(1), joined_at=_day(2015, 1, 1)),
        SiteRecord(city.code(1), "S1", "S1", joined_at=_day(2015, 1, 1)),
        _charger(city.code(1), "S1", "BEFORE", joined_at=midnight - timedelta(minutes=1)),
        _charger(city.code(1), "S1", "AFTER", joined_at=midnight),
    ]
    await AssetStore(database).put(made, NOW)
    writer = YearbookWriter(AssetCounts(database))

    assert [(await writer.make(day)).rows[2].now for day in (YEAR_END, date(2018, 1, 1))] == [1, 2]


async def test_who_left_takes_everything_along(database: Database) -> None:
    """Chargers of a retired site are not counted, whether they were entered as retired or not."""
    one = city.code(1)
    made = [
        OperatorRecord(one, joined_at=_day(2015, 1, 1)),
        SiteRecord(one, "S1", "S1", joined_at=_day(2015, 1, 1), retired_at=_day(2017, 5, 1)),
        SiteRecord(one, "S2", "S2", joined_at=_day(2015, 1, 1)),
        _charger(one, "S1", "E1", joined_at=_day(2015, 6, 1)),
        _charger(one, "S2", "E2", joined_at=_day(2015, 6, 1), charger_class=None),
    ]
    await AssetStore(database).put(made, NOW)

    book = await YearbookWriter(AssetCounts(database)).make(YEAR_END)

    assert [(row.now, row.before) for row in book.rows[:3]] == [(1, 1), (0, 1), (0, 1)]
    assert book.unclassified == 1
    assert book.classes[0].chargers == 1


async def test_energy_sessions_and_utilisation_of_the_year(database: Database) -> None:
    """From the operators' days; utilisation over the time that chargers were there."""
    one = city.code(1)
    await AssetStore(database).put(
        [
            OperatorRecord(one, joined_at=_day(2015, 1, 1)),
            SiteRecord(one, "S1", "S1", joined_at=_day(2015, 1, 1)),
            _charger(one, "S1", "E1", joined_at=_day(2017, 12, 22)),
            _charger(one, "S1", "E2", joined_at=_day(2016, 12, 1), retired_at=_day(2017, 1, 31)),
        ],
        NOW,
    )
    for day, energy, sessions in (
        (_day(2017, 1, 1), 3000, 3),
        (_day(2017, 12, 31), 2000, 2),
        (_day(2016, 6, 1), 4000, 9),
    ):
        row = {
            "period": "day", "level": "operator", "subject_id": 1, "evse": 0, "connector": 0,
            "start": micros(day), "until": micros(day) + 1, "operator_id": 1, "energy_wh": energy,
            "sessions": sessions, "charging_s": 864 * sessions, "revision": 1, "computed_at": 1,
        }  # fmt: skip
        await database.execute(totals.insert(), row)

    book = await YearbookWriter(AssetCounts(database)).make(YEAR_END)

    assert book.rows[3:] == (
        Row("energy", 5000, 4000, 1000, "25.00"),
        Row("sessions", 5, 9, -4, "-44.44"),
    )
    # 5 x 864 s over ten days of one charger and thirty of the other.
    assert book.utilisation_percent == "0.13"
    assert Decimal(5 * 864 * 100) / (40 * 86_400) == Decimal("0.125")


async def test_stations_without_dates_are_told(database: Database) -> None:
    """Rows from before assets were entered count on no date, and the yearbook says so."""
    from csms.store.registry import OperatorForm, SiteForm, StationForm

    registry = Registry(database)
    await registry.put_operator(OperatorForm(city.code(1), "A", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S1", city.code(1), "S"))
    await registry.put_station(StationForm("CS-1", "S1"), NOW)
    writer = YearbookWriter(AssetCounts(database))

    book = await writer.make(YEAR_END)

    assert (book.rows[2].now, book.unentered) == (0, 1)
    assert (await writer.make(YEAR_END, city.code(2))).unentered == 0


async def test_service_radius_of_public_sites(database: Database) -> None:
    """The circle of an even share; sites outside the polygon and such of other classes do not count."""
    one = city.code(1)
    places = {"S1": (39.95, 116.35), "S2": (39.85, 116.45), "OUT": (40.5, 116.4), "HOME": (39.9, 116.4)}
    await AssetStore(database).put(
        [
            OperatorRecord(one, joined_at=_day(2015, 1, 1)),
            *(
                SiteRecord(one, name, name, latitude=at[0], longitude=at[1], joined_at=_day(2015, 1, 1))
                for name, at in places.items()
            ),
            *(_charger(one, name, f"E-{name}", joined_at=_day(2015, 6, 1)) for name in ("S1", "S2", "OUT")),
            _charger(one, "HOME", "E-HOME", joined_at=_day(2015, 6, 1), charger_class=ChargerClass.PRIVATE),
        ],
        NOW,
    )
    corners = [(39.8, 116.3), (39.8, 116.5), (40.0, 116.5), (40.0, 116.3)]
    square = [[Position(*at) for at in corners]]

    book = await YearbookWriter(AssetCounts(database)).make(YEAR_END, polygons=[square])

    assert book.radius is not None
    assert book.radius.sites == 2
    assert book.radius.equal_share_m == pytest.approx(sqrt(area_m2(square) / 2 / pi))
    assert 4_000 < (book.radius.mean_nearest_m or 0) < 8_000


@pytest.mark.parametrize(
    ("digits", "rounding", "value", "shown"),
    [
        (0, "truncate", "47.72", "47"),
        (0, "round", "47.72", "48"),
        (2, "round", "54.841", "54.84"),
        (2, "truncate", "54.849", "54.84"),
        (0, "truncate", "-33.9", "-33"),
        (1, "round", "0.05", "0.1"),
    ],
)
def test_precision(digits: int, rounding: str, value: str, shown: str) -> None:
    """Truncated and rounded percentages occur in one table."""
    how = "truncate" if rounding == "truncate" else "round"
    assert Precision(digits, how)(Decimal(value)) == shown


@given(st.dates(date(2001, 1, 1), date(2100, 12, 31)))
def test_a_year_before_is_a_year_before(day: date) -> None:
    """Also for 29 February."""
    before = a_year_before(day)

    assert before.year == day.year - 1
    assert timedelta(days=365) <= day - before <= timedelta(days=366)


def test_rules_come_from_the_settings() -> None:
    """Counted classes, digits and rounding of each row; a time zone there is not is refused."""
    rules = rules_of(YearbookSettings(counted=("social-public", "public-dedicated"), sites="1 round"))

    assert rules.counted == (ChargerClass.SOCIAL_PUBLIC, ChargerClass.PUBLIC_DEDICATED)
    assert rules.growth["sites"] == Precision(1, "round")
    assert rules.growth["operators"] == Precision(0, "truncate")
    with pytest.raises(InvalidInput):
        rules_of(YearbookSettings(time_zone="Mars/Olympus"))


async def test_a_date_no_clock_knows_is_refused(database: Database) -> None:
    """The first years would have no year before."""
    with pytest.raises(InvalidInput, match="after the year"):
        await YearbookWriter(AssetCounts(database)).make(date(1900, 1, 1))


def _day(year: int, month: int, day: int) -> datetime:
    """A midnight in Beijing."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=8)


def _charger(whose: str, site: str, name: str, **over: object) -> EquipmentRecord:
    values = {"charger_class": ChargerClass.SOCIAL_PUBLIC, **over}
    return EquipmentRecord(whose, site, name, **values)  # type: ignore[arg-type]  # names checked by the class
