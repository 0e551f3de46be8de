"""Who did what to what, when and from where: one row for each thing a person or program changed."""

import hashlib
from typing import Any

import msgspec
import structlog
from fastapi import Request

from csms.api.auth import SAFE_METHODS, Principal, client_address
from csms.api.parts import ApiParts
from csms.domain.redaction import redacted
from csms.errors import StoreUnavailable
from csms.store.jsontext import json_of
from csms.store.records import AuditRow

log = structlog.get_logger()


def audit_row(
    parts: ApiParts, request: Request, who: Principal, action: str, subject: str, details: dict[str, Any]
) -> AuditRow:
    """An audit entry of this request; secrets in `details` are hidden."""
    row = AuditRow.of(parts.now(), who.actor, action, subject, redacted(details))
    return row._replace(address=client_address(request))


async def audit(
    parts: ApiParts,
    request: Request,
    who: Principal,
    action: str,
    subject: str,
    details: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    """Keep an audit entry of this request. `before`: what `details` replaced.

    A change was made by now, and whoever asked for it must hear so: an entry of it that cannot be kept is in
    the log. What only reads is not answered without its entry.
    """
    row = audit_row(parts, request, who, action, subject, details)
    if before is not None:
        row = row._replace(before=json_of(redacted(before)))
    try:
        await parts.desk.audit(row)
    except StoreUnavailable as exc:
        if request.method in SAFE_METHODS:
            raise
        log.error("audit_not_stored", actor=row.actor, action=action, subject=subject, error=str(exc))


def digest_of(body: Any) -> str:
    """Names a body without telling it, so that a repeated one can be recognised."""
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()
