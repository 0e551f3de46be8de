"""Hides passwords in what is kept or shown: by the names of fields and of variables. Pure."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

HIDDEN = "***"
DEEPEST = 50  # levels of lists and objects; OCPP's own messages have less than ten
SECRET_FIELDS = frozenset(
    {"password", "basicauthpassword", "authorizationkey", "apnpassword", "simpin", "secret"}
)
# Named by a field beside their value: {"key": "AuthorizationKey", "value": ...} and its 2.x forms.
SECRET_NAMES = frozenset({"authorizationkey", "basicauthpassword", "securityctrlr.basicauthpassword"})
NAMING = ("name", "key", "variable")
VALUES = frozenset({"value", "attributevalue"})


def is_too_deep(value: Any) -> bool:
    """Whether a value has more levels than anybody looks into."""
    level = [value]
    for _ in range(DEEPEST):
        level = [item for one in level if isinstance(one, list | dict) for item in _items(one)]
    return any(isinstance(one, list | dict) for one in level)


def _items(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def redacted(value: Any, levels: int = DEEPEST) -> Any:
    """The same with passwords hidden: those in fields named so, and values of variables named so.

    What lies deeper than `levels` is hidden as a whole.
    """
    if not isinstance(value, list | dict):
        return value
    if levels == 0:
        return HIDDEN
    if isinstance(value, list):
        return [redacted(item, levels - 1) for item in value]
    if isinstance(value.get("vpn"), dict):  # 2.x network profile: the pre-shared key
        value = value | {"vpn": value["vpn"] | {"key": HIDDEN}}
    names_secret = any(_name(value.get(field)) in SECRET_NAMES for field in NAMING)
    return {
        name: HIDDEN if _hides(name, item, names_secret) else redacted(item, levels - 1)
        for name, item in value.items()
    }


def host_alone(url: str) -> str:
    """A URL up to its host: behind that, it may hold a secret of the receiver's."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _name(value: Any) -> str:
    if isinstance(value, dict):  # 2.x: {"variable": {"name": "BasicAuthPassword"}}
        value = value.get("name")
    return value.casefold() if isinstance(value, str) else ""


def _hides(name: str, value: Any, names_secret: bool) -> bool:
    if not isinstance(value, str) or _name(value) in SECRET_NAMES:
        return False
    folded = name.casefold()
    return folded in SECRET_FIELDS or (names_secret and folded in VALUES)
