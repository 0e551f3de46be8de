"""Time by state in hours, read from the connectors' histories when somebody asks. Knows tables.

Nothing of it is stored: hours of every connector would be the largest table there is. Histories are read in
chunks of stations, and computed beside the event loop.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from csms.domain.calendar import city_of
from csms.domain.periods import Served as Evident
from csms.domain.periods import figures
from csms.domain.timeline import Evidence, Span
from csms.store.asset_tables import site_assets
from csms.store.database import Database
from csms.store.evidence import EvidenceReader
from csms.store.platform_figures import Key, Use, add_use
from csms.store.platform_subjects import AREA, ZONE, Scope, Subject
from csms.store.served import Served, served, served_of
from csms.store.tables import charging_stations, operators, sites
from csms.store.times import MICROSECOND, micros

S = charging_stations
CHUNK = 100  # stations
MARGIN = timedelta(hours=2)  # a clock set back by more is seen in days, not in hours


class Line(Protocol):
    """A row of a page."""

    @property
    def subject(self) -> Subject:
        """Of what."""

    @property
    def span(self) -> Span:
        """Which hour."""


CONNECTORS = served(lambda number: number.in_(bindparam("stations", expanding=True)))
_SITED = (
    select(S.c.station_id, S.c.site_id, sites.c.operator_id, AREA.label("area"), ZONE.label("zone"))
    .join(sites, sites.c.site_id == S.c.site_id)
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .outerjoin(site_assets, site_assets.c.site_id == sites.c.site_id)
)
_COUNT = (
    select(func.count())
    .select_from(S)
    .join(sites, sites.c.site_id == S.c.site_id)
    .join(operators, operators.c.operator_id == sites.c.operator_id)
)


class PlatformHours:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._evidence = EvidenceReader(database.dialect_of)

    @staticmethod
    def count_stations(scope: Scope, connection: Connection) -> int:
        """How many stations stand at the sites that a caller may see."""
        return int(connection.execute(_scoped(_COUNT, scope)).scalar_one())

    async def uses(self, scope: Scope, lines: Sequence[Line], now: datetime) -> dict[Key, Use]:
        """Of every line whose subject had a connector in service in its hour, up to now."""
        if not lines:
            return {}
        wanted = {(line.subject.numbers, line.span) for line in lines}
        windows = sorted({line.span for line in lines})
        window = Span(windows[0].start, min(windows[-1].end, now))
        owners = await self._database.browse(partial(_owners, scope, {numbers for numbers, _ in wanted}))
        found: dict[Key, Use] = {}
        stations = list(owners)
        for n in range(0, len(stations), CHUNK):
            chunk = stations[n : n + CHUNK]
            known = await self._database.look(partial(self._read, chunk, window))
            for key, use in await asyncio.to_thread(_computed, scope, known, owners, wanted, windows, now):
                add_use(found, key, use)
        return found

    def _read(
        self, stations: list[int], window: Span, connection: Connection
    ) -> list[tuple[Served, Evidence]]:
        there = [served_of(row) for row in connection.execute(CONNECTORS, {"stations": stations})]
        known = self._evidence.read([one.place for one in there], window, connection, MARGIN)
        return [(one, known[one.place]) for one in there]


def _scoped(query: Select[Any], scope: Scope) -> Select[Any]:
    return query if scope.operators is None else query.where(operators.c.code.in_(scope.operators))


def _owners(scope: Scope, wanted: set[tuple[Any, ...]], connection: Connection) -> dict[int, tuple[Any, ...]]:
    """Stations of the wanted subjects, and of which. A connector's and an equipment's is itself."""
    if scope.of in ("connector", "equipment"):
        return {numbers[0]: numbers[:1] for numbers in sorted(wanted)}
    numbers_of = NUMBERS_OF[scope.of]
    rows = connection.execute(_scoped(_SITED, scope)).all()
    return {row.station_id: numbers for row in rows if (numbers := numbers_of(row)) in wanted}


NUMBERS_OF: dict[str, Callable[[Row[Any]], tuple[Any, ...]]] = {
    "site": lambda row: (row.site_id,),
    "operator": lambda row: (row.operator_id,),
    "district": lambda row: (row.area, row.zone),
    "city": lambda row: (city_of(row.area), row.zone),
}


def _computed(
    scope: Scope,
    known: Iterable[tuple[Served, Evidence]],
    owners: dict[int, tuple[Any, ...]],
    wanted: set[tuple[tuple[Any, ...], Span]],
    windows: Sequence[Span],
    now: datetime,
) -> list[tuple[Key, Use]]:
    of_stations: dict[int, dict[tuple[Any, ...], Evident]] = {}
    for (place, _, rated_w, joined, retired), evidence in known:
        of_station = of_stations.setdefault(place.station_id, {})
        of_station[place] = Evident(evidence, rated_w, joined, retired)
    past = [Span(span.start, min(span.end, now)) for span in windows]
    found: list[tuple[Key, Use]] = []
    for station_id, connectors in of_stations.items():
        for span, part, of_span in zip(windows, past, figures(connectors, past), strict=True):
            for name, of in of_span.items():
                numbers = name if scope.of == "connector" else owners[station_id]
                if (numbers, span) not in wanted:
                    continue
                use = Use(
                    tuple(length // MICROSECOND for length in of.usage),
                    of.capacity_wh,
                    of.equipment // MICROSECOND,
                    of.records,
                    of.fault_records,
                    micros(part.end),
                )
                found.append((Key(numbers, micros(span.start)), use))
    return found
