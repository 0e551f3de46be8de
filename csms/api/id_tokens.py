"""/id-tokens: cards and apps that may charge. They are shared by all operators (roaming)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, Who, operation
from csms.api.forms import Form, Instant, Page, TokenText, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import Parts
from csms.domain.assets import IdToken, TokenStatus

router = APIRouter(prefix="/id-tokens", tags=["Registry"])

EXAMPLE = {
    "token": "A1",
    "type": "ISO14443",
    "status": "accepted",
    "group": None,
    "expires_at": None,
    "concurrent_limit": 1,
}
Status = Literal["accepted", "blocked", "expired", "invalid"]


class TokenBody(Form):
    """An id token. Compared without case."""

    token: TokenText
    type: Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[\x21-\x7e]+$")] = "ISO14443"
    status: Status = "accepted"
    group: TokenText | None = Field(default=None, description="Tokens of one group may stop each other.")
    expires_at: Instant | None = Field(default=None, description="From then on it is expired.")
    concurrent_limit: int = Field(default=1, ge=0, le=10_000, description="Sessions at once; 0: any number.")

    model_config = with_examples(EXAMPLE)


class Token(View):
    """An id token."""

    token: str
    type: str
    status: str
    group: str | None
    expires_at: str | None
    concurrent_limit: int

    model_config = with_examples(EXAMPLE)


def instant_text(at: datetime | None) -> str | None:
    """As the API writes times."""
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@router.get(
    "", summary="List id tokens", response_model=Page[Token], **operation(READERS, whole_network=True)
)
async def list_tokens(parts: Parts, limit: Limit, after: After = None) -> Any:
    """Every registered token, in order of its text without case."""
    return (await parts.registry.tokens(after, limit))._asdict()


@router.post(
    "",
    summary="Register or change an id token",
    response_model=Token,
    status_code=201,
    **operation(ADMINS, 413, whole_network=True),
)
async def put_token(request: Request, response: Response, parts: Parts, who: Who, body: TokenBody) -> Any:
    """By `token` without case: 201 when it is new, 200 when it was changed. Blocking ends no session."""
    fields = body.model_dump() | {"status": TokenStatus(body.status)}
    is_new = await parts.registry.put_token(IdToken(**fields), parts.now())
    shown = body.model_dump() | {"expires_at": instant_text(body.expires_at)}
    await audit(parts, request, who, "id-token-put", body.token, shown)
    response.status_code = 201 if is_new else 200
    return shown
