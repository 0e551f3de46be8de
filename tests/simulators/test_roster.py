"""The roster: the same seed gives the same fleet."""

from simulators.roster import Size, muster
from simulators.scenario import CALM, load

SIZE = Size(stations=300, sites=10)


def test_a_fleet_is_its_seed() -> None:
    """Same seed, same stations; another seed, others; a station does not depend on the fleet's size."""
    fleet = muster(load("default"), SIZE, 7)
    assert fleet == muster(load("default"), SIZE, 7)
    assert fleet != muster(load("default"), SIZE, 8)
    assert muster(load("default"), Size(stations=20, sites=10), 7).members == fleet.members[:20]


def test_about_a_third_is_flaky_and_all_versions_are_there() -> None:
    """Shares are met within what chance allows."""
    members = muster(load("default"), SIZE, 7).members
    assert 75 <= sum(member.weather is not CALM for member in members) <= 125
    assert {member.traits.version for member in members} == {"1.6", "2.0.1", "2.1"}
    assert 30 <= sum(member.traits.energy_in_kwh for member in members) <= 120


def test_registry_entries_fit_their_fields() -> None:
    """Tokens fit 1.6's twenty characters, passwords profile 1, each station has its own."""
    resources = dict(muster(load("default"), SIZE, 7).registry(None))
    assert list(resources) == ["operators", "sites", "charging-stations", "id-tokens"]
    stations, tokens = resources["charging-stations"], resources["id-tokens"]
    assert len({row["password"] for row in stations}) == 300
    assert all(16 <= len(row["password"]) <= 40 for row in stations)
    assert all(len(row["token"]) <= 20 for row in tokens)
    assert len({row["token"] for row in tokens}) == len(tokens)
    assert {row["site"] for row in stations} == {row["code"] for row in resources["sites"]}


def test_a_common_password() -> None:
    """When one is given, all stations have it."""
    stations = dict(muster(load("calm"), Size(stations=5), 7).registry("secret-secret-secret"))[
        "charging-stations"
    ]
    assert {row["password"] for row in stations} == {"secret-secret-secret"}


def test_the_demo_has_the_scenarios_stations_guests_and_drivers() -> None:
    """Names and places come from the file."""
    fleet = muster(load("demo"), Size(), 7)
    assert len(fleet.members) == 24
    assert fleet.members[0].identity == "GUOMAO-01"
    assert fleet.guests[0] == "DEMO0001"
    tokens = [row["token"] for row in dict(fleet.registry(None))["id-tokens"]]
    assert len(tokens) == len(set(tokens)) > 200
    assert all(len(group) >= 4 for member in fleet.members for group in member.tokens)
    assert "朝阳" in dict(fleet.registry(None))["sites"][0]["name"]
