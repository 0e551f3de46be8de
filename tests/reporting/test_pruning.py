"""Old rows go, piece by piece; the rest is untouched."""

from datetime import timedelta

from csms.reporting.pruning import Pruner
from csms.store.database import Database
from csms.store.outbox import Hold, Outbox, OutboxFilter
from csms.store.platforms import PlatformStore
from csms.store.records import OutboxRow
from tests.reporting.parts import T0, Clock


async def test_old_rows_go(database: Database, outbox: Outbox) -> None:
    """More than a piece of them, and none of the younger ones."""
    clock = Clock(T0)
    await outbox.enqueue([OutboxRow.of("city", "alarm", str(n), str(n), {}, T0) for n in range(1, 1500)])
    for n in (1, 2, 1400):
        await outbox.sent(Hold(n), T0)
    await outbox.sent(Hold(3), T0 + timedelta(days=10))
    clock.move(timedelta(days=11))

    assert await Pruner(PlatformStore(database), timedelta(days=5), clock).prune() == 3
    assert {item["id"] for item in (await outbox.find(OutboxFilter(state="sent"))).items} == {"3"}
