"""Scenarios: those shipped load, wrong ones say where."""

from collections import Counter
from pathlib import Path

import pytest

from simulators.misbehaviours import named
from simulators.scenario import ScenarioError, load, shipped
from simulators.traits import SUBPROTOCOLS


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_load(name: str) -> None:
    """Each has a sentence, known misbehaviours, and places for its stations."""
    scenario = load(name)
    assert scenario.name == name
    assert scenario.what
    named(scenario.oddities.names)
    for device in scenario.stations:
        named(device.misbehave)
        assert device.version in SUBPROTOCOLS
        assert device.site in {place.code for place in scenario.sites}


def test_a_third_of_the_stations_is_flaky_by_default() -> None:
    """Connections and answers are lost without being asked for."""
    scenario = load("default")
    assert scenario.flaky_share == pytest.approx(1 / 3, abs=0.01)
    assert min(scenario.weather.tear, scenario.weather.swallow, scenario.weather.drop) > 0


def test_the_demo_is_two_operators_six_sites_and_twenty_four_stations() -> None:
    """In Beijing, in every version, under operator codes of nine characters."""
    demo = load("demo")
    assert (len(demo.operators), len(demo.sites), len(demo.stations)) == (2, 6, 24)
    assert set(Counter(place.operator for place in demo.sites).values()) == {3}
    assert {device.version for device in demo.stations} == set(SUBPROTOCOLS)
    assert all(len(company.code) == 9 for company in demo.operators)
    assert all(39.5 < place.latitude < 40.3 and 116 < place.longitude < 117 for place in demo.sites)


@pytest.mark.parametrize(
    "text", ["name: x", "name: x\nwhat: y\nflakey_share: 1", "name: x\nwhat: y\nflaky_share: many", "name: ["]
)
def test_wrong_scenarios_are_refused(tmp_path: Path, text: str) -> None:
    """A missing, unknown or mistyped key is an error that names the file."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=r"mine\.yaml"):
        load(str(path))


def test_unknown_scenarios_are_refused() -> None:
    """The error lists those that are known."""
    with pytest.raises(ScenarioError, match="default"):
        load("nonsense")
