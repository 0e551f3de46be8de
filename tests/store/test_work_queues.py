"""Queues hold what waits for a person, and cost what is in them; not what there ever was."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from csms.domain.charging_session import Change, SessionState, evolve
from csms.domain.quality import Flag
from csms.domain.scope import WHOLE, Scope
from csms.errors import InvalidInput, NotFound
from csms.store import migrations
from csms.store.change_tables import session_marks
from csms.store.database import Database
from csms.store.delivery_rows import Told
from csms.store.outbox import Hold, Outbox
from csms.store.records import OutboxRow
from csms.store.registry import Registry
from csms.store.session_codec import records_of
from csms.store.work_queues import ALL_QUEUES, COUNTED, QueueFilter, WorkQueues
from csms.store.writer import Writer
from tests.store.given import HOUR, OPERATOR, T0, a_message, a_session, stations, write_of

EVERYTHING = QueueFilter(None, ("city",), T0 + HOUR)


async def flagged(database: Database, number: int, *flags: Flag, was: tuple[Flag, ...] | None = None) -> None:
    """A session that has these flags now."""
    (station,) = await stations(database)
    session = a_session(station, number, flags=flags, state=SessionState.ENDED, ended_at=T0)
    before = None if was is None else evolve(session, flags=was)
    change = Change(session, is_new=was is None, message=a_message(str(len(flags))))
    async with Writer(database) as writer:
        await writer.write(write_of(station, *records_of(change, station, before)))


async def marks(database: Database) -> list[tuple[str, int]]:
    return sorted((row.queue, row.session_id) for row in await database.read(session_marks.select()))


async def test_a_session_comes_and_goes_with_its_flags(database: Database) -> None:
    """In the commit of what flags it; other flags want nobody."""
    await flagged(database, 1, Flag.GAP, Flag.CLOCK, Flag.LATE_DATA)
    await flagged(database, 2, Flag.LATE_DATA)
    assert await marks(database) == [("clock-errors", 1), ("gaps", 1)]

    await flagged(database, 1, Flag.CLOCK, Flag.IMPLAUSIBLE_ENERGY, was=(Flag.GAP, Flag.CLOCK))
    assert await marks(database) == [("clock-errors", 1), ("implausible-energy", 1)]

    await flagged(database, 1, was=(Flag.CLOCK, Flag.IMPLAUSIBLE_ENERGY))
    assert await marks(database) == []


async def test_what_was_dismissed_stays_away(database: Database) -> None:
    """The session still has its flag; only another one brings it back."""
    queues = WorkQueues(database)
    await flagged(database, 1, Flag.GAP)
    with pytest.raises(NotFound):
        await queues.dismiss("gaps", 1, Scope("987654321"))
    with pytest.raises(NotFound):
        await queues.dismiss("gaps", 1, Scope(OPERATOR, frozenset({"S99"})))
    await queues.dismiss("gaps", 1, Scope(OPERATOR, frozenset({"S01"})))

    await flagged(database, 1, Flag.GAP, Flag.LATE_DATA, was=(Flag.GAP,))

    assert await marks(database) == []
    for wrong in (("gaps", 1), ("disputes", 1)):
        with pytest.raises(NotFound):
            await queues.dismiss(*wrong, WHOLE)


async def filled(database: Database) -> WorkQueues:
    """Something in every queue."""
    for number, flag in enumerate((Flag.ORPHAN_STOP, Flag.GAP, Flag.STOP_BELOW_START, Flag.CLOCK), 1):
        await flagged(database, number, flag)
    registry, outbox = Registry(database), Outbox(database)
    epoch = await registry.raise_epoch(1, now=T0)
    await registry.note_disconnected(1, epoch, T0)
    rows = [OutboxRow.of("city", "order", "k", str(n), {}, T0) for n in range(3)]
    await outbox.enqueue([*rows, OutboxRow.of("other", "order", "k", "9", {}, T0)])
    await outbox.dead(Hold(1), T0, "no")
    await outbox.dead(Hold(4), T0, "no")
    order = {"start_charge_seq": f"{OPERATOR}000000000000000002"}
    await outbox.sent(Hold(2), T0, None, Told(disputed=1, order=order))
    await registry.put_in_quarantine("CS-0099", "192.0.2.1", "not registered", T0)
    return WorkQueues(database)


async def test_every_queue_counts_and_lists(database: Database) -> None:
    """As much as the caller may see."""
    queues = await filled(database)

    assert await queues.counts(EVERYTHING) == dict.fromkeys(ALL_QUEUES, 1)
    mine = QueueFilter(OPERATOR, ("city",), T0 + HOUR)
    assert await queues.counts(mine) == dict.fromkeys(ALL_QUEUES[:-1], 1)
    others = await queues.counts(QueueFilter("987654321", (), T0 + HOUR))
    assert set(others.values()) == {0}
    here = await queues.counts(QueueFilter(None, ("city",), T0 + HOUR, "S01"))
    own, other = [
        await queues.counts(
            QueueFilter(OPERATOR, ("city",), T0 + HOUR, scope=Scope(OPERATOR, frozenset({site})))
        )
        for site in ("S01", "S99")
    ]
    assert own == here
    assert set(other.values()) == {0}
    assert here == dict.fromkeys(ALL_QUEUES[:5], 1)
    assert await queues.counts(QueueFilter(None, (), T0 - HOUR, "S99")) == dict.fromkeys(ALL_QUEUES[:5], 0)

    items = {queue: (await queues.items(queue, EVERYTHING)).items[0] for queue in ALL_QUEUES}
    assert [items[queue]["id"] for queue in ALL_QUEUES] == [
        "1", "2", "3", "4", "CS-0001", "1", "1", "CS-0099",
    ]  # fmt: skip
    assert items["gaps"]["facts"]["quality"] == ["gap"]
    assert items["gaps"]["charging_station"] == "CS-0001"
    assert items["unsent-records"]["facts"]["last_error"] == "no"
    assert items["disputes"]["facts"]["platform"] == "city"
    assert (await queues.items("quarantine", mine)).items == []
    with pytest.raises(NotFound):
        await queues.items("nonsense", EVERYTHING)


async def test_queues_have_pages(database: Database) -> None:
    """Newest first, nothing twice; a cursor of something else is refused."""
    for number in range(1, 6):
        await flagged(database, number, Flag.GAP)
    registry = Registry(database)
    for name in ("A", "B", "C"):
        await registry.put_in_quarantine(name, "192.0.2.1", "not registered", T0)
    for station in await stations(database, 3):
        number = station.station_id
        await registry.note_disconnected(number, await registry.raise_epoch(number, now=T0), T0)
    queues = WorkQueues(database)

    async def read(queue: str) -> list[str]:
        found, after = [], None
        while True:
            page = await queues.items(queue, EVERYTHING, after, 2)
            found += [item["id"] for item in page.items]
            if (after := page.next) is None:
                return found

    assert await read("gaps") == ["5", "4", "3", "2", "1"]
    assert await read("quarantine") == ["A", "B", "C"]
    assert await read("silent-stations") == ["CS-0003", "CS-0002", "CS-0001"]
    for queue in ALL_QUEUES:
        with pytest.raises(InvalidInput):
            await queues.items(queue, EVERYTHING, "bm9uc2Vuc2U")


MANY = """
INSERT INTO session_marks (queue, session_id, operator_id, site_id)
WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 60010)
SELECT 'gaps', i, 1, 1 FROM n
"""


async def test_a_long_queue_is_not_counted_to_its_end(database: Database) -> None:
    """And is counted within milliseconds."""
    await stations(database)
    await database.execute(text(MANY))

    began = datetime.now()
    counts = await WorkQueues(database).counts(EVERYTHING)

    assert counts["gaps"] == COUNTED
    assert (datetime.now() - began).total_seconds() < 0.5


async def test_sessions_from_before_are_marked_by_the_migration(database: Database) -> None:
    """Whatever their flags say."""
    await flagged(database, 1, Flag.GAP, Flag.ORPHAN_STOP, Flag.STOP_BELOW_START, Flag.IMPLAUSIBLE_ENERGY)
    await flagged(database, 2, Flag.LATE_DATA)
    known = await marks(database)
    await database.execute(session_marks.delete())

    await database.execute(text(_script(database)))

    assert await marks(database) == known
    assert len(known) == 3


def _script(database: Any) -> str:
    versions = Path(migrations.__file__).parent / "versions"
    script = (versions / f"0010_live.{database.dialect}.sql").read_text(encoding="utf-8")
    return script.split(";\n")[-2]
