"""Kept for some seconds, asked by one at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from csms.api.kept import LASTS, Kept

T0 = datetime(2026, 1, 1, tzinfo=UTC)


async def test_it_is_asked_seldom() -> None:
    """Once by ten at once; again when it is old, and when the clock was put back."""
    clock, asked = [T0], list[datetime]()

    async def ask() -> int:
        await asyncio.sleep(0)
        asked.append(clock[0])
        return len(asked)

    kept = Kept[int]()

    async def read(at: datetime) -> int:
        clock[0] = at
        return await kept.of(ask, lambda: clock[0])

    assert await asyncio.gather(*(read(T0) for _ in range(10))) == [1] * 10
    later = [T0 + LASTS - timedelta(seconds=1), T0 + LASTS, T0 + LASTS, T0]
    assert [await read(at) for at in later] == [1, 2, 2, 3]


async def test_what_went_wrong_is_asked_again() -> None:
    """The next one may have more luck."""
    answers = iter([LookupError("away"), 7])

    async def ask() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = Kept[int]()
    with pytest.raises(LookupError):
        await kept.of(ask, lambda: T0)
    assert await kept.of(ask, lambda: T0) == 7
