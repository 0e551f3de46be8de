"""Availability of ports by month and regime, as the API and the command line give it.

Reads twelve months of the histories of a page of stations. Knows queries and shapes; what a figure means is
the domain's.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, literal_column, select

from csms.domain.local_time import zone
from csms.domain.periods import Served as Evident
from csms.domain.rates import minutes
from csms.domain.regimes import PortMonth, Sold, evidence_span, port_month, windows_until
from csms.domain.scope import WHOLE, Scope
from csms.domain.timeline import Span, Usage
from csms.domain.uptime import Exclusion, Nevi, Uk
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.evidence import EvidenceReader
from csms.store.exclusions import of_stations
from csms.store.paging import Page, cursor_of, key_of
from csms.store.scoping import within
from csms.store.served import Place, served, served_of
from csms.store.tables import charging_stations, operators, sites, totals
from csms.store.times import micros, text_of

S = charging_stations
REGIMES = ("cn", "nevi", "uk")
MOST_STATIONS = 20  # a year of their histories is read at once


@dataclass(frozen=True, slots=True)
class UptimeFilter:
    """`month`: `2026-01`, by each operator's clock. `scope`: what the caller may see."""

    month: str
    regimes: tuple[str, ...] = REGIMES
    station: str | None = None
    operator: str | None = None
    scope: Scope = WHOLE


class StationRow(NamedTuple):
    """A station of a report."""

    station_id: int
    identity: str
    operator: str | None
    site: str | None
    zone: str


class Port(NamedTuple):
    """All that is known of a connector for a report."""

    station: StationRow
    place: Place
    evident: Evident
    exclusions: list[Exclusion]
    sold: Sold


STATIONS = (
    select(
        S.c.station_id,
        S.c.identity,
        operators.c.code.label("operator"),
        sites.c.code.label("site"),
        operators.c.time_zone.label("zone"),
    )
    .outerjoin(operators, operators.c.operator_id == S.c.operator_id)
    .outerjoin(sites, sites.c.site_id == S.c.site_id)
    .order_by(S.c.identity)
)
CONNECTORS = served(lambda number: number.in_(bindparam("stations", expanding=True)))
SOLD = select(
    totals.c.subject_id, totals.c.evse, totals.c.connector, totals.c.energy_wh, totals.c.charging_s
).where(
    totals.c.period == literal_column("'month'"),
    totals.c.level == literal_column("'connector'"),
    totals.c.start == bindparam("start"),
    totals.c.subject_id.in_(bindparam("stations", expanding=True)),
)


class UptimeReports:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._evidence = EvidenceReader(database.dialect_of)

    async def find(
        self, wanted: UptimeFilter, now: datetime, after: str | None = None, most: int = MOST_STATIONS
    ) -> Page:
        """Ports of a page of stations, by identity; at most `most` stations. Raises InvalidInput."""
        month = month_of(wanted.month)
        stations = await self._database.browse(partial(_stations, wanted, after, min(most, MOST_STATIONS)))
        shown = stations[: min(most, MOST_STATIONS)]
        items: list[dict[str, Any]] = []
        # Stations of one clock have the same windows.
        for clock in dict.fromkeys(one.zone for one in shown):
            some = [one for one in shown if one.zone == clock]
            items += await self._of(some, month, clock, wanted.regimes, now)
        items.sort(key=lambda item: (item["charging_station"], item["evse"], item["connector"]))
        return Page(items, cursor_of(shown[-1].identity) if len(stations) > len(shown) else None)

    async def ports(self, stations: list[StationRow], window: Span, start: int = 0) -> list[Port]:
        """Everything known of the stations' connectors in the window; sales of the month from `start`."""
        return await self._database.look(partial(self._ports, stations, window, start))

    async def _of(
        self, stations: list[StationRow], month: str, clock: str, regimes: tuple[str, ...], now: datetime
    ) -> list[dict[str, Any]]:
        local = zone(clock)
        spans = windows_until(datetime.fromisoformat(f"{month}-01").replace(tzinfo=local), local, now)
        ports = await self.ports(stations, evidence_span(spans), micros(spans.month.start))

        def compute() -> list[dict[str, Any]]:
            made = []
            for port in ports:
                of = port_month(port.evident, port.exclusions, spans, port.sold)
                if of.service.length:
                    made.append(_shown(port, of, month, regimes))
            return made

        # A year of twenty stations is some tenths of a second of computing.
        return await asyncio.to_thread(compute)

    def _ports(
        self, stations: list[StationRow], window: Span, start: int, connection: Connection
    ) -> list[Port]:
        by_number = {one.station_id: one for one in stations}
        asked = {"stations": list(by_number)}
        there = [served_of(row) for row in connection.execute(CONNECTORS, asked)]
        known = self._evidence.read([one.place for one in there], window, connection)
        excluded = of_stations(list(by_number), window, connection)
        sold = {
            Place(*row[:3]): Sold(row.energy_wh, timedelta(seconds=row.charging_s))
            for row in connection.execute(SOLD, asked | {"start": start})
        }
        return [
            Port(
                by_number[place.station_id],
                place,
                Evident(known[place], rated_w, joined, retired),
                [one for evse, one in excluded.get(place.station_id, ()) if evse in (0, place.evse)],
                sold.get(place, Sold()),
            )
            for place, _, rated_w, joined, retired in there
        ]


