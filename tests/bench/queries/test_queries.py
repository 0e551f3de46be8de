"""The generator and the questions in small: the same city on both databases, every question answered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from csms.store.database import Database
from tests.bench.queries.__main__ import UNTIL, ask_all
from tests.bench.queries.city import Size, fill
from tests.bench.queries.questions import QUESTIONS

SIZE = Size(stations=200, sessions=4_000, until=UNTIL)
ENERGIES = """
SELECT period, level, SUM(energy_wh) AS energy_wh, SUM(sessions) AS sessions FROM totals
GROUP BY period, level
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'queries.db'}"
    return str(request.getfixturevalue("postgres_url"))


async def test_every_total_is_that_of_the_sessions_and_every_question_is_answered(url: str) -> None:
    """What the generator makes agrees with itself; no question fails."""
    await fill(url, SIZE, lambda what: None)

    database = await Database.open(url)
    try:
        truth = await database.glance("SELECT SUM(energy_wh), COUNT(*) FROM sessions", ())
        sums = await database.glance(ENERGIES, ())
        first = await database.glance("SELECT MIN(started_at), MAX(started_at) FROM sessions", ())
    finally:
        await database.close()
    assert {(level, period) for period, level, *_ in sums} == {
        *((level, period) for level in ("site", "operator") for period in ("hour", "day", "month")),
        *((level, period) for level in ("station", "connector") for period in ("day", "month")),
    }
    assert {tuple(map(int, row[2:])) for row in sums} == {tuple(map(int, truth[0]))}
    assert first[0][1] - first[0][0] <= timedelta(days=365) / timedelta(microseconds=1)

    found = await ask_all(url, SIZE, times=1)
    assert set(found) == set(QUESTIONS)
