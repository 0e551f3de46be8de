"""Unknown stations at the door: known to have been there, and denied for good."""

from datetime import timedelta

from csms.store.database import Database
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import Registry
from tests.store.given import T0


async def test_denied_for_good(database: Database) -> None:
    """Out of the list, also when it comes again; known all the same."""
    quarantine, registry = Quarantine(database), Registry(database)
    await registry.put_in_quarantine("CS-X", "192.0.2.1", "unknown", T0)

    denied = [await quarantine.deny("CS-X", T0) for _ in range(2)]
    await registry.put_in_quarantine("CS-X", "192.0.2.1", "unknown", T0 + timedelta(minutes=1))
    (row,) = (await quarantine.find(denied=True)).items

    assert denied == [True, False]
    assert await quarantine.holds("CS-X")
    assert (await quarantine.find()).items == []
    assert (row["attempts"], row["denied_at"]) == (2, "2026-01-05T10:00:00.000Z")


async def test_pages(database: Database) -> None:
    """Latest first; those of one moment by identity, each once."""
    quarantine, registry = Quarantine(database), Registry(database)
    for n in range(5):
        await registry.put_in_quarantine(f"CS-{n}", "192.0.2.1", "unknown", T0 + timedelta(minutes=n // 2))

    first = await quarantine.find(most=3)
    second = await quarantine.find(after=first.next, most=3)

    assert [row["identity"] for row in first.items + second.items] == ["CS-4", "CS-3", "CS-2", "CS-1", "CS-0"]
    assert second.next is None
