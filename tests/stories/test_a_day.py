"""A city's day in virtual time: whatever can go wrong does, and in the end every figure is right."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from simulators.journal import read
from tests.stories.invariants import find_wrongs
from tests.stories.virtual import clock_at, run_story
from tests.stories.world import World

STATIONS, SESSIONS = 50, 3
SEEDS = range(1, 1 + int(os.environ.get("CSMS_STORY_SEEDS", "3")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_ends_with_every_figure_right(seed: int, tmp_path: Path) -> None:
    """Lost answers, dying nodes, a database and a city that go away: nothing is lost and nothing doubled."""
    clock = clock_at()
    troubles: list[dict[str, Any]] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        world = World(seed, clock, tmp_path / "journal.jsonl", STATIONS, SESSIONS)
        await world.live()
        wrongs = await find_wrongs(world)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await world.database.close()
        assert world.journal.lost_count > STATIONS, f"seed {seed}: little went wrong"
        assert not wrongs, f"seed {seed}: " + "\n".join(wrongs)
        assert not left, f"seed {seed}: tasks are left: {left}"

    run_story(story(), clock)

    assert not troubles, f"seed {seed}: {troubles}"


def test_the_same_seed_is_the_same_story(tmp_path: Path) -> None:
    """A story that failed can be told again, word by word."""
    assert _told(tmp_path / "first.jsonl") == _told(tmp_path / "second.jsonl")


def _told(file: Path) -> list[dict[str, Any]]:
    """A short story's journal without the times at which it was written."""
    clock = clock_at()

    async def story() -> None:
        world = World(11, clock, file, stations=8, sessions=2)
        await world.live()
        await world.database.close()

    run_story(story(), clock)
    return [{**record, "t": ""} for record in read(file)]
