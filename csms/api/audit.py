"""Who did what to what, when and from where: one row for each thing a person or program changed."""

import hashlib
from typing import Any

import msgspec
from fastapi import Request

from csms.api.auth import Principal, client_address
from csms.api.parts import ApiParts
from csms.store.records import AuditRow

HIDDEN = "***"
SECRET_FIELDS = frozenset({"password", "basicauthpassword", "authorizationkey", "apnpassword", "secret"})
# Named by a field beside their value: {"key": "AuthorizationKey", "value": ...} and its 2.x forms.
SECRET_NAMES = frozenset({"authorizationkey", "basicauthpassword", "securityctrlr.basicauthpassword"})
NAMING = ("name", "key", "variable")
VALUES = frozenset({"value", "attributevalue"})


def audit_row(
    parts: ApiParts, request: Request, who: Principal, action: str, subject: str, details: dict[str, Any]
) -> AuditRow:
    """An audit entry of this request; secrets in `details` are hidden."""
    noted = {"from": client_address(request), **redacted(details)}
    return AuditRow.of(parts.now(), who.actor, action, subject, noted)


async def audit(
    parts: ApiParts, request: Request, who: Principal, action: str, subject: str, details: dict[str, Any]
) -> None:
    """Keep an audit entry of this request."""
    await parts.desk.audit(audit_row(parts, request, who, action, subject, details))


def redacted(value: Any) -> Any:
    """The same with passwords hidden: those in fields named so, and values of variables named so."""
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if not isinstance(value, dict):
        return value
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


def digest_of(body: Any) -> str:
    """Names a body without telling it, so that a repeated one can be recognised."""
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()
