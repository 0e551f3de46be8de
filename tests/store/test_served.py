"""Which connectors there are, how strong they are, and since when, on both databases."""

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, update

from csms.domain.assets import ConnectorStatus as S
from csms.store.asset_tables import asset_spells
from csms.store.database import Database
from csms.store.registry import Registry, StationForm
from csms.store.served import Place, Served, served, served_of
from csms.store.times import micros
from tests.store.connector_history import state, tell
from tests.store.given import T0, stations
from tests.store.test_use_days import put_asset

DAY = timedelta(days=1)
STATEMENT = served(lambda number: number.in_(bindparam("stations", expanding=True)))


async def found(database: Database, *numbers: int) -> list[Served]:
    """The connectors of these stations."""
    return [served_of(row) for row in await database.read(STATEMENT, {"stations": list(numbers)})]


async def test_told_and_registered_connectors(database: Database) -> None:
    """Each once; EVSE 0 is none; what is registered comes before a share of the station's power."""
    one, two = await stations(database, 2)
    await Registry(database).put_station(StationForm("CS-0001", "S01", max_power_w=120_000), T0)
    for evse in (0, 1, 2):
        await tell(database, one, [state(one, T0, S.AVAILABLE, evse=evse)])
    await put_asset(database, one, 2, 90_000, T0, None)
    await put_asset(database, one, 3, 30_000, T0 + DAY, T0 + 2 * DAY)

    first, second, third = await found(database, one.station_id, two.station_id)

    number = one.station_id
    assert first == Served(Place(number, 1, 1), "Asia/Shanghai", 60_000, None, None)
    assert second == Served(Place(number, 2, 1), "Asia/Shanghai", 90_000, T0, None)
    assert third == Served(Place(number, 3, 1), "Asia/Shanghai", 30_000, T0 + DAY, T0 + 2 * DAY)
    assert await found(database, two.station_id) == []


async def test_service_lasts_while_one_spell_has_no_end(database: Database) -> None:
    """From the first spell's beginning to the last one's end."""
    (one,) = await stations(database)
    await put_asset(database, one, 1, 7_000, T0, T0 + DAY)
    again: dict[str, Any] = {
        "level": "connectors",
        "subject_id": 1,
        "since": micros(T0 + 3 * DAY),
        "until": None,
        "operator_id": one.operator_id,
        "charger_class": "",
    }
    await database.execute(asset_spells.insert().values(again))

    (open_end,) = await found(database, one.station_id)
    assert (open_end.joined, open_end.retired) == (T0, None)
    await database.execute(
        update(asset_spells).where(asset_spells.c.until.is_(None)).values(until=micros(T0 + 5 * DAY))
    )
    (ended,) = await found(database, one.station_id)
    assert ended.retired == T0 + 5 * DAY
