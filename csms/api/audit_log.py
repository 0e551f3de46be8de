"""/audit: who did what to what. For administrators of the whole network."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from csms.api.auth import ADMINS, operation
from csms.api.forms import Name, Page, View, with_examples
from csms.api.paging import After, Limit, TimeSpan
from csms.api.parts import Parts
from csms.store.audit_queries import AuditFilter

router = APIRouter(prefix="/audit", tags=["People"])


class AuditEntry(View):
    """One change. `before` is what `details` replaced, where something was replaced."""

    audit_id: str
    at: str
    actor: str
    action: str
    subject: str
    address: str
    before: Any | None
    details: Any

    model_config = with_examples(
        {
            "audit_id": "17",
            "at": "2026-01-01T10:00:00.000Z",
            "actor": "user:li",
            "action": "user-changed",
            "subject": "wang",
            "address": "192.0.2.17",
            "before": {"role": "viewer"},
            "details": {"role": "operator"},
        }
    )


@router.get(
    "",
    summary="Search the audit log",
    response_model=Page[AuditEntry],
    **operation(ADMINS, whole_network=True),
)
async def audit_entries(
    parts: Parts,
    span: TimeSpan,
    limit: Limit,
    actor: Annotated[Name | None, Query(description="Only by this one, as entries have it.")] = None,
    action: Annotated[Name | None, Query(description="Only of this kind.")] = None,
    subject: Annotated[Name | None, Query(description="Only about this record.")] = None,
    text: Annotated[Name | None, Query(description="Anywhere in subject or details.")] = None,
    after: After = None,
) -> Any:
    """Newest first. A search for text looks at 20,000 entries at a time: follow `next` to go on."""
    wanted = AuditFilter(actor, action, subject, span.since, span.until, text)
    return (await parts.desk.audited(wanted, after, limit))._asdict()
