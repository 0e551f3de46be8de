"""A city's day in virtual time: whatever can go wrong does, and in the end every figure is right."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.stories.invariants import find_wrongs
from tests.stories.virtual import clock_at, run_story
from tests.stories.world import World

STATIONS, SESSIONS = 50, 4
SEEDS = range(1, 1 + int(os.environ.get("CSMS_STORY_SEEDS", "3")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_ends_with_every_figure_right(seed: int, tmp_path: Path) -> None:
    """Lost answers, dying nodes, a database and a city that go away: nothing is lost and nothing doubled."""
    clock = clock_at()

    async def story() -> None:
        world = World(seed, clock, tmp_path / "journal.jsonl", STATIONS, SESSIONS)
        await world.live()
        wrongs = await find_wrongs(world)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await world.database.close()
        assert not wrongs, f"seed {seed}: " + "\n".join(wrongs)
        assert not left, f"seed {seed}: tasks are left: {left}"

    run_story(story(), clock)
