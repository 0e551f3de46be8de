"""Old events, deliveries and alarms go, piece by piece."""

import asyncio
from datetime import timedelta

import pytest

from csms.live import forgetting
from csms.live.forgetting import Forgetting
from csms.store.alarms import AlarmStore
from csms.store.change_rows import announce
from csms.store.changes import ChangeFeed
from csms.store.database import Database
from csms.store.times import micros
from csms.store.webhooks import Delivery, WebhookStore
from tests.live.kit import news, until
from tests.store.given import T0, count, stations

DAY = timedelta(days=1)


async def test_what_is_kept_for_so_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces until nothing is left that is older; the loop does it by itself."""
    monkeypatch.setattr(forgetting, "BETWEEN_S", 0.0)
    (station,) = await stations(database)
    rows = [news(station, n, T0) for n in range(2_500)]
    await database.run(lambda connection: announce(rows, connection))
    hooks = WebhookStore(database)
    for n in range(3):
        await hooks.note(1, Delivery(micros(T0 + n * DAY), 1, 1, 1, 1, 200, "", 5))
    kept = {
        "changes": (ChangeFeed(database).prune, DAY),
        "deliveries": (hooks.prune, DAY),
        "alarms": (AlarmStore(database).prune, DAY),
    }
    made = Forgetting(kept, lambda: T0 + 2 * DAY)

    task = asyncio.create_task(made.run())
    gone: list[int] = []

    async def look() -> None:
        while await count(database, "webhook_deliveries") > 2:  # noqa: ASYNC110 - the loop makes it true
            await asyncio.sleep(0.02)
        gone.append(await count(database, "changes"))

    looking = asyncio.create_task(look())
    await until(lambda: gone)
    task.cancel()
    await asyncio.gather(task, looking, return_exceptions=True)

    assert gone == [1]
    assert await made.forget("changes") == await made.forget("deliveries") == 0
