"""Who did what to what, when and from where: one row for each thing a person or program changed."""

import hashlib
from typing import Any

import msgspec
from fastapi import Request

from csms.api.auth import Principal, client_address
from csms.api.parts import ApiParts
from csms.domain.redaction import redacted
from csms.store.records import AuditRow


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


def digest_of(body: Any) -> str:
    """Names a body without telling it, so that a repeated one can be recognised."""
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()
