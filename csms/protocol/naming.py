"""Names of the 2.x device model in one line: `Component[instance]@evse.connector` and `Variable[instance]`.

Pure; instance and place are written only where there are any.
"""

import re
from typing import Any

from csms.errors import InvalidInput

_COMPONENT = re.compile(r"([^\[\]@]+?)(?:\[([^\[\]]*)\])?(?:@([0-9]{1,9})(?:\.([0-9]{1,9}))?)?")
_VARIABLE = re.compile(r"([^\[\]@]+?)(?:\[([^\[\]]*)\])?")
_PATH = re.compile(r"([^\[\]@.]+(?:\[[^\[\]]*\])?(?:@[0-9]+(?:\.[0-9]+)?)?)\.([^\[\]@.]+(?:\[[^\[\]]*\])?)")


def component_name(component: Any) -> str:
    """A ComponentType struct in one line."""
    place = component.evse
    if place is None:
        return variable_name(component)
    at = f"@{place.id}" if place.connectorId is None else f"@{place.id}.{place.connectorId}"
    return variable_name(component) + at


def variable_name(variable: Any) -> str:
    """A VariableType struct in one line."""
    name: str = variable.name
    return name if variable.instance is None else f"{name}[{variable.instance}]"


def component_text(component: dict[str, Any]) -> str:
    """`component_name` of a payload."""
    place = component.get("evse")
    if place is None:
        return variable_text(component)
    at = f"@{place['id']}" + (f".{place['connectorId']}" if "connectorId" in place else "")
    return variable_text(component) + at


def variable_text(variable: dict[str, Any]) -> str:
    """`variable_name` of a payload."""
    name: str = variable["name"]
    return f"{name}[{variable['instance']}]" if "instance" in variable else name


def component_payload(text: str) -> dict[str, Any]:
    """The ComponentType that a line names. Raises InvalidInput."""
    found = _COMPONENT.fullmatch(text)
    if found is None:
        raise InvalidInput(f"component {text[:60]!r}: expected Name[instance]@evse.connector")
    name, instance, evse, connector = found.groups()
    payload = _named(name, instance)
    if evse is not None:
        payload["evse"] = {"id": int(evse)} | ({} if connector is None else {"connectorId": int(connector)})
    return payload


def variable_payload(text: str) -> dict[str, Any]:
    """The VariableType that a line names. Raises InvalidInput."""
    found = _VARIABLE.fullmatch(text)
    if found is None:
        raise InvalidInput(f"variable {text[:60]!r}: expected Name[instance]")
    return _named(*found.groups())


def split(path: str) -> tuple[str, str]:
    """`Component.Variable` as its two names. Raises InvalidInput."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise InvalidInput(f"variable {path[:60]!r}: expected Component.Variable")
    return found[1], found[2]


def _named(name: str, instance: str | None) -> dict[str, Any]:
    return {"name": name} if instance is None else {"name": name, "instance": instance}
