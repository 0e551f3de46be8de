"""/sessions/{id}/cost: what a session costs, line by line, and every revision of that."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, Own, Who, operation
from csms.api.forms import View, with_examples
from csms.api.parts import Parts
from csms.api.problems import Problem
from csms.api.sessions import SessionId, shown_session

router = APIRouter(prefix="/sessions", tags=["Sessions"])

LINE: dict[str, Any] = {
    "start": "2026-01-01T10:00:00.000Z",
    "end": "2026-01-01T10:45:00.000Z",
    "period": "peak",
    "energy_wh": 22500,
    "elec_price": "1.1907",
    "service_price": "0.8000",
    "elec_money": "26.79",
    "service_money": "18.00",
}
EXAMPLE: dict[str, Any] = {
    "revision": 1,
    "priced_at": "2026-01-01T10:45:02.000Z",
    "session_revision": 1,
    "tariff": "PUBLIC-2026",
    "tariff_version": 1,
    "currency": "CNY",
    "energy_wh": 22500,
    "elec_money": "26.79",
    "service_money": "18.00",
    "idle_minutes": 0,
    "idle_money": "0.00",
    "parking_minutes": 0,
    "parking_money": "0.00",
    "total": "44.79",
    "lines": [LINE],
}


class CostLine(View):
    """What flowed while one price held. Lines add up to the totals, to the Wh and the fen."""

    start: str
    end: str
    period: Literal["sharp", "peak", "flat", "valley"]
    energy_wh: int
    elec_price: str = Field(description="CNY per kWh.")
    service_price: str = Field(description="CNY per kWh.")
    elec_money: str
    service_money: str

    model_config = with_examples(LINE)


class CostRevision(View):
    """The cost as it was told once. No money where no tariff applied or no energy is known."""

    revision: int = Field(description="That of the charge order: raised when anything new was told.")
    priced_at: str
    session_revision: int
    tariff: str | None
    tariff_version: int | None
    currency: str | None
    energy_wh: int | None
    elec_money: str | None
    service_money: str | None
    idle_minutes: int | None
    idle_money: str | None
    parking_minutes: int | None
    parking_money: str | None
    total: str | None
    lines: list[CostLine]

    model_config = with_examples(EXAMPLE)


class SessionCost(View):
    """`cost` is the current one; null until the session was priced."""

    session_id: str
    cost: CostRevision | None
    revisions: list[CostRevision] = Field(description="All of them, oldest first.")

    model_config = with_examples({"session_id": "1767261600000001", "cost": EXAMPLE, "revisions": [EXAMPLE]})


class Repricing(View):
    """What was asked for."""

    session_id: str = Field(examples=["1767261600000001"])
    status: Literal["due"] = Field(description="It will be priced within seconds.", examples=["due"])


@router.get(
    "/{session_id}/cost",
    summary="What a session costs",
    response_model=SessionCost,
    **operation(READERS, 404, by_site=True),
)
async def session_cost(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """Its calculation line by line, and what it was before late data, or a new price, changed it."""
    shown = await shown_session(parts, session_id, own)
    costs = await parts.tariffs.costs(int(shown["session_id"]))
    return {
        "session_id": shown["session_id"],
        "cost": costs[-1] if costs else None,
        "revisions": costs,
    }


@router.post(
    "/{session_id}/reprice",
    summary="Price a session again",
    response_model=Repricing,
    status_code=202,
    **operation(ADMINS, 404, 409, by_site=True),
)
async def reprice_session(request: Request, parts: Parts, who: Who, own: Own, session_id: SessionId) -> Any:
    """With the tariff that is valid for its start by now. Only another result is a new revision and a new
    order; a session that still runs is priced when it ends (409).
    """
    shown = await shown_session(parts, session_id, own)
    if shown["state"] != "ended":
        raise Problem(409, "The session still runs; it is priced when it ends.")
    number = int(shown["session_id"])
    await parts.tariffs.mark_due(number, parts.now())
    await audit(parts, request, who, "session-reprice", shown["session_id"], {})
    return {"session_id": shown["session_id"], "status": "due"}
