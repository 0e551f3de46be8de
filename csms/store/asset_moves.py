"""What the registry's changes mean for assets: a charging station that moves takes its equipment along.

Plain functions of a connection, called in the registry's own transaction.
"""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from csms.domain.placing import Dates, Place, settle
from csms.errors import InvalidInput
from csms.store import asset_writes as w
from csms.store.asset_rows import SPELLS, spells_of
from csms.store.asset_tables import asset_spells, equipment
from csms.store.tables import operators, sites
from csms.store.times import instant, micros, micros_or_none

OF_STATION = select(equipment).where(equipment.c.station_id == bindparam("station"))
NAMES = (
    select(operators.c.code, sites.c.code.label("site"))
    .join(operators, operators.c.operator_id == sites.c.operator_id)
    .where(sites.c.site_id == bindparam("site"))
)
SPELLS_OF = SPELLS.query().where(
    asset_spells.c.level == "equipment", asset_spells.c.subject_id == bindparam("number")
)
NAME_TAKEN = select(equipment.c.equipment_no).where(
    equipment.c.operator_id == bindparam("operator"), equipment.c.equipment_id == bindparam("name")
)
MOVE = (
    update(equipment)
    .where(equipment.c.equipment_no == bindparam("number"))
    .values(site_id=bindparam("site"), operator_id=bindparam("operator"), modified_at=bindparam("now"))
)

END = (
    update(asset_spells)
    .where(
        asset_spells.c.level == "equipment",
        asset_spells.c.subject_id == bindparam("of"),
        asset_spells.c.since == bindparam("began"),
    )
    .values(until=bindparam("ended"))
)


def station_placed(
    station_id: int, site_id: int | None, operator_id: int | None, now: int, connection: Connection
) -> None:
    """The registry has the station at this site: its equipment moves there now, and the past stays.

    A station that was taken off every site leaves its equipment where it was. Raises InvalidInput when the
    other operator has equipment of the same name.
    """
    if site_id is None or operator_id is None:
        return
    for row in connection.execute(OF_STATION, {"station": station_id}).all():
        if row.site_id != site_id:
            _move(row, site_id, operator_id, now, connection)
            w.touch([row.site_id], now, connection)
    w.touch([site_id], now, connection)


def _move(row: Any, site_id: int, operator_id: int, now: int, connection: Connection) -> None:
    if row.operator_id != operator_id:
        taken = connection.scalar(NAME_TAKEN, {"operator": operator_id, "name": row.equipment_id})
        if taken is not None:
            raise InvalidInput(f"site: its operator has equipment {row.equipment_id} already")
    w.raise_version(connection)
    where = {"number": row.equipment_no, "site": site_id, "operator": operator_id, "now": now}
    connection.execute(MOVE, where)
    connection.execute(w.CONNECTORS_FOLLOW, {"of": row.equipment_no, "whose": operator_id})
    names = connection.execute(NAMES, {"site": site_id}).one()
    spells = spells_of(connection.execute(SPELLS_OF, {"number": row.equipment_no})).get(row.equipment_no, ())
    if not spells or spells[-1].until is not None:
        return  # it has retired, or nobody said since when it is there: a move is no return
    place = Place(names.code, names.site, row.charger_class)
    after = settle(spells, place, Dates(), instant(now))  # refuses what has no order
    last = {"of": row.equipment_no, "began": micros(spells[-1].since)}
    connection.execute(END, last | {"ended": micros_or_none(after[-2].until)})
    connection.execute(
        insert(asset_spells).values(
            level="equipment",
            subject_id=row.equipment_no,
            since=now,
            operator_id=operator_id,
            site_id=site_id,
            charger_class=row.charger_class,
        )
    )
