"""Unknown stations at the door: known to have been there, and forgotten."""

from csms.store.database import Database
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import Registry
from tests.store.given import T0


async def test_dismissed_once(database: Database) -> None:
    """Then it is not there any more, until it comes again."""
    quarantine = Quarantine(database)
    registry = Registry(database)
    await registry.put_in_quarantine("CS-X", "192.0.2.1", "unknown", T0)

    assert await quarantine.holds("CS-X")
    assert await quarantine.dismiss("CS-X")
    assert not await quarantine.holds("CS-X")
    assert not await quarantine.dismiss("CS-X")
