"""Stations: what the list says of one."""

from csms.console.pages.stations import connector_states
from csms.console.texts import TEXTS


def test_connectors() -> None:
    """Counted by state, with words for those who do not see shapes."""
    made = str(
        connector_states({"connectors": [{"status": "charging"}, {"status": "charging"}]}, TEXTS["en"])
    )

    assert 'class="unseen">charging</span>2' in made
    assert connector_states({"connectors": []}, TEXTS["en"]) == "–"
