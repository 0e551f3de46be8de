"""What was billed, and what city platforms were told of it: a page at a time. Knows rows; no caller's rights.

A line for each revision of a session's cost and each platform it was owed to; one without a platform where
it was owed to none, or was told so long ago that its outbox row is gone.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    func,
    literal_column,
    select,
)

from csms.store.database import Database
from csms.store.paging import Page
from csms.store.session_queries import SessionFilter, find, start_charge_seq
from csms.store.tables import charging_stations, operators, outbox, sessions, sites
from csms.store.tariff_tables import session_costs, tariff_versions, tariffs
from csms.store.times import text_of

_c, _o = session_costs, outbox
_revisions = session_costs.alias("revisions")
_LATEST = (
    select(func.max(_revisions.c.revision))
    .where(_revisions.c.session_id == sessions.c.session_id)
    .correlate(sessions)
    .scalar_subquery()
)
BILLED = (
    select(
        _c,
        _LATEST.label("latest"),
        sessions.c.evse,
        sessions.c.connector,
        sessions.c.started_at,
        sessions.c.ended_at,
        charging_stations.c.identity,
        operators.c.code.label("operator_code"),
        sites.c.code.label("site_code"),
        tariffs.c.code.label("tariff"),
        tariff_versions.c.number.label("tariff_version"),
    )
    .select_from(sessions)
    .join(_c, _c.c.session_id == sessions.c.session_id)
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .outerjoin(sites, sites.c.site_id == sessions.c.site_id)
    .outerjoin(tariff_versions, tariff_versions.c.version_id == _c.c.version_id)
    .outerjoin(tariffs, tariffs.c.tariff_id == tariff_versions.c.tariff_id)
    .where(sessions.c.session_id.in_(bindparam("numbers", expanding=True)))
    .order_by(_c.c.session_id, _c.c.revision.desc())
)
TOLD = select(_o.c.platform, _o.c.about, _o.c.state, _o.c.sent_at, _o.c.sent_hash).where(
    _o.c.platform.in_(bindparam("platforms", expanding=True)),
    _o.c.kind == literal_column("'charge-order'"),
    _o.c.about.in_(bindparam("abouts", expanding=True)),
)


class OrderPages:
    """Every method raises StoreUnavailable when the database is away.

    `platforms`: the names of all platforms orders may have been told to.
    """

    def __init__(self, database: Database, platforms: Sequence[str]) -> None:
        self._database = database
        self._platforms = tuple(platforms)

    async def find(self, wanted: SessionFilter, after: str | None = None, most: int = 250) -> Page:
        """The orders of at most `most` sessions of the filter, in its order, the latest revision first."""
        return await self._database.browse(lambda connection: self._find(wanted, after, most, connection))

    def _find(self, wanted: SessionFilter, after: str | None, most: int, connection: Connection) -> Page:
        found = find(wanted, after, most, connection)
        numbers = [int(one["session_id"]) for one in found.items]
        billed: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in connection.execute(BILLED, {"numbers": numbers}) if numbers else ():
            billed[row.session_id].append(_billed(row))
        told = self._told([_about(one) for some in billed.values() for one in some], connection)
        items = []
        for number in numbers:
            for one in billed[number]:
                items += [one | each._asdict() for each in told.get(_about(one)) or [_NOBODY]]
        return Page(items, found.next)

    def _told(self, abouts: list[str], connection: Connection) -> dict[str, list["_Told"]]:
        found: dict[str, list[_Told]] = defaultdict(list)
        if self._platforms and abouts:
            asked = {"platforms": self._platforms, "abouts": abouts}
            for row in connection.execute(TOLD, asked):
                told = _Told(row.platform, row.state, text_of(row.sent_at), row.sent_hash)
                found[row.about].append(told)
        return found


class _Told(NamedTuple):
    """How an order fared with a platform."""

    platform: str | None
    told: str | None
    told_at: str | None
    told_hash: str | None


_NOBODY = _Told(None, None, None, None)


def _about(one: dict[str, Any]) -> str:
    return f"{one['session_id']}/{one['revision']}"


def _billed(row: Row[Any]) -> dict[str, Any]:
    names = ("revision", "tariff", "tariff_version", "energy_wh", "elec_money", "service_money")
    more = ("idle_money", "parking_money", "total", "evse", "connector")
    return {
        "session_id": str(row.session_id),
        "start_charge_seq": start_charge_seq(row.operator_code, row.session_id),
        "operator": row.operator_code,
        "site": row.site_code,
        "charging_station": row.identity,
        "started_at": text_of(row.started_at),
        "ended_at": text_of(row.ended_at),
        "priced_at": text_of(row.at),
        "is_current": row.revision == row.latest,
        **{name: getattr(row, name) for name in names + more},
    }
