"""The yearbook: what a city publishes at a year's end, as of any date. Knows figures and words; no SQL.

Operators, sites and chargers connected at the end of a day, what was added against the same day a year
before, and the growth in percent; chargers by class in units of ten thousand (万); energy, sessions and
utilisation of the year that ended that day. Cities differ in rounding, sometimes within one table: digits and
rounding are given for each row.

* Counted are chargers of the classes of `YearbookRules.counted`, by default the social-public ones, and the
  sites that hold one.
* Utilisation: seconds of charging of all sessions / seconds that all chargers were connected, in the year.
* Mean service radius: of the circle whose area is the polygon's area / number of counted sites inside. The
  mean distance from a point of the polygon to the nearest of these sites is given beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Literal, NamedTuple

from csms.config import YearbookSettings
from csms.domain.geodesy import Polygon, Position, area_m2, contains, equal_share_radius_m, mean_nearest_m
from csms.domain.inventory import ChargerClass
from csms.domain.local_time import zone
from csms.errors import InvalidInput
from csms.store.asset_counts import AssetCounts, Snapshot, Work

Rounding = Literal["truncate", "round"]
ROUNDINGS = {"truncate": ROUND_DOWN, "round": ROUND_HALF_UP}
TEN_THOUSAND = 10_000
FIRST_YEAR = 2000
INSTANT = timedelta(microseconds=1)  # the last of a day is before the next one begins


class Precision(NamedTuple):
    """Digits after the point, and what happens to the rest."""

    digits: int
    rounding: Rounding

    def __call__(self, value: Decimal) -> str:
        """The value with so many digits."""
        return str(value.quantize(Decimal(1).scaleb(-self.digits), ROUNDINGS[self.rounding]))


TWO_DIGITS = Precision(2, "round")


@dataclass(frozen=True, slots=True)
class YearbookRules:
    """How a city counts and prints. By default as Beijing's table of 2017: whole percents cut off."""

    time_zone: str = "Asia/Shanghai"
    counted: tuple[ChargerClass, ...] = (ChargerClass.SOCIAL_PUBLIC,)
    growth: dict[str, Precision] = field(
        default_factory=lambda: {
            "operators": Precision(0, "truncate"),
            "sites": Precision(0, "truncate"),
            "chargers": TWO_DIGITS,
            "energy": TWO_DIGITS,
            "sessions": TWO_DIGITS,
        }
    )
    ten_thousands: Precision = TWO_DIGITS
    utilisation: Precision = TWO_DIGITS


def rules_of(settings: YearbookSettings) -> YearbookRules:
    """The rules that config.yaml gives. Raises InvalidInput for a time zone there is not."""
    zone(settings.time_zone)

    def precision(name: str) -> Precision:
        digits, _, rounding = getattr(settings, name).partition(" ")
        return Precision(int(digits), "truncate" if rounding == "truncate" else "round")

    return YearbookRules(
        settings.time_zone,
        tuple(map(ChargerClass, settings.counted)),
        {name: precision(name) for name in ("operators", "sites", "chargers", "energy", "sessions")},
        precision("ten_thousands"),
        precision("utilisation"),
    )


class Row(NamedTuple):
    """A figure now and a year before. `growth_percent` is as printed; None where nothing was before."""

    name: str
    now: int
    before: int
    added: int
    growth_percent: str | None


class ClassRow(NamedTuple):
    """Chargers of a class. `ten_thousands` is as printed, in 万."""

    name: str
    chargers: int
    ten_thousands: str


class Radius(NamedTuple):
    """How near the counted sites inside a polygon are. Metres; None without a site."""

    area_km2: float
    sites: int
    equal_share_m: float | None
    mean_nearest_m: float | None


@dataclass(frozen=True, slots=True)
class Yearbook:
    """The figures as of the end of a day. `unentered`: charging stations no date counts."""

    as_of: date
    operator: str | None
    rows: tuple[Row, ...]
    classes: tuple[ClassRow, ...]
    energy_wh: int
    sessions: int
    utilisation_percent: str | None
    unclassified: int
    unentered: int
    radius: Radius | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "as_of": self.as_of.isoformat(),
            "operator": self.operator,
            "rows": [row._asdict() for row in self.rows],
            "chargers_by_class": [row._asdict() for row in self.classes],
            "energy_wh": self.energy_wh,
            "sessions": self.sessions,
            "utilisation_percent": self.utilisation_percent,
            "unclassified": self.unclassified,
            "unentered": self.unentered,
            "service_radius": None if self.radius is None else self.radius._asdict(),
        }


