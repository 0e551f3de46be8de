"""What the status page shows, by one function. Knows the questions of `status_queries`; does not know HTML.

Scope is an operator's code, or None for the whole network. Days begin at the operator's local midnight.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from csms.errors import NotFound
from csms.store import status_queries as q
from csms.store.database import Database
from csms.store.delivery_rows import china_day
from csms.store.platforms import first_since
from csms.store.times import instant, instant_or_none, micros

POWER_WITHIN = timedelta(minutes=15)  # an older reading says nothing about now
LONGEST_DAY = timedelta(hours=26)  # with a change of clocks
CONTACT_DAYS = 31  # what arose before and was taken since is not looked for


@dataclass(frozen=True, slots=True)
class StationCell:
    """One charging station of the grid.

    `state`: never-seen, offline, faulted, charging, occupied, unavailable or available.
    """

    identity: str
    state: str


@dataclass(frozen=True, slots=True)
class SiteCells:
    """One site of the grid; `cells` may be fewer than `total`."""

    code: str
    name: str
    total: int
    online: int
    cells: tuple[StationCell, ...]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session of a table. Energy Wh, power W; None where not known."""

    session_id: int
    station: str
    evse: int
    connector: int
    token: str
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int | None
    power_w: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One charge order owed to a city platform. `state`: waiting, sent or dead."""

    about: str
    platform: str
    state: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """The network at one moment. `online` counts by OCPP version; `since` is when the day began."""

    at: datetime
    since: datetime
    zone: str
    stations: int
    online: dict[str, int]
    live_sessions: int
    metered_sessions: int
    power_w: int
    energy_today_wh: int
    orders_sent: int
    orders_waiting: int
    orders_dead: int
    city_contact: datetime | None
    has_platform: bool
    sites: tuple[SiteCells, ...]
    live: tuple[SessionLine, ...]
    ended: tuple[SessionLine, ...]
    orders: tuple[OrderLine, ...]
    cost_s: float = 0.0  # processor time of this process that it took to read


class StatusReader:
    """Answers what the status page asks. `platforms` are pairs of platform name and operator code."""

    def __init__(self, database: Database, platforms: tuple[tuple[str, str], ...]) -> None:
        self._database = database
        self._platforms = platforms
        self._first_orders: dict[int, int] = {}

    async def read(self, operator: str | None, now: datetime) -> Status:
        """The network, or what of it `operator` owns. Raises NotFound for an operator nobody knows."""
        return await self._database.browse(partial(self._timed, operator, now))

    def _timed(self, operator: str | None, now: datetime, db: Connection) -> Status:
        began = thread_time()
        return replace(self._read(operator, now, db), cost_s=thread_time() - began)

    def _read(self, operator: str | None, now: datetime, db: Connection) -> Status:
        operators = [row for row in db.execute(q.OPERATORS) if operator in (None, row.code)]
        if operator is not None and not operators:
            raise NotFound(f"operator {operator}")
        zone = operators[0].time_zone if operators else "UTC"
        since = midnight(now, zone)
        scope = {
            "operator_id": -1 if operator is None else operators[0].operator_id,
            "power_since": micros(now - POWER_WITHIN),
        }
        counts = db.execute(q.ONLINE, scope).all()
        stations, online = _online(counts)
        power = db.execute(q.POWER, scope).one()
        return Status(
            at=now,
            since=since,
            zone=zone,
            stations=stations,
            online=online,
            live_sessions=power.sessions,
            metered_sessions=power.metered,
            power_w=round((power.power_mw or 0) / 1000),
            energy_today_wh=_energy_today(db, operators, now),
            sites=_sites(db, scope, counts),
            live=tuple(_line(row, row.power_mw) for row in db.execute(q.LIVE, scope)),
            ended=_latest_ended(db.execute(q.ENDED, scope).all()),
            **self._owed(db, operator, micros(since)),
        )

    def _owed(self, db: Connection, operator: str | None, since: int) -> dict[str, Any]:
        names = [name for name, code in self._platforms if operator in (None, code)]
        wanted = {"platforms": names, "first": self._first_order(db, since)}
        today = {row.state: row.n for row in db.execute(q.ORDERS_TODAY, wanted)}
        newest = [row for name in names for row in db.execute(q.NEWEST_ORDERS, {"platform": name})]
        orders = sorted(newest, key=lambda row: -row.outbox_id)[: q.MOST_ROWS]
        contacts = [row.sent_at for row in newest if row.sent_at is not None]
        asked = {"platforms": names, "since_day": china_day(since) - CONTACT_DAYS}
        contacts += filter(None, [db.execute(q.LAST_CONTACT, asked).scalar_one()])
        return {
            "orders_sent": today.get("sent", 0),
            "orders_waiting": db.execute(q.ORDERS_WAITING, wanted).scalar_one(),
            "orders_dead": today.get("dead", 0),
            "city_contact": instant_or_none(max(contacts, default=None)),
            "has_platform": bool(names),
            "orders": tuple(map(_order, orders)),
        }

    def _first_order(self, db: Connection, since: int) -> int:
        """The first outbox row of the day. Looked for once a day: from then on its id is known."""
        if since not in self._first_orders:
            self._first_orders = {since: first_since(db, since)}
        return self._first_orders[since]


def _energy_today(db: Connection, operators: Sequence[Any], now: datetime) -> int:
    begins = {row.operator_id: micros(midnight(now, row.time_zone)) for row in operators}
    hours = db.execute(q.HOURS, {"since": micros(now - LONGEST_DAY)})
    return sum(row.energy_wh for row in hours if row.start >= begins.get(row.subject_id, row.start + 1))


def _sites(db: Connection, scope: dict[str, int], counts: Sequence[Any]) -> tuple[SiteCells, ...]:
    busy = {row.station_id for row in db.execute(q.BUSY, scope)}
    names = {row.site_id: (row.code, row.name) for row in db.execute(q.SITES)}
    cells: dict[int | None, list[StationCell]] = {}
    for row in db.execute(q.CELLS, scope):
        cells.setdefault(row.site_id, []).append(StationCell(row.identity, _state(row, busy)))
    totals: dict[int | None, Counter[bool]] = {}
    for row in counts:
        totals.setdefault(row.site_id, Counter())[bool(row.is_online)] += row.n
    made = [
        SiteCells(*names.get(site, ("", "")), total.total(), total[True], tuple(cells.get(site, ())))
        for site, total in totals.items()
    ]
    return tuple(sorted(made, key=lambda site: (site.code == "", site.code, site.name)))


def midnight(now: datetime, zone: str) -> datetime:
    """When the local day of `now` began, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(now.tzinfo)


