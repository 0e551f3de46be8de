"""Pauses of people and of ours, on both databases."""

import pytest

from csms.store.database import Database
from csms.store.outbox import Outbox
from tests.store.given import HOUR, T0


@pytest.mark.parametrize("is_first", [True, False], ids=["person-first", "platform-first"])
async def test_a_persons_pause_stays(database: Database, is_first: bool) -> None:
    """Whichever comes first: the platform's refusal does not take its place, and no probe ends it."""
    outbox = Outbox(database)

    if not is_first:
        await outbox.refused("city", "Ret 4001", T0)
    await outbox.pause("city", "their maintenance", T0)
    await outbox.refused("city", "Ret 4001", T0)

    assert not await outbox.probe("city", T0 + HOUR)
    assert await outbox.paused() == {"city": "their maintenance"}
    await outbox.resume("city", T0 + HOUR)
    assert await outbox.paused() == {}


async def test_a_refusal_is_probed(database: Database) -> None:
    """Our own pause ends with the probe, once; where none is there is nothing to end."""
    outbox = Outbox(database)

    assert not await outbox.probe("city", T0)
    await outbox.refused("city", "Ret 4001", T0)
    assert await outbox.paused() == {"city": "refused: Ret 4001"}
    assert [await outbox.probe("city", T0 + HOUR) for _ in range(2)] == [True, False]
    assert await outbox.paused() == {}