# The city's own order. Workplace-internal chargers are part of the public-dedicated ones.
CLASSES = (
    ("private", (ChargerClass.PRIVATE,)),
    ("public-dedicated", (ChargerClass.PUBLIC_DEDICATED, ChargerClass.WORKPLACE_INTERNAL)),
    ("workplace-internal", (ChargerClass.WORKPLACE_INTERNAL,)),
    ("social-public", (ChargerClass.SOCIAL_PUBLIC,)),
)


class YearbookWriter:
    """Makes yearbooks from dated assets and totals."""

    def __init__(self, counts: AssetCounts, rules: YearbookRules | None = None) -> None:
        self._counts = counts
        self._rules = rules or YearbookRules()

    async def make(
        self, as_of: date, operator: str | None = None, polygons: Sequence[Polygon] = ()
    ) -> Yearbook:
        """The yearbook as of the end of a day, perhaps of one operator only.

        Raises InvalidInput for a year no clock knows, StoreUnavailable when the database is away.
        """
        if not FIRST_YEAR < as_of.year < 9999:
            raise InvalidInput(f"as_of: give a date after the year {FIRST_YEAR}")
        end, start = self._end_of(as_of), self._end_of(a_year_before(as_of))
        now = await self._counts.at(end - INSTANT, self._rules.counted, operator)
        before = await self._counts.at(start - INSTANT, self._rules.counted, operator)
        year = await self._counts.work(start, end, operator)
        earlier = self._end_of(a_year_before(a_year_before(as_of)))
        year_before = await self._counts.work(earlier, start, operator)
        return Yearbook(
            as_of=as_of,
            operator=operator,
            rows=tuple(self._rows(now, before, year, year_before)),
            classes=tuple(self._classes(now)),
            energy_wh=year.energy_wh,
            sessions=year.sessions,
            utilisation_percent=self._utilisation(year),
            unclassified=now.by_class.get("", 0),
            unentered=await self._counts.unentered(operator),
            radius=_radius(now, polygons) if polygons else None,
        )

    async def answer(self, as_of: date, operator: str | None = None) -> dict[str, Any]:
        """The same as the API gives it, without an area."""
        return (await self.make(as_of, operator)).to_json()

    def _end_of(self, day: date) -> datetime:
        """The instant at which the day ended by the city's clock."""
        after = day + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=zone(self._rules.time_zone))

    def _rows(self, now: Snapshot, before: Snapshot, year: Work, year_before: Work) -> list[Row]:
        figures = (
            ("operators", now.operators, before.operators),
            ("sites", now.sites, before.sites),
            ("chargers", now.chargers, before.chargers),
            ("energy", year.energy_wh, year_before.energy_wh),
            ("sessions", year.sessions, year_before.sessions),
        )
        return [Row(name, new, old, new - old, self._growth(name, new, old)) for name, new, old in figures]

    def _growth(self, name: str, now: int, before: int) -> str | None:
        return self._rules.growth[name](Decimal(100 * (now - before)) / before) if before else None

    def _classes(self, now: Snapshot) -> list[ClassRow]:
        rows = [(name, sum(now.by_class.get(each, 0) for each in parts)) for name, parts in CLASSES]
        rows.insert(0, ("all", sum(now.by_class.values())))
        return [ClassRow(name, n, self._rules.ten_thousands(Decimal(n) / TEN_THOUSAND)) for name, n in rows]

    def _utilisation(self, year: Work) -> str | None:
        if not year.charger_s:
            return None
        return self._rules.utilisation(Decimal(100 * year.charging_s) / year.charger_s)


def a_year_before(day: date) -> date:
    """The same day a year earlier; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _radius(now: Snapshot, polygons: Sequence[Polygon]) -> Radius:
    inside = [
        at for at in (Position(*each) for each in now.positions) if any(contains(p, at) for p in polygons)
    ]
    area = sum(map(area_m2, polygons))
    return Radius(
        round(area / 1e6, 3),
        len(inside),
        equal_share_radius_m(area, len(inside)),
        mean_nearest_m(polygons, inside),
    )
