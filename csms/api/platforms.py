"""/platforms: how city platforms are served; pause, resume, resend; disputes and who settled them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import EVERYONE, OPERATORS, Principal, Who, operation, platforms_of
from csms.api.forms import Form, Page, Text, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem
from csms.config import PlatformSettings
from csms.errors import NotFound
from csms.store.platforms import Tally

router = APIRouter(prefix="/platforms", tags=["City platforms"])

CHINA = timedelta(hours=8)
MOST_DAYS = 366

PlatformName = Annotated[
    str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="As in the settings.", examples=["beijing"])
]
Days = Annotated[
    int, Query(ge=1, le=MOST_DAYS, description="Days of China to count, today included.", examples=[7])
]


class KindFigures(View):
    """How records of one kind fared."""

    within_s: float | None = Field(description="The platform's limit, from the fact to its answer.")
    due: int = Field(description="Told, set aside, or waiting for longer than the limit.")
    on_time: int
    on_time_rate: float | None = Field(description="数据推送及时率: on_time of due.")
    sent: int
    accepted: int = Field(description="Told and not disputed.")
    disputed: int
    dead: int
    waiting: int

    model_config = with_examples(
        {
            "within_s": 150, "due": 1204, "on_time": 1201, "on_time_rate": 0.9975, "sent": 1203,
            "accepted": 1202, "disputed": 1, "dead": 1, "waiting": 4,
        }
    )  # fmt: skip


class PlatformView(View):
    """One city platform."""

    name: str = Field(examples=["beijing"])
    profile: str = Field(examples=["beijing"])
    operator: str = Field(examples=["123456789"])
    paused: bool = Field(examples=[False])
    paused_because: str = Field(examples=[""], description="`refused: ...` when the platform refuses us.")
    last_contact_at: str | None = Field(examples=["2026-01-01T10:45:01.250Z"])
    waiting: int = Field(examples=[4])
    dead: int = Field(examples=[1])
    open_disputes: int = Field(examples=[1])
    on_time_rate: float | None = Field(
        examples=[0.9981], description="数据推送及时率, all kinds with a limit."
    )
    order_upload_rate: float | None = Field(
        examples=[0.9983], description="订单上传率: orders accepted of orders finished."
    )


class Platforms(View):
    """Every platform this key may see."""

    items: list[PlatformView]


class OrderCheck(View):
    """A day's orders as the platform was told to check them."""

    day: str = Field(examples=["2026-01-01"])
    check_order_seq: str = Field(
        examples=["123456789202601010000000000"],
        description="Empty: it was never sent, no process ran in the hours for it.",
    )
    orders: int = Field(examples=[1204])
    energy_wh: int = Field(examples=[27090000])
    money: str = Field(examples=["40635.00"])
    created_at: str | None = Field(examples=["2026-01-01T16:00:12.000Z"])
    answered_at: str | None = Field(examples=["2026-01-01T16:00:13.100Z"])
    disputes: int | None = Field(examples=[1])


class PlatformDetail(PlatformView):
    """A platform with its figures by kind and its latest order checks."""

    days: int = Field(examples=[7])
    kinds: dict[str, KindFigures]
    order_checks: list[OrderCheck]


class Dispute(View):
    """An order that the platform disputes."""

    id: str = Field(examples=["17"])
    source: str = Field(examples=["order-check"], description="order-check or charge-order.")
    about: str = Field(examples=["2026-01-01"])
    start_charge_seq: str = Field(examples=["123456789001767261600000001"])
    reason: int | None = Field(examples=[1], description="The platform's number.")
    their_power: str = Field(examples=["22.51"], description="kWh as the platform wrote it.")
    their_money: str = Field(examples=["33.77"], description="CNY as the platform wrote it.")
    our_energy_wh: int | None = Field(examples=[22500])
    our_money: str | None = Field(examples=["33.75"])
    raised_at: str | None = Field(examples=["2026-01-01T16:00:13.100Z"])
    resolved_at: str | None = Field(examples=[None])
    resolved_by: str | None = Field(examples=[None])
    note: str | None = Field(examples=[None])


class Reason(Form):
    """Why."""

    reason: Text = Field(min_length=1, max_length=200)

    model_config = with_examples({"reason": "maintenance of the city's platform"})


class Note(Form):
    """How it was settled."""

    note: Text = Field(min_length=1, max_length=1000)

    model_config = with_examples({"note": "agreed by telephone with Ms Li"})


class Done(View):
    """What was done."""

    done: str = Field(examples=["resumed"])


@router.get("", summary="City platforms", response_model=Platforms, **operation(EVERYONE))
async def list_platforms(parts: Parts, who: Who, days: Days = 7) -> Any:
    """Whether each is served, and how well."""
    shown = await _shown(parts, platforms_of(parts, who), days)
    return {"items": [view for view, _ in shown.values()]}


@router.get("/{name}", summary="One city platform", response_model=PlatformDetail, **operation(EVERYONE, 404))
async def show_platform(parts: Parts, who: Who, name: PlatformName, days: Days = 7) -> Any:
    """Timeliness and order upload rate by kind, and the latest order checks."""
    one = _platform(parts, name, who)
    view, kinds = (await _shown(parts, [one], days))[name]
    return {**view, "days": days, "kinds": kinds, "order_checks": await parts.disputes.checks(name)}


@router.post(
    "/{name}/pause", summary="Stop telling a platform", response_model=Done, **operation(OPERATORS, 404, 413)
)
async def pause(request: Request, parts: Parts, who: Who, name: PlatformName, body: Reason) -> Any:
    """What it is owed keeps its place and is told in order when it is resumed."""
    _platform(parts, name, who)
    await parts.outbox.pause(name, body.reason, parts.now())
    await audit(parts, request, who, "platform-pause", name, {"reason": body.reason})
    return {"done": "paused"}


