"""Names can be taken apart again as far as they tell; how they are made is tested with the platforms."""

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.city_names import connector_id, equipment_id, parts_of_connector_id, shown_beginning

IDENTITY = st.text("ABCxyz0129-_.", min_size=1, max_size=48)
NUMBER = st.integers(0, 99)


@given(IDENTITY, NUMBER, NUMBER)
def test_parts_of_a_made_name(identity: str, evse: int, connector: int) -> None:
    """Equipment, EVSE and connector are found again."""
    found = parts_of_connector_id(connector_id(identity, evse, connector))

    assert found == (equipment_id(identity), evse, connector)


def test_other_names_have_no_parts() -> None:
    """Too short, or not ending in four digits."""
    assert parts_of_connector_id("0101") is None
    assert parts_of_connector_id("CS-0001-A") is None
    assert parts_of_connector_id("CS-١٢٣٤") is None


def test_a_shortened_name_shows_its_beginning() -> None:
    """What a search for the whole one can begin with."""
    assert shown_beginning(equipment_id("CHARGER-OF-THE-NORTHERN-CAR-PARK")) == "CHARGER-OF-"
    assert shown_beginning("CS-0001") is None
