"""What is known of many connectors' states in a window of time: a few queries, whatever their number.

Reads each connector's statuses, its station's connections and, where a station only says `occupied`, its
sessions. Whatever held at the window's start is read too, and two days before it, so that a clock that was
set back by less does not hide what was told. Knows tables; what the evidence means is the domain's.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Select, and_, func, literal_column, or_, select

from csms.domain.assets import ConnectorStatus
from csms.domain.timeline import Evidence, Link, Span, Told
from csms.store.device_tables import connector_states, connectors, station_events
from csms.store.key_sets import Columns, KeyQuery
from csms.store.served import Place
from csms.store.session_filter import LONGEST_SESSION
from csms.store.tables import sessions
from csms.store.times import instant, micros

MARGIN = timedelta(days=2)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
# The very words of the partial index's condition.
IS_LINK: ColumnElement[bool] = literal_column("station_events.kind IN ('connected', 'disconnected')")
WAS_LINK: ColumnElement[bool] = literal_column("earlier.kind IN ('connected', 'disconnected')")

_STATION: Columns = {"station_id": int}
_PLACE: Columns = {**_STATION, "evse": int, "connector": int}
_SPAN: Columns = {"since": int, "until": int}


def _whole(given: Any) -> Select[Any]:
    return select(connectors.c.station_id, connectors.c.evse, connectors.c.connector).join_from(
        given.station_id.table,
        connectors,
        and_(connectors.c.station_id == given.station_id, connectors.c.evse == literal_column("0")),
    )


def _told(given: Any) -> Select[Any]:
    h, earlier = connector_states, connector_states.alias("earlier")
    last = (
        select(func.max(earlier.c.at))
        .where(*(earlier.c[name] == given[name] for name in _PLACE), earlier.c.at <= given.since)
        .correlate(given.since.table)
        .scalar_subquery()
    )
    here = and_(
        *(h.c[name] == given[name] for name in _PLACE),
        h.c.at >= func.coalesce(last, given.since),
        h.c.at < given.until,
    )
    columns = (h.c.station_id, h.c.evse, h.c.connector, h.c.at, h.c.status, h.c.received_at)
    return select(*columns).join_from(given.since.table, h, here).order_by(h.c.state_id)


def _links(given: Any) -> Select[Any]:
    e, earlier = station_events, station_events.alias("earlier")
    last = (
        select(func.max(earlier.c.at))
        .where(earlier.c.station_id == given.station_id, WAS_LINK, earlier.c.at <= given.since)
        .correlate(given.since.table)
        .scalar_subquery()
    )
    here = and_(
        e.c.station_id == given.station_id,
        IS_LINK,
        e.c.at >= func.coalesce(last, given.since),
        e.c.at < given.until,
    )
    return (
        select(e.c.station_id, e.c.at, e.c.kind)
        .join_from(given.since.table, e, here)
        .order_by(e.c.at, e.c.event_id)
    )


def _sessions(given: Any) -> Select[Any]:
    s = sessions
    here = and_(
        s.c.station_id == given.station_id,
        s.c.started_at >= given.since - literal_column(str(LONGEST_SESSION // timedelta(microseconds=1))),
        s.c.started_at < given.until,
        or_(s.c.ended_at.is_(None), s.c.ended_at > given.since),
    )
    return select(s.c.station_id, s.c.evse, s.c.connector, s.c.started_at, s.c.ended_at).join_from(
        given.since.table, s, here
    )


class EvidenceReader:
    """Statements over connectors' histories, compiled once for a database."""

    def __init__(self, dialect: Dialect) -> None:
        self._whole = KeyQuery(dialect, _whole, _STATION)
        self._told = KeyQuery(
            dialect, _told, {**_PLACE, **_SPAN}, ("connector_states", "ix_connector_states_time")
        )
        self._links = KeyQuery(
            dialect, _links, {**_STATION, **_SPAN}, ("station_events", "ix_station_events_links")
        )
        self._sessions = KeyQuery(
            dialect, _sessions, {**_STATION, **_SPAN}, ("sessions", "ix_sessions_station")
        )

    def read(
        self, places: Iterable[Place], window: Span, connection: Connection, margin: timedelta = MARGIN
    ) -> dict[Place, Evidence]:
        """The evidence for each of the places; windows of a year and of an hour cost what lies in them."""
        wanted = list(dict.fromkeys(places))
        stations = [(number,) for number in dict.fromkeys(place.station_id for place in wanted)]
        whole = [Place(*row) for row in self._whole.rows(stations, connection)]
        since, until = micros(window.start - margin), micros(window.end)
        told = self._statuses([*wanted, *whole], since, until, connection)
        links: dict[int, list[Link]] = {}
        for station_id, at, kind in self._links.rows([(*one, since, until) for one in stations], connection):
            links.setdefault(station_id, []).append(Link(instant(at), kind == "connected"))
        of_station: dict[int, list[Told]] = {}
        for place in whole:
            of_station.setdefault(place.station_id, []).extend(told.get(place, ()))
        ran = self._running(told, micros(window.start), until, connection)
        return {
            place: Evidence(
                told.get(place, ()),
                of_station.get(place.station_id, ()),
                links.get(place.station_id, ()),
                _of_place(ran.get(place.station_id, ()), place),
            )
            for place in wanted
        }

    def _statuses(
        self, places: Sequence[Place], since: int, until: int, connection: Connection
    ) -> dict[Place, list[Told]]:
        found: dict[Place, list[Told]] = {}
        keys = [(*place, since, until) for place in places]
        for station_id, evse, connector, at, status, received_at in self._told.rows(keys, connection):
            told = Told(instant(at), ConnectorStatus(status), instant(received_at))
            found.setdefault(Place(station_id, evse, connector), []).append(told)
        return found

    def _running(
        self, told: dict[Place, list[Told]], since: int, until: int, connection: Connection
    ) -> dict[int, list[tuple[int, int, Span]]]:
        """Sessions of the stations whose word for a vehicle is `occupied`."""
        vague = {
            place.station_id
            for place, some in told.items()
            if any(one.status is ConnectorStatus.OCCUPIED for one in some)
        }
        found: dict[int, list[tuple[int, int, Span]]] = {}
        keys = [(number, since, until) for number in sorted(vague)]
        for station_id, evse, connector, start, end in self._sessions.rows(keys, connection):
            span = Span(instant(start), FAR if end is None else instant(end))
            found.setdefault(station_id, []).append((evse, connector, span))
        return found


def _of_place(ran: Iterable[tuple[int, int, Span]], place: Place) -> list[Span]:
    """A session that names no connector is at its EVSE's only one, or at each of them."""
    return [span for evse, connector, span in ran if evse == place.evse and connector in (0, place.connector)]
