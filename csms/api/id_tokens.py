"""/id-tokens: cards and apps that may charge, for all operators or for one, and why one may or not."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, OPERATORS, READERS, AskedOperator, OwnOperator, Principal, Who, operation
from csms.api.forms import (
    Code,
    Form,
    Identity,
    Instant,
    OperatorCode,
    Page,
    Text,
    TokenText,
    View,
    with_examples,
)
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.stations import station_of
from csms.domain.assets import IdToken, TokenStatus, TokenVerdict
from csms.domain.authorization import ELSEWHERE, Check, explain
from csms.domain.scope import Scope
from csms.errors import NotFound
from csms.store.times import micros
from csms.store.token_queries import TokenFilter

router = APIRouter(prefix="/id-tokens", tags=["Registry"])

EXAMPLE: dict[str, Any] = {
    "token": "A1",
    "type": "ISO14443",
    "status": "accepted",
    "group": None,
    "expires_at": None,
    "concurrent_limit": 1,
    "operator": None,
    "sites": [],
    "note": "",
}
Status = Literal["accepted", "blocked", "expired", "invalid"]
TokenPath = Annotated[TokenText, Path(description="The token, compared without case.", examples=["A1"])]


class TokenBody(Form):
    """An id token. Compared without case."""

    token: TokenText
    type: Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[\x21-\x7e]+$")] = "ISO14443"
    status: Status = "accepted"
    group: TokenText | None = Field(default=None, description="Tokens of one group may stop each other.")
    expires_at: Instant | None = Field(default=None, description="From then on it is expired.")
    concurrent_limit: int = Field(default=1, ge=0, le=10_000, description="Sessions at once; 0: any number.")
    operator: OperatorCode | None = Field(
        default=None, description="The only operator at whose stations it may charge; null: at all."
    )
    sites: list[Code] = Field(
        default=[], max_length=100, description="Codes of the only sites where it may charge; empty: at all."
    )
    note: Text = Field(default="", description="For people; told to no station.")

    model_config = with_examples(EXAMPLE)


class TokenChange(Form):
    """What of an id token changes; what is left out stays."""

    type: Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[\x21-\x7e]+$")] | None = None
    status: Status | None = None
    group: TokenText | None = Field(default=None, description="null takes it out of its group.")
    expires_at: Instant | None = Field(default=None, description="null: never.")
    concurrent_limit: int | None = Field(default=None, ge=0, le=10_000)
    sites: list[Code] | None = Field(default=None, max_length=100)
    note: Text | None = None

    model_config = with_examples({"expires_at": "2027-01-01T00:00:00Z", "note": "Leased until then."})


class Token(View):
    """An id token."""

    token: str
    type: str
    status: str
    group: str | None
    expires_at: str | None
    concurrent_limit: int
    operator: str | None
    sites: list[str]
    note: str

    model_config = with_examples(EXAMPLE)


class CheckShown(View):
    """One question on the way to the verdict."""

    check: Literal["known", "status", "expiry", "operator", "site", "concurrent", "group"]
    passed: bool | None = Field(description="null: not reached, or it decides nothing here.")
    detail: str


class Decided(View):
    """What a station was told once."""

    at: str
    request: Literal["authorize", "start"]
    charging_station: str
    status: str = Field(description="As it was told (authorize) or kept with the session (start).")
    reason: str
    session_id: str | None


class Decision(View):
    """What a start with the token would be told now, why, and what was said lately."""

    token: str
    charging_station: str | None
    status: str
    reason: str
    checks: list[CheckShown]
    recent: list[Decided] = Field(description="Newest first: its last starts, and Authorize of the log.")

    model_config = with_examples(
        {
            "token": "A1",
            "charging_station": "CS-0001",
            "status": "blocked",
            "reason": "the token is blocked",
            "checks": [
                {"check": "known", "passed": True, "detail": "registered as A1"},
                {"check": "status", "passed": False, "detail": "registered as blocked"},
            ],
            "recent": [
                {
                    "at": "2026-01-01T10:00:00.512Z",
                    "request": "start",
                    "charging_station": "CS-0001",
                    "status": "accepted",
                    "reason": "",
                    "session_id": "1767261600000001",
                }
            ],
        }
    )


def instant_text(at: datetime | None) -> str | None:
    """As the API writes times."""
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@router.get("", summary="List id tokens", response_model=Page[Token], **operation(READERS, 404))
async def list_tokens(
    parts: Parts,
    operator: AskedOperator,
    limit: Limit,
    after: After = None,
    text: Annotated[TokenText | None, Query(description="With this in token or note.")] = None,
    status: Annotated[Status | None, Query(description="Only of this status.")] = None,
    group: Annotated[TokenText | None, Query(description="Only of this group.")] = None,
    kind: Annotated[TokenText | None, Query(alias="type", description="Only of this type.")] = None,
) -> Any:
    """In order of the text without case. A key limited to one operator sees that operator's tokens only.
    A page may be shorter than `limit`, or empty, and have a page after it.
    """
    wanted = TokenFilter(operator, text, status, group, kind)
    return (await parts.evidence.tokens.find(wanted, after, limit))._asdict()


@router.post(
    "",
    summary="Register or change an id token",
    response_model=Token,
    status_code=201,
    **operation(ADMINS, 404, 409, 413, also={200: Token}),
)
async def put_token(
    request: Request, response: Response, parts: Parts, who: Who, own: OwnOperator, body: TokenBody
) -> Any:
    """By `token` without case: 201 when it is new, 200 when it was changed. Blocking ends no session. A key
    limited to one operator registers tokens of that operator only (409 for those of others).
    """
    if own is not None and body.operator not in (None, own):
        raise NotFound(f"operator {body.operator}")
    shown = body.model_dump() | {
        "expires_at": instant_text(body.expires_at),
        "operator": body.operator or own,
    }
    is_new = await _put(parts, shown, own)
    await audit(parts, request, who, "id-token-put", body.token, shown)
    response.status_code = 201 if is_new else 200
    return shown


@router.get("/{token}", summary="One id token", response_model=Token, **operation(READERS, 404))
async def one_token(parts: Parts, own: OwnOperator, token: TokenPath) -> Any:
    """A token by its text."""
    return await _shown(parts, token, own)


@router.patch(
    "/{token}", summary="Change an id token", response_model=Token, **operation(ADMINS, 404, 409, 413)
)
async def change_token(
    request: Request, parts: Parts, who: Who, own: OwnOperator, token: TokenPath, body: TokenChange
) -> Any:
    """What the body leaves out stays."""
    fields = body.model_dump(exclude_unset=True)
    fields = {name: value for name, value in fields.items() if value is not None or name in ("group",)}
    if "expires_at" in body.model_fields_set:
        fields["expires_at"] = body.expires_at
    return await _changed(request, parts, who, token, fields)


@router.post(
    "/{token}/block", summary="Block an id token", response_model=Token, **operation(OPERATORS, 404, 409)
)
async def block_token(request: Request, parts: Parts, who: Who, token: TokenPath) -> Any:
    """No new session starts with it. Sessions that run go on."""
    return await _changed(request, parts, who, token, {"status": "blocked"})


@router.post(
    "/{token}/unblock",
    summary="Accept an id token again",
    response_model=Token,
    **operation(OPERATORS, 404, 409),
)
async def unblock_token(request: Request, parts: Parts, who: Who, token: TokenPath) -> Any:
    """Its expiry and limits count as before."""
    return await _changed(request, parts, who, token, {"status": "accepted"})


@router.delete("/{token}", summary="Remove an id token", status_code=204, **operation(ADMINS, 404))
async def remove_token(
    request: Request, parts: Parts, who: Who, own: OwnOperator, token: TokenPath
) -> Response:
    """It is unknown from then on. Sessions and audit log keep what they say of it."""
    shown = await _shown(parts, token, own)
    await parts.evidence.tokens.remove(token)
    await audit(parts, request, who, "id-token-remove", shown["token"], shown)
    return Response(status_code=204)


@router.get(
    "/{token}/decision",
    summary="Why a token would be accepted or refused",
    response_model=Decision,
    **operation(READERS, 404),
)
async def token_decision(
    parts: Parts,
    own: OwnOperator,
    token: TokenPath,
    station: Annotated[Identity | None, Query(description="As if it were presented there.")] = None,
) -> Any:
    """Question by question, as a start now would be decided, also for a token that is not registered. A key
    limited to one operator sees decisions at that operator's stations only.
    """
    where = None if station is None else await station_of(parts, station, Scope(own))
    known, running = await parts.registry.token_use(token)
    checks, verdict = explain(known, parts.now(), running, parts.settings.sessions.unknown_tokens, where)
    is_owned = known is not None and known.operator_id is not None
    if own is not None and is_owned and await parts.evidence.tokens.shown(token, own) is None:
        # Of another operator's token no more is told than a station here would hear.
        checks = [Check("operator", False, "another operator's token")]
        verdict = TokenVerdict(TokenStatus.INVALID, ELSEWHERE)
    return {
        "token": token,
        "charging_station": station,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "checks": [{"check": c.name, "passed": c.passed, "detail": c.detail} for c in checks],
        "recent": await parts.evidence.tokens.decisions(token, own),
    }


async def _shown(parts: ApiParts, token: str, own: str | None) -> dict[str, Any]:
    shown = await parts.evidence.tokens.shown(token, own)
    if shown is None:
        raise NotFound(f"id token {token}")
    return shown


async def _changed(
    request: Request, parts: ApiParts, who: Principal, token: str, fields: dict[str, Any]
) -> dict[str, Any]:
    shown = await parts.evidence.tokens.change(token, fields, who.operator, micros(parts.now()))
    told = {name: shown[name] for name in fields}
    await audit(parts, request, who, "id-token-change", shown["token"], told)
    return shown


async def _put(parts: ApiParts, shown: dict[str, Any], own: str | None) -> bool:
    expires = shown["expires_at"]
    token = IdToken(
        shown["token"],
        shown["type"],
        TokenStatus(shown["status"]),
        shown["group"],
        None if expires is None else datetime.fromisoformat(expires),
        shown["concurrent_limit"],
        sites=tuple(shown["sites"]),
        note=shown["note"],
    )
    return await parts.evidence.tokens.put(token, shown["operator"], own, micros(parts.now()))
