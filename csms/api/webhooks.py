"""/webhooks: other programs that are told what happens. Secrets are shown once, and never again."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, OPERATORS, OwnOperator, Principal, Who, operation
from csms.api.forms import LAST_INT64, Form, OperatorCode, Page, Text, View, with_examples
from csms.api.live import kinds_of
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import invalid
from csms.domain.redaction import host_alone
from csms.errors import NotFound
from csms.live.addresses import AddressRefused, NotLookedUp, target_of
from csms.live.messenger import trial_letter
from csms.store.change_rows import Kind
from csms.store.webhooks import WebhookForm

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])

SECRET_PREFIX = "csms_hook_"
WebhookNumber = Annotated[int, Path(ge=1, le=LAST_INT64, description="`id` of a webhook.", examples=[3])]


class WebhookBody(Form):
    """Who is told, and what."""

    url: Text = Field(
        min_length=1, max_length=200, description="https://, on the public network unless the settings allow."
    )
    kinds: Annotated[list[Kind], Field(min_length=1)] | None = Field(
        default=None, description="Only these kinds of event; null for all."
    )
    operator: OperatorCode | None = Field(
        default=None, description="Only events of this operator. Cannot be changed later."
    )
    enabled: bool = Field(
        default=True, description="false: nothing is sent, and nothing is lost for `live.retention_days`."
    )

    model_config = with_examples(
        {"url": "https://hooks.example/csms", "kinds": ["session_ended"], "operator": "123456789"}
    )


class Webhook(View):
    """A webhook and how far it has got."""

    id: str
    url: str
    kinds: list[str] | None
    operator: str | None
    enabled: bool
    position: str = Field(description="Everything up to the event of this number was delivered.")
    attempts: int = Field(description="Failures in a row.")
    next_attempt_at: str | None
    paused_because: str = Field(description="Empty while it is served.")
    has_lost: bool = Field(description="It stood still for so long that events it was not told of are gone.")
    created_at: str | None
    last_delivered_at: str | None
    last_error: str

    model_config = with_examples(
        {
            "id": "3", "url": "https://hooks.example/csms", "kinds": ["session_ended"], "operator": None,
            "enabled": True, "position": "4711", "attempts": 0, "next_attempt_at": None,
            "paused_because": "", "has_lost": False, "created_at": "2026-01-01T10:00:00.000Z",
            "last_delivered_at": "2026-01-01T10:45:01.000Z", "last_error": "",
        }
    )  # fmt: skip


class WithSecret(Webhook):
    """The same with its secret, this once."""

    secret: str = Field(description="Signs deliveries; shown this once.", examples=["csms_hook_kV8w2nQ0Zr5y"])


class Delivery(View):
    """An attempt to deliver."""

    at: str | None = Field(examples=["2026-01-01T10:45:01.000Z"])
    first: str = Field(examples=["4709"])
    last: str = Field(examples=["4711"])
    events: int = Field(examples=[2], description="0: a test.")
    attempt: int = Field(examples=[1])
    status: int | None = Field(examples=[204], description="HTTP status; null without an answer.")
    error: str = Field(examples=[""], description="Empty: it arrived.")
    took_ms: int = Field(examples=[48])


class Replay(Form):
    """From where on to tell everything again."""

    after: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] = Field(
        description="`id` of the last event that is not to be told again; 0 for all that is kept."
    )

    model_config = with_examples({"after": "1"})


@router.get("", summary="Webhooks", response_model=Page[Webhook], **operation(OPERATORS))
async def list_webhooks(parts: Parts, own: OwnOperator, limit: Limit, after: After = None) -> Any:
    """By number; never with their secrets."""
    return (await parts.live.webhooks.find(own, after, limit))._asdict()


@router.get("/{webhook}", summary="One webhook", response_model=Webhook, **operation(OPERATORS, 404))
async def one_webhook(parts: Parts, own: OwnOperator, webhook: WebhookNumber) -> Any:
    """By its number."""
    return await _shown(parts, webhook, own)


@router.post(
    "",
    summary="Tell a program what happens",
    response_model=WithSecret,
    status_code=201,
    **operation(ADMINS, 404, 409, 413),
)
async def add_webhook(request: Request, parts: Parts, who: Who, own: OwnOperator, body: WebhookBody) -> Any:
    """From now on. The secret in the answer is shown this once."""
    if own is not None and body.operator not in (None, own):
        raise NotFound(f"operator {body.operator}")
    form = await _form(parts, body, own or body.operator)
    secret = _new_secret()
    number = await parts.live.webhooks.add(form, secret, await parts.live.tail.feed.settled(), parts.now())
    await _audited(parts, request, who, "webhook-add", number, _noted(body))
    return {**await _shown(parts, number, own), "secret": secret}


@router.put(
    "/{webhook}",
    summary="Change a webhook",
    response_model=Webhook,
    **operation(ADMINS, 404, 413),
)
async def change_webhook(
    request: Request, parts: Parts, who: Who, own: OwnOperator, webhook: WebhookNumber, body: WebhookBody
) -> Any:
    """All of it but its operator, its secret and how far it has got."""
    before = await _shown(parts, webhook, own)
    if body.operator not in (None, before["operator"]):
        raise invalid("body.operator", "it cannot be changed", "Add another webhook.")
    await parts.live.webhooks.change(webhook, await _form(parts, body, before["operator"]))
    await _audited(parts, request, who, "webhook-change", webhook, _noted(body))
    return await _shown(parts, webhook, own)


@router.delete("/{webhook}", summary="Remove a webhook", status_code=204, **operation(ADMINS, 404))
async def remove_webhook(
    request: Request, parts: Parts, who: Who, own: OwnOperator, webhook: WebhookNumber
) -> None:
    """With the list of its deliveries."""
    await _shown(parts, webhook, own)
    await parts.live.webhooks.remove(webhook)
    await _audited(parts, request, who, "webhook-remove", webhook, {})


@router.post(
    "/{webhook}/secret", summary="Another secret", response_model=WithSecret, **operation(ADMINS, 404)
)
async def renew_secret(
    request: Request, parts: Parts, who: Who, own: OwnOperator, webhook: WebhookNumber
) -> Any:
    """The one before ends here; the new one is shown this once."""
    await _shown(parts, webhook, own)
    secret = _new_secret()
    await parts.live.webhooks.renew(webhook, secret)
    await _audited(parts, request, who, "webhook-secret", webhook, {})
    return {**await _shown(parts, webhook, own), "secret": secret}


@router.post(
    "/{webhook}/replay",
    summary="Tell everything again from a place on",
    response_model=Webhook,
    **operation(ADMINS, 404, 413),
)
async def replay(
    request: Request, parts: Parts, who: Who, own: OwnOperator, webhook: WebhookNumber, body: Replay
) -> Any:
    """As far back as events are kept. Goes on at once, also where it was paused."""
    await _shown(parts, webhook, own)
    after = int(body.after)
    if after > await parts.live.tail.feed.settled():
        raise invalid("body.after", "no event has this number yet", "Use the `id` of an event.")
    await parts.live.webhooks.replay(webhook, after)
    await _audited(parts, request, who, "webhook-replay", webhook, {"after": body.after})
    return await _shown(parts, webhook, own)


@router.post(
    "/{webhook}/resume",
    summary="Go on with a webhook that was paused",
    response_model=Webhook,
    **operation(OPERATORS, 404),
)
async def resume(request: Request, parts: Parts, who: Who, own: OwnOperator, webhook: WebhookNumber) -> Any:
    """From where it had got, at once."""
    await _shown(parts, webhook, own)
    await parts.live.webhooks.resume(webhook)
    await _audited(parts, request, who, "webhook-resume", webhook, {})
    return await _shown(parts, webhook, own)


@router.post(
    "/{webhook}/test",
    summary="Send a letter without events",
    response_model=Delivery,
    **operation(OPERATORS, 404),
)
async def test(request: Request, parts: Parts, who: Who, own: OwnOperator, webhook: WebhookNumber) -> Any:
    """Whether it arrives; moves nothing."""
    hook, _ = await parts.live.webhooks.one(webhook, own)
    done = await parts.live.messenger.send(hook._replace(attempts=0), trial_letter(hook, parts.now()))
    noted = await parts.live.webhooks.note(webhook, done)
    await _audited(parts, request, who, "webhook-test", webhook, {})
    return noted


@router.get(
    "/{webhook}/deliveries",
    summary="How deliveries went",
    response_model=Page[Delivery],
    **operation(OPERATORS, 404),
)
async def list_deliveries(
    parts: Parts, own: OwnOperator, webhook: WebhookNumber, limit: Limit, after: After = None
) -> Any:
    """Every attempt, latest first; kept for `webhooks.retention_days`."""
    await _shown(parts, webhook, own)
    return (await parts.live.webhooks.deliveries(webhook, after, limit))._asdict()


def _new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(32)


async def _shown(parts: ApiParts, webhook: int, own: str | None) -> dict[str, Any]:
    _, shown = await parts.live.webhooks.one(webhook, own)
    return shown


async def _form(parts: ApiParts, body: WebhookBody, operator: str | None) -> WebhookForm:
    try:
        await target_of(body.url, parts.settings.webhooks)
    except NotLookedUp:
        pass  # it may be there later; where it leads is looked at before each delivery
    except AddressRefused as exc:
        raise invalid("body.url", str(exc), "Use an https:// address on the public network.") from exc
    kinds = None if body.kinds is None else kinds_of("body.kinds", [kind.value for kind in body.kinds])
    if kinds is not None and Kind.SESSION_PROGRESS in kinds:
        raise invalid("body.kinds", "session_progress is for streams only", "Leave it out.")
    return WebhookForm(body.url, kinds, operator, body.enabled)


def _noted(body: WebhookBody) -> dict[str, Any]:
    return {**body.model_dump(mode="json"), "url": host_alone(body.url)}


async def _audited(
    parts: ApiParts, request: Request, who: Principal, action: str, webhook: int, details: dict[str, Any]
) -> None:
    await audit(parts, request, who, action, str(webhook), details)
