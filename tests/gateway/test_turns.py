"""One at a time for each key."""

import asyncio

import pytest

from csms.gateway.turns import Turns


async def test_one_key_one_at_a_time() -> None:
    """In the order of asking; other keys do not wait."""
    turns, order = Turns(), []

    async def take(key: str, name: str) -> None:
        async with turns.of(key):
            order.append(f"{name} in")
            await asyncio.sleep(0.001)
            order.append(f"{name} out")

    await asyncio.gather(take("a", "1"), take("a", "2"), take("a", "3"))
    assert order == ["1 in", "1 out", "2 in", "2 out", "3 in", "3 out"]

    order.clear()
    await asyncio.gather(take("a", "1"), take("b", "2"))
    assert order[:2] == ["1 in", "2 in"]
    assert len(turns) == 0


async def test_nothing_is_left_of_who_failed_or_gave_up() -> None:
    """Exceptions and cancellation free the turn."""
    turns = Turns()

    async def hold() -> None:
        async with turns.of("a"):
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    waiter = asyncio.create_task(hold())
    await asyncio.sleep(0)
    waiter.cancel()
    holder.cancel()
    await asyncio.gather(holder, waiter, return_exceptions=True)
    with pytest.raises(ValueError, match="x"):
        async with turns.of("a"):
            raise ValueError("x")

    assert len(turns) == 0
