"""Subjects of every level: who is in scope, and chunks that miss nobody."""

import pytest

from csms.domain.assets import ConnectorStatus as S
from csms.store.database import Database
from csms.store.platform_subjects import Chunk, Key, Scope, Subject, clocks, subjects
from tests.store.connector_history import state, tell
from tests.store.given import OPERATOR, T0
from tests.store.test_platform_totals import OTHER, network

ZONE = "Asia/Shanghai"


async def of(database: Database, scope: Scope, most: int = 100) -> list[Subject]:
    """All subjects, `most` at a time."""
    found: list[Subject] = []
    after: Key | None = None
    while True:
        chunk = Chunk(ZONE, after, most)
        some = await database.browse(lambda connection, chunk=chunk: subjects(scope, chunk, connection))
        found += some
        if len(some) < most:
            return found
        after = some[-1].key


@pytest.mark.parametrize("most", [1, 2, 100])
async def test_chunks_miss_nobody(database: Database, most: int) -> None:
    """Each subject once, in order, whatever the size of the chunks."""
    made = await network(database)
    for station in made.values():
        for evse in (1, 2):
            await tell(database, station, [state(station, T0, S.AVAILABLE, evse=evse)])
    wanted = {
        "connector": [f"CS-{site}/{evse}/1" for site in ("A1", "A2", "B1") for evse in (1, 2)],
        "equipment": ["CS-A1", "CS-A2", "CS-B1"],
        "site": ["A1", "A2", "B1"],
        "operator": [OPERATOR, OTHER],
        "district": ["110105", "110108", "440304"],
        "city": ["110000", "440300"],
    }

    for level, ids in wanted.items():
        assert [one.id for one in await of(database, Scope(level), most)] == ids
        mine = await of(database, Scope(level, (OTHER,)), most)
        assert [one.id for one in mine] == ids[-len(mine) :]
        assert len(mine) == (2 if level == "connector" else 1)
        assert [one.id for one in await of(database, Scope(level, None, ids[0]), most)] == ids[:1]
        assert await of(database, Scope(level, (OTHER,), ids[0]), most) == []


async def test_clocks_of_a_scope(database: Database) -> None:
    """UTC is there for stations of nobody, but not for a caller of one operator."""
    await network(database)

    async def zones(scope: Scope) -> list[str]:
        return await database.browse(lambda connection: clocks(scope, connection))

    assert await zones(Scope("site")) == [ZONE, "UTC"]
    assert await zones(Scope("site", (OTHER,))) == [ZONE]
    assert await zones(Scope("site", ())) == []