def _online(counts: Sequence[Any]) -> tuple[int, dict[str, int]]:
    online: dict[str, int] = {}
    for row in counts:
        if row.is_online:
            version = row.ocpp_version or "?"
            online[version] = online.get(version, 0) + row.n
    return sum(row.n for row in counts), dict(sorted(online.items()))


def _state(row: Any, busy: set[int]) -> str:
    """The one word for a station that matters most to whoever looks at many."""
    if row.connected_at is None:
        return "never-seen"
    if not row.is_online:
        return "offline"
    if row.faulted:
        return "faulted"
    if row.charging or row.station_id in busy:
        return "charging"
    if row.occupied:
        return "occupied"
    return "unavailable" if row.unavailable else "available"


def _latest_ended(rows: Sequence[Any]) -> tuple[SessionLine, ...]:
    latest = sorted(rows, key=lambda row: row.ended_at or row.started_at, reverse=True)
    return tuple(_line(row, None) for row in latest[: q.MOST_ROWS])


def _line(row: Any, power_mw: int | None) -> SessionLine:
    return SessionLine(
        session_id=row.session_id,
        station=row.identity,
        evse=row.evse,
        connector=row.connector,
        token=row.token,
        started_at=instant(row.started_at),
        ended_at=instant_or_none(row.ended_at),
        energy_wh=row.energy_wh,
        power_w=None if power_mw is None else round(power_mw / 1000),
        flags=tuple(flag for flag in row.flags.split(",") if flag),
    )


def _order(row: Any) -> OrderLine:
    return OrderLine(row.about, row.platform, row.state, row.attempts, instant(row.sent_at or row.created_at))
