"""The judge of stories is judged: each kind of wrong, done on purpose, must be found."""

from pathlib import Path

from sqlalchemy import text

from tests.stories.invariants import find_wrongs
from tests.stories.virtual import clock_at, run_story
from tests.stories.world import World

FIRST = "(SELECT min(session_id) FROM sessions)"
# What is done, and how it is undone.
WRONGS = {
    "a session has a Wh too many": (
        f"UPDATE sessions SET energy_wh = energy_wh + 1 WHERE session_id = {FIRST}",
        f"UPDATE sessions SET energy_wh = energy_wh - 1 WHERE session_id = {FIRST}",
    ),
    "a session never ended": (
        f"UPDATE sessions SET state = 'active' WHERE session_id = {FIRST}",
        f"UPDATE sessions SET state = 'ended' WHERE session_id = {FIRST}",
    ),
    "a session began a moment later": (
        f"UPDATE sessions SET started_at = started_at + 1000 WHERE session_id = {FIRST}",
        f"UPDATE sessions SET started_at = started_at - 1000 WHERE session_id = {FIRST}",
    ),
    "a session is another station's": (
        f"UPDATE sessions SET station_id = station_id % 8 + 1 WHERE session_id = {FIRST}",
        f"UPDATE sessions SET station_id = (station_id + 6) % 8 + 1 WHERE session_id = {FIRST}",
    ),
    "readings are lost": (
        f"UPDATE session_messages SET session_id = -1 WHERE samples <> '' AND session_id = {FIRST}",
        f"UPDATE session_messages SET session_id = {FIRST} WHERE session_id = -1",
    ),
    "a stop was not kept": (
        f"UPDATE session_messages SET kind = 'lost' WHERE kind = 'ended' AND session_id = {FIRST}",
        "UPDATE session_messages SET kind = 'ended' WHERE kind = 'lost'",
    ),
    "a session costs something else": (
        f"UPDATE session_costs SET total = total || '1' WHERE session_id = {FIRST}",
        f"UPDATE session_costs SET total = substr(total, 1, length(total) - 1) WHERE session_id = {FIRST}",
    ),
    "a site's day is wrong": (
        "UPDATE totals SET energy_wh = energy_wh + 1 WHERE period = 'day' AND level = 'site'",
        "UPDATE totals SET energy_wh = energy_wh - 1 WHERE period = 'day' AND level = 'site'",
    ),
    "an operator's month is wrong": (
        "UPDATE totals SET energy_wh = energy_wh + 1 WHERE period = 'month' AND level = 'operator'",
        "UPDATE totals SET energy_wh = energy_wh - 1 WHERE period = 'month' AND level = 'operator'",
    ),
    "a session's hours are wrong": (
        f"UPDATE session_hours SET energy_wh = energy_wh + 1 WHERE session_id = {FIRST}",
        f"UPDATE session_hours SET energy_wh = energy_wh - 1 WHERE session_id = {FIRST}",
    ),
    "an order waits": (
        "UPDATE outbox SET state = 'waiting' WHERE outbox_id = 1",
        "UPDATE outbox SET state = 'sent' WHERE outbox_id = 1",
    ),
}


def test_every_kind_of_wrong_is_found(tmp_path: Path) -> None:
    """And none where nothing is wrong."""
    clock = clock_at()

    async def story() -> None:
        world = World(3, clock, tmp_path / "journal.jsonl", stations=8, sessions=2)
        await world.live()
        assert await find_wrongs(world) == []
        for what, (do, undo) in WRONGS.items():
            assert await world.database.execute(text(do)) > 0, what
            assert await find_wrongs(world), f"not found: {what}"
            await world.database.execute(text(undo))
        assert await find_wrongs(world) == []
        await _city_forgets(world)
        await world.database.close()

    run_story(story(), clock)


async def _city_forgets(world: World) -> None:
    for kind in ("charge-order", "hour-total"):
        fact = next(fact for fact in world.city.latest if fact[0] == kind)
        kept = world.city.latest.pop(fact)
        assert await find_wrongs(world), f"not found: the city has lost {fact}"
        world.city.latest[fact] = {**kept, "energy_wh": kept["energy_wh"] + 1}
        assert await find_wrongs(world), f"not found: the city has {fact} wrong"
        world.city.latest[fact] = kept