def month_of(text: str) -> str:
    """`2026-01` as it is. Raises InvalidInput for anything else."""
    try:
        made = datetime.strptime(text, "%Y-%m")
    except ValueError as exc:
        raise InvalidInput("month: write it as 2026-01") from exc
    if not 2000 <= made.year <= 2200 or len(text) != 7:
        raise InvalidInput("month: write it as 2026-01")
    return text


def _stations(wanted: UptimeFilter, after: str | None, most: int, connection: Connection) -> list[StationRow]:
    query = STATIONS.where(*within(wanted.scope, S.c.operator_id, S.c.site_id)).limit(most + 1)
    if wanted.station is not None:
        query = query.where(S.c.identity == wanted.station)
    if wanted.operator is not None:
        query = query.where(operators.c.code == wanted.operator)
    if after is not None:
        query = query.where(S.c.identity > key_of(after, (str,))[0])
    return [
        StationRow(row.station_id, row.identity, row.operator, row.site, row.zone or "UTC")
        for row in connection.execute(query)
    ]


def _shown(port: Port, of: PortMonth, month: str, regimes: tuple[str, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "charging_station": port.station.identity,
        "evse": port.place.evse,
        "connector": port.place.connector,
        "operator": port.station.operator,
        "site": port.station.site,
        "month": month,
        "time_zone": port.station.zone,
        "from": text_of(micros(of.service.start)),
        "to": text_of(micros(of.service.end)),
        "minutes": minutes_of(of.figures.usage),
    }
    by_regime = {"cn": _cn, "nevi": _nevi, "uk": _uk}
    return shown | {name: by_regime[name](of) for name in REGIMES if name in regimes}


def minutes_of(usage: Usage) -> dict[str, float]:
    """Minutes of each state, and of all together."""
    return {name: minutes(length) for name, length in usage._asdict().items()} | {
        "in_service": minutes(usage.total)
    }


def _cn(of: PortMonth) -> dict[str, Any]:
    return {"own": of.own._asdict(), "shenzhen": of.shenzhen._asdict()}


def _nevi(of: PortMonth) -> dict[str, Any]:
    return {
        "month": _of_nevi(of.nevi_month) | {"uptime": of.nevi_month.uptime_in_service},
        "twelve_months": _of_nevi(of.nevi_year)
        | {"uptime": of.nevi_year.uptime, "uptime_in_service": of.nevi_year.uptime_in_service},
        "outages": [
            {
                "from": text_of(micros(one.span.start)),
                "to": text_of(micros(one.span.end)),
                "minutes": minutes(one.span.length),
                "excluded_minutes": minutes(one.excluded),
            }
            for one in of.outages
        ],
    }


def _of_nevi(of: Nevi) -> dict[str, float]:
    return {
        "in_service_minutes": minutes(of.in_service),
        "outage_minutes": minutes(of.outage),
        "excluded_minutes": minutes(of.excluded),
    }


def _uk(of: PortMonth) -> dict[str, Any]:
    return {"month": _of_uk(of.uk_month), "year": _of_uk(of.uk_year), "rapid": of.is_rapid}


def _of_uk(of: Uk) -> dict[str, float | None]:
    return {
        "accessible_minutes": minutes(of.accessible),
        "unreliable_minutes": minutes(of.unreliable),
        "reliability": of.reliability,
    }


def flat_port(item: dict[str, Any]) -> dict[str, Any]:
    """A port as one line: inner figures as columns of their own, lists left out."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            found |= {f"{name}_{inner}": each for inner, each in flat_port(value).items()}
        elif not isinstance(value, list):
            found[name] = value
    return found


def nevi_outages(item: dict[str, Any]) -> list[dict[str, Any]]:
    """A port's month as 680.112(a) asks for it: a line for each outage, or one where there was none."""
    month = item["nevi"]["month"]
    port = {
        "charging_station": item["charging_station"],
        "port": f"{item['evse']}/{item['connector']}",
        "month": item["month"],
        "uptime_percent": item["nevi"]["twelve_months"]["uptime"],
        "outage_minutes": month["outage_minutes"],
        "excluded_minutes": month["excluded_minutes"],
    }
    return [
        port
        | {
            "outage_from": one["from"],
            "outage_to": one["to"],
            "outage_duration_minutes": one["minutes"],
            "outage_excluded_minutes": one["excluded_minutes"],
        }
        for one in item["nevi"]["outages"]
    ] or [port]
