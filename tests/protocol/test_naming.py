"""Names of the device model in one line."""

from types import SimpleNamespace as Struct
from typing import Any

import pytest

from csms.errors import InvalidInput
from csms.protocol import naming


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("EVSE", {"name": "EVSE"}),
        ("Connector@2.1", {"name": "Connector", "evse": {"id": 2, "connectorId": 1}}),
        ("EVSE@2", {"name": "EVSE", "evse": {"id": 2}}),
        ("Meter[main]@1", {"name": "Meter", "instance": "main", "evse": {"id": 1}}),
    ],
)
def test_components_both_ways(text: str, payload: dict[str, Any]) -> None:
    """A line and a payload say the same."""
    assert naming.component_payload(text) == payload
    assert naming.component_text(payload) == text


def test_structs() -> None:
    """Structs are named like payloads."""
    place = Struct(id=1, connectorId=None)

    assert naming.component_name(Struct(name="EVSE", instance=None, evse=place)) == "EVSE@1"
    assert naming.component_name(Struct(name="A", instance="b", evse=None)) == "A[b]"
    assert naming.variable_name(Struct(name="Power", instance=None)) == "Power"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("AuthCtrlr.Enabled", ("AuthCtrlr", "Enabled")),
        ("Connector@2.1.Available", ("Connector@2.1", "Available")),
        ("EVSE@2.Power[x]", ("EVSE@2", "Power[x]")),
        ("A[b.c].D[e.f]", ("A[b.c]", "D[e.f]")),
    ],
)
def test_split(path: str, parts: tuple[str, str]) -> None:
    """The dot between component and variable is found among the others."""
    assert naming.split(path) == parts


@pytest.mark.parametrize("text", ["", "A[", "A@x", "A@1.[b]", "[x]"])
def test_nonsense(text: str) -> None:
    """What names nothing is said so."""
    with pytest.raises(InvalidInput):
        naming.component_payload(text)
    with pytest.raises(InvalidInput):
        naming.split(text)


def test_nonsense_variable() -> None:
    """A variable has no place."""
    assert naming.variable_payload("Limit[a]") == {"name": "Limit", "instance": "a"}
    with pytest.raises(InvalidInput):
        naming.variable_payload("Limit@1")