@router.post(
    "/{name}/resume", summary="Tell a platform again", response_model=Done, **operation(OPERATORS, 404)
)
async def resume(request: Request, parts: Parts, who: Who, name: PlatformName) -> Any:
    """What waits for a retry is due at once."""
    _platform(parts, name, who)
    await parts.outbox.resume(name, parts.now())
    await audit(parts, request, who, "platform-resume", name, {})
    return {"done": "resumed"}


@router.post(
    "/{name}/outbox/{row}/resend",
    summary="Tell one record again",
    response_model=Done,
    **operation(OPERATORS, 404, 409),
)
async def resend(
    request: Request,
    parts: Parts,
    who: Who,
    name: PlatformName,
    row: Annotated[int, Path(ge=1, le=2**63 - 1, description="`id` of /outbox.", examples=[4711])],
) -> Any:
    """A record that was sent, dropped or set aside is owed again; not where a newer one was taken since."""
    _platform(parts, name, who)
    if await parts.outbox.platform_of(row) != name:
        raise NotFound(f"record {row} of {name}")
    if not await parts.outbox.resend(row, parts.now()):
        raise Problem(409, "This record waits to be told already.")
    await audit(parts, request, who, "outbox-resend", f"{name}/{row}", {})
    return {"done": "owed again"}


@router.get(
    "/{name}/disputes",
    summary="What a platform disputes",
    response_model=Page[Dispute],
    **operation(EVERYONE, 404),
)
async def list_disputes(
    parts: Parts,
    who: Who,
    limit: Limit,
    name: PlatformName,
    after: After = None,
    is_open: Annotated[
        bool | None, Query(alias="open", description="Only those nobody has settled, or only the others.")
    ] = None,
) -> Any:
    """Latest first."""
    _platform(parts, name, who)
    return (await parts.disputes.disputes(name, is_open, after, limit))._asdict()


@router.post(
    "/{name}/disputes/{dispute}/resolve",
    summary="Settle a dispute",
    response_model=Done,
    **operation(OPERATORS, 404, 413),
)
async def resolve(
    request: Request,
    parts: Parts,
    who: Who,
    name: PlatformName,
    dispute: Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.", examples=[17])],
    body: Note,
) -> Any:
    """It stays in the list with who settled it and how."""
    _platform(parts, name, who)
    await parts.disputes.resolve(name, dispute, who.actor, body.note, parts.now())
    await audit(parts, request, who, "dispute-resolve", f"{name}/{dispute}", {"note": body.note})
    return {"done": "resolved"}


def _platform(parts: ApiParts, name: str, who: Principal) -> PlatformSettings:
    """Raises NotFound, also for a platform that this key may not see."""
    for one in platforms_of(parts, who):
        if one.name == name:
            return one
    raise NotFound(f"platform {name}")


Shown = dict[str, tuple[dict[str, Any], dict[str, Any]]]


async def _shown(parts: ApiParts, wanted: list[PlatformSettings], days: int) -> Shown:
    """By name: the platform as it is shown, and its figures by kind."""
    now = parts.now()
    last = (now + CHINA).date()
    tallies = await parts.platforms.tallies(last - timedelta(days=days - 1), last, now, dict(parts.limits))
    pauses, disputes = await parts.platforms.pauses(), await parts.disputes.open_disputes()
    shown: Shown = {}
    for one in wanted:
        mine = [tally for tally in tallies if tally.platform == one.name]
        kinds = {tally.kind: figures(tally, parts.limits.get((one.name, tally.kind))) for tally in mine}
        contact = max((tally.last_at for tally in mine if tally.last_at), default=None)
        state = pauses.get(one.name, {"paused": False, "reason": ""})
        view = {
            "name": one.name,
            "profile": one.profile,
            "operator": one.operator,
            "paused": one.paused or state["paused"],
            "paused_because": "settings" if one.paused else state["reason"],
            "last_contact_at": _text(contact),
            "waiting": sum(tally.waiting for tally in mine),
            "dead": sum(tally.dead for tally in mine),
            "open_disputes": disputes.get(one.name, 0),
            "on_time_rate": timeliness(kinds.values()),
            "order_upload_rate": upload_rate(mine),
        }
        shown[one.name] = view, kinds
    return shown


def figures(tally: Tally, within_s: float | None) -> dict[str, Any]:
    """A kind's numbers. What was not told in time and waits or is set aside was due, too."""
    due = tally.sent + tally.dead + tally.late
    return {
        "within_s": within_s,
        "due": due,
        "on_time": tally.on_time,
        "on_time_rate": _part(tally.on_time, due),
        "sent": tally.sent,
        "accepted": tally.accepted,
        "disputed": tally.disputed,
        "dead": tally.dead,
        "waiting": tally.waiting,
    }


def timeliness(kinds: Any) -> float | None:
    """Of all kinds with a limit: on time of due. None: nothing was due."""
    limited: list[Mapping[str, Any]] = [kind for kind in kinds if kind["within_s"] is not None]
    return _part(sum(kind["on_time"] for kind in limited), sum(kind["due"] for kind in limited))


def upload_rate(tallies: list[Tally]) -> float | None:
    """Orders accepted of orders finished. None: none was finished."""
    orders = [tally for tally in tallies if tally.kind == "charge-order"]
    finished = sum(one.sent + one.dead + one.waiting for one in orders)
    return _part(sum(one.accepted for one in orders), finished)


def _part(of: int, whole: int) -> float | None:
    return round(of / whole, 4) if whole else None


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
