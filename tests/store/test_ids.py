"""Numbers that are never given twice: two allocators, a crash, a restored backup (T30)."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from csms.store.database import Database
from csms.store.ids import FIRST, SESSIONS, TRANSACTIONS, Ids, NumbersUsedUp
from tests.store.given import HOUR, T0


async def take(ids: Ids, count: int) -> list[int]:
    """So many transaction ids."""
    return [await ids.transaction_id() for _ in range(count)]


async def test_two_allocators_give_different_numbers(database: Database) -> None:
    """Two nodes, ten thousand starts each: all different, all int32 above 0."""
    nodes = [Ids(database, lambda: T0), Ids(database, lambda: T0)]

    given = await asyncio.gather(*(take(node, 5_000) for node in nodes for _ in range(2)))

    numbers = [number for some in given for number in some]
    assert len(set(numbers)) == 20_000
    assert all(0 < number < 2**31 for number in numbers)


async def test_numbers_rise(database: Database) -> None:
    """Within one process, later is higher: people read them so."""
    ids = Ids(database, lambda: T0)

    given = await take(ids, 500)

    assert given == sorted(given)


async def test_what_a_crash_leaves_of_a_block_is_not_reused(database: Database) -> None:
    """A new process begins after the block of the one that died."""
    before = [await Ids(database, lambda: T0).transaction_id() for _ in range(3)]

    assert len(set(before)) == 3


async def test_session_numbers_have_at_most_18_digits(database: Database) -> None:
    """The city's order number has room for 18; a century from now they still fit."""
    ids = Ids(database, lambda: T0 + timedelta(days=36_525))

    assert 0 < await ids.session_id() < 10**18


async def test_a_restored_backup_gives_no_number_again(sqlite_url: str, tmp_path: Path) -> None:
    """F14: the floor of the clock lies above everything given after the backup."""
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    now = [T0]
    database = await Database.open(sqlite_url)
    ids = Ids(database, lambda: now[0])
    given = set(await take(ids, 10))
    await database.close()
    shutil.copy(file, tmp_path / "backup.db")
    database = await Database.open(sqlite_url)
    ids = Ids(database, lambda: now[0])
    for _ in range(10):
        now[0] += HOUR / 10
        given |= set(await take(ids, 1_000))
    await database.close()

    now[0] += HOUR / 12  # putting a backup back takes its time
    database = await Database.open(f"sqlite:///{tmp_path / 'backup.db'}")
    after = set(await take(Ids(database, lambda: now[0]), 1_000))
    await database.close()

    assert not given & after


async def test_a_clock_that_is_wrong_is_survived(database: Database) -> None:
    """Far ahead and back again, or before this release: numbers stay unique."""
    now = [T0]
    given: list[int] = []

    for at in (T0, T0 + timedelta(days=3_650), T0, FIRST - timedelta(days=20_000)):
        now[0] = at
        given += await take(Ids(database, lambda: now[0]), 300)

    assert len(set(given)) == 1_200
    assert min(given) > 0


async def test_used_up_is_said(database: Database) -> None:
    """Past int32 no number is made up."""
    ids = Ids(database, lambda: FIRST + timedelta(seconds=2**31 / TRANSACTIONS.per_second))

    with pytest.raises(NumbersUsedUp):
        await ids.transaction_id()
    assert SESSIONS.last < 10**18
