"""/sessions/{id}: one session and what it is made of."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from csms.api.auth import READERS, Own, operation
from csms.api.forms import LAST_INT64, Page, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.domain.scope import Scope
from csms.errors import NotFound

router = APIRouter(prefix="/sessions", tags=["Sessions"])

EXAMPLE: dict[str, Any] = {
    "session_id": "1767261600000001",
    "operator": "123456789",
    "site": "S01",
    "charging_station": "CS-0001",
    "evse": 1,
    "connector": 1,
    "transaction_id": "1001",
    "id_token": "A1",
    "authorization": "accepted",
    "state": "ended",
    "started_at": "2026-01-01T10:00:00.000Z",
    "ended_at": "2026-01-01T10:45:00.000Z",
    "received_at": "2026-01-01T10:00:00.512Z",
    "meter_start_wh": 1000,
    "meter_stop_wh": 23500,
    "energy_wh": 22500,
    "energy_source": "registers",
    "cost": "40.68",
    "currency": "CNY",
    "quality": [],
    "revision": 1,
    "stop_reason": "local",
    "ocpp_version": "ocpp1.6",
    "start_charge_seq": "123456789001767261600000001",
}


class Session(View):
    """One charging session. Energies are integer Wh; null where nothing sound is known."""

    session_id: str
    operator: str | None
    site: str | None
    charging_station: str
    evse: int
    connector: int
    transaction_id: str = Field(description="The number or text by which the station knows it.")
    id_token: str
    authorization: str = Field(description="What the token was told: accepted, blocked, ...")
    state: Literal["active", "suspected-ended", "ended"]
    started_at: str = Field(description="By the station's clock, unless `quality` has `clock`.")
    ended_at: str | None
    received_at: str = Field(description="When we heard of it.")
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int | None
    energy_source: Literal["registers", "begin-end", "periodic", "interval", "none"]
    cost: str | None = Field(description="All that it costs, decimal; null while no tariff applies.")
    currency: str | None
    quality: list[str] = Field(description="What makes it worth a second look; empty is best.")
    revision: int = Field(description="Raised whenever late data changed it.")
    stop_reason: str | None
    ocpp_version: str
    start_charge_seq: str = Field(description="Its number with city platforms.")

    model_config = with_examples(EXAMPLE)


class Reading(View):
    """One sampled value, in the measurand's base unit (Wh, W, A, V, percent, ...)."""

    at: str | None
    received_at: str | None
    evse: int
    measurand: str
    phase: str
    location: str
    context: str
    value: int | float | None = Field(description="null when the text could not be read; then see `raw`.")
    raw: str | None = Field(description="What was sent, where it was converted, rounded or unreadable.")

    model_config = with_examples(
        {
            "at": "2026-01-01T10:01:00.000Z",
            "received_at": "2026-01-01T10:01:00.204Z",
            "evse": 1,
            "measurand": "energy.active.import.register",
            "phase": "",
            "location": "",
            "context": "sample.periodic",
            "value": 1250.5,
            "raw": None,
        }
    )


class TimelineEntry(View):
    """A message that spoke of the session, or a revision of it, in the order of arrival."""

    received_at: str | None
    at: str | None = None
    kind: str = Field(description="The kind of message, or `revision`.")
    key: str | None = None
    message_id: str | None = None
    facts: dict[str, Any] | None = Field(default=None, description="The numbers the message gave.")
    answer: Any = Field(default=None, description="What the station was answered.")
    revision: int | None = None
    cause: str | None = None
    old_energy_wh: int | None = None
    new_energy_wh: int | None = None

    model_config = with_examples(
        {
            "received_at": "2026-01-01T10:00:00.512Z",
            "at": "2026-01-01T10:00:00.000Z",
            "kind": "started",
            "key": "start",
            "message_id": "17",
            "facts": {"meter_start_wh": 1000},
            "answer": {"transactionId": 1001, "idTagInfo": {"status": "Accepted"}},
        }
    )


class Timeline(View):
    """The whole story of a session."""

    items: list[TimelineEntry]


COLUMNS = tuple(Session.model_fields)
SessionId = Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="`session_id` of a session.")]


def _operation(*errors: int) -> dict[str, Any]:
    return operation(READERS, *errors, by_site=True)


@router.get("/{session_id}", summary="One charging session", response_model=Session, **_operation(404))
async def one_session(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """A session by its number."""
    return await shown_session(parts, session_id, own)


@router.get(
    "/{session_id}/readings",
    summary="Meter values of a session",
    response_model=Page[Reading],
    **_operation(404),
)
async def session_readings(
    parts: Parts, own: Own, session_id: SessionId, limit: Limit, after: After = None
) -> Any:
    """Every sampled value of the session, in time order."""
    shown = await shown_session(parts, session_id, own)
    return (await parts.sessions.readings(int(shown["session_id"]), after, limit))._asdict()


@router.get(
    "/{session_id}/timeline",
    summary="How a session came about",
    response_model=Timeline,
    response_model_exclude_none=True,
    **_operation(404),
)
async def session_timeline(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """Every message that spoke of it with the numbers it gave and its answer, and every revision."""
    shown = await shown_session(parts, session_id, own)
    return {"items": await parts.sessions.timeline(int(shown["session_id"]))}


async def shown_session(parts: ApiParts, session_id: str, own: Scope) -> dict[str, Any]:
    """The session, if this key may see it. Raises NotFound."""
    number = int(session_id)
    shown = await parts.sessions.shown(number, own) if number <= LAST_INT64 else None
    if shown is None:
        raise NotFound(f"session {session_id}")
    return shown
