"""What a platform is told of, and by which names."""

from datetime import timedelta
from pathlib import Path

import pytest

from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.wording import NOWHERE
from tests.reporting.cityparts import FakeInventory, route_of, site_there
from tests.reporting.parts import Clock


async def test_names_of_the_inventory(clock: Clock) -> None:
    """A connector by its own, a station as a whole without one; what is not entered by made names."""
    places = route_of("beijing", clock, FakeInventory({1: site_there(1, ["A", "B"])})).places

    connector, station = await places.place("A", 1, 1), await places.place("A", 0, 0)

    assert connector is not None
    assert station is not None
    assert (connector.station_id, connector.equipment_id, connector.connector_id) == ("ST-1", "EQ-A", "C-A")
    assert (station.equipment_id, station.connector_id) == ("EQ-A", "")
    assert await places.place("X", 1, 1) == NOWHERE


async def test_only_what_is_reportable(clock: Clock, tmp_path: Path) -> None:
    """Equipment with a subsidy: the rest does not exist for this platform."""
    (tmp_path / "s.yaml").write_text("extends: beijing\nname: s\nreportable: {sites: subsidy}\n")
    inventory = FakeInventory({1: site_there(1, ["A"], subsidised=True), 2: site_there(2, ["B"])})
    places = route_of(load_profile(tmp_path / "s.yaml"), clock, inventory).places

    assert await places.place("A", 1, 1) is not None
    assert await places.place("B", 1, 1) is None
    assert await places.place("X", 1, 1) is None
    assert [await places.is_told(site) for site in ("S01", "S02")] == [True, False]


@pytest.mark.parametrize(("site", "told"), [("S01", True), ("S02", False)])
async def test_only_the_sites_of_the_settings(clock: Clock, site: str, told: bool) -> None:
    """An operator may name them."""
    inventory = FakeInventory({1: site_there(1, ["A"]), 2: site_there(2, ["B"])})

    assert await route_of("beijing", clock, inventory, only=["S01"]).places.is_told(site) is told


async def test_it_is_kept_for_a_minute(clock: Clock) -> None:
    """A thousand records a second must not read the inventory."""
    inventory = FakeInventory({1: site_there(1, ["A"])})
    places = route_of("beijing", clock, inventory).places

    for _ in range(3):
        await places.place("A", 1, 1)
    assert inventory.asked == 1
    clock.move(timedelta(seconds=61))
    await places.place("A", 1, 1)
    assert inventory.asked == 2


async def test_without_an_inventory(clock: Clock) -> None:
    """Made names do, and everything is told."""
    places = route_of("beijing", clock).places

    assert await places.place("A", 1, 1) == NOWHERE
    assert await places.is_told("S01")


async def test_what_happened_is_told_by_where_it_was(clock: Clock, tmp_path: Path) -> None:
    """Equipment that has retired since, or stands elsewhere: by its site's names of that time."""
    (tmp_path / "s.yaml").write_text("extends: beijing\nname: s\nreportable: {sites: subsidy}\n")
    gone = site_there(1, ["A", "Z"], subsidised=True, retired_at=clock())
    there = {1: gone, 2: site_there(2, ["B"], subsidised=False), 3: site_there(3, ["C"], subsidised=True)}
    places = route_of(load_profile(tmp_path / "s.yaml"), clock, FakeInventory(there)).places
    before = clock() - timedelta(hours=1)

    assert await places.place("A", 1, 1) is None
    then = await places.place_then("S01", ("A", 1, 1), before)
    assert then is not None
    assert (then.station_id, then.equipment_id, then.connector_id) == ("ST-1", "EQ-A", "C-A")
    assert await places.place_then("S02", ("B", 1, 1), before) is None
    assert await places.place_then("S02", ("C", 1, 1), before) is None  # it was not told of there
    assert await places.place_then("S01", ("C", 1, 1), before) == NOWHERE  # nor entered, but its site is told
    moved = await places.place_then("", ("C", 1, 1), before)
    assert moved is not None
    assert moved.equipment_id == "EQ-C"


async def test_what_has_just_come_is_looked_for_again(clock: Clock, tmp_path: Path) -> None:
    """Before its record is dropped; but not for each record of what is not told."""
    (tmp_path / "s.yaml").write_text("extends: beijing\nname: s\nreportable: {sites: subsidy}\n")
    inventory = FakeInventory({1: site_there(1, ["A"], subsidised=True)})
    places = route_of(load_profile(tmp_path / "s.yaml"), clock, inventory).places
    assert await places.place("B", 1, 1) is None
    inventory.there[2] = site_there(2, ["B"], subsidised=True)

    clock.move(timedelta(seconds=6))
    assert await places.is_told("S02")
    assert await places.place("B", 1, 1) is not None
    assert [await places.place("X", 1, 1) for _ in range(5)] == [None] * 5
    assert inventory.asked == 2
