"""Each operator's city has what it is owed: a small run of `make campaign`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.city.ledgers import accounts, falsified, nights
from tests.campaign.city.load import Size, charge, drained, tell_late
from tests.campaign.city.town import Town
from tests.campaign.city.verdict import AWAY, PLATFORMS, RESTARTED

SIZE = Size(stations=5, sessions=4, late_each=2)
DAY_S = 8.64  # a day passes in a ten-thousandth of its time


@pytest.mark.slow
async def test_ledgers_equal_history(tmp_path: Path) -> None:
    """Through lost answers, kills and a day without a city; a falsified order is the one dispute there is."""
    town = Town(tmp_path, PLATFORMS, day_s=DAY_S, away=(AWAY, 6))
    try:
        await town.start()
        assert set((await charge(town, SIZE, tmp_path, RESTARTED)).values()) == {0}
        await drained(town.csms, 60)
        assert await tell_late(town.csms, SIZE) > 0
        await drained(town.csms, 60)
        found = await accounts(town)

        assert {one.platform: one.wrong for one in found} == {one.name: [] for one in PLATFORMS}
        assert sum(one.sessions for one in found) >= SIZE.all_sessions(len(PLATFORMS))
        assert all(one.revised and one.faults for one in found)
        assert await nights(town) == {one.name: [] for one in PLATFORMS}
        assert await falsified(town, RESTARTED) == []
        # What the city found, the comparison finds, too.
        assert [one.platform for one in await accounts(town) if one.wrong] == [RESTARTED]
        assert await town.csms.stop() == 0
    finally:
        town.end()
        print(town.csms.child.log_tail())
