"""Hides passwords in what is kept or shown: by the names of fields and of variables. Pure."""

from typing import Any

HIDDEN = "***"
SECRET_FIELDS = frozenset(
    {"password", "basicauthpassword", "authorizationkey", "apnpassword", "simpin", "secret"}
)
# Named by a field beside their value: {"key": "AuthorizationKey", "value": ...} and its 2.x forms.
SECRET_NAMES = frozenset({"authorizationkey", "basicauthpassword", "securityctrlr.basicauthpassword"})
NAMING = ("name", "key", "variable")
VALUES = frozenset({"value", "attributevalue"})


def redacted(value: Any) -> Any:
    """The same with passwords hidden: those in fields named so, and values of variables named so."""
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("vpn"), dict):  # 2.x network profile: the pre-shared key
        value = value | {"vpn": value["vpn"] | {"key": HIDDEN}}
    names_secret = any(_name(value.get(field)) in SECRET_NAMES for field in NAMING)
    return {
        name: HIDDEN if _hides(name, item, names_secret) else redacted(item) for name, item in value.items()
    }


def _name(value: Any) -> str:
    if isinstance(value, dict):  # 2.x: {"variable": {"name": "BasicAuthPassword"}}
        value = value.get("name")
    return value.casefold() if isinstance(value, str) else ""


def _hides(name: str, value: Any, names_secret: bool) -> bool:
    if not isinstance(value, str) or _name(value) in SECRET_NAMES:
        return False
    folded = name.casefold()
    return folded in SECRET_FIELDS or (names_secret and folded in VALUES)
