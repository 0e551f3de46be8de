"""Names within the standard's lengths."""

from hypothesis import given
from hypothesis import strategies as st

from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id

IDENTITY = st.text("ABCxyz0129-_.", min_size=1, max_size=48)
NUMBER = st.integers(0, 400)
PLACE = st.tuples(IDENTITY, NUMBER, NUMBER)


def test_a_short_identity_is_kept() -> None:
    """The common habit: EquipmentID and the connector's number."""
    assert equipment_id("CS-0001") == "CS-0001"
    assert connector_id("CS-0001", 1, 2) == "CS-00010102"
    assert station_id("S01") == "S01"


def test_a_long_name_keeps_its_beginning() -> None:
    """Too long names end in a hash that never changes."""
    assert equipment_id("CHARGER-OF-THE-NORTHERN-CAR-PARK") == "CHARGER-OF--91F8ECD5A4"
    assert len(station_id("A" * 21)) == 20
    assert len(connector_id("C" * 48, 99, 99)) == 26
    assert len(connector_id("C", 100, 1)) == 12


@given(PLACE, PLACE)
def test_no_two_connectors_share_a_name(one: tuple[str, int, int], other: tuple[str, int, int]) -> None:
    """Different connectors have different names, all of them short enough."""
    assert (connector_id(*one) == connector_id(*other)) == (one == other)
    assert len(connector_id(*one)) <= 26
    assert len(equipment_id(one[0])) <= 22
