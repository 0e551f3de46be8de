"""/healthz, /readyz, /metrics: for supervisors and monitoring. No key, and no name of anything."""

from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry
from pydantic import Field
from starlette.responses import JSONResponse, PlainTextResponse, Response

from csms.api.forms import View
from csms.api.metrics import Metrics, Moment
from csms.api.parts import ApiParts, Parts
from csms.errors import StoreUnavailable

router = APIRouter(tags=["Operation"])


class Health(View):
    """The process runs."""

    status: str = Field(examples=["alive"])


class Readiness(View):
    """Whether charging stations can be served now; if not, why."""

    ready: bool = Field(examples=[True])
    reasons: list[str] = Field(examples=[[]])


@router.get("/healthz", summary="Is the process alive?", response_model=Health)
async def healthz() -> Any:
    """Always 200 while the event loop turns. Restart the process when this does not answer."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    summary="Can charging stations be served?",
    response_model=Readiness,
    responses={
        503: {
            "description": "Not now; `reasons` says why.",
            "model": Readiness,
            "content": {
                "application/json": {
                    "example": {"ready": False, "reasons": ["the database does not take writes"]}
                }
            },
        }
    },
)
async def readyz(parts: Parts) -> Any:
    """200 when the database takes writes and the gateway listens, else 503 with the reasons."""
    reasons = await _obstacles(parts)
    return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


async def _obstacles(parts: ApiParts) -> list[str]:
    reasons = []
    if not parts.writer.healthy:
        reasons.append("the database does not take writes")
    try:
        await parts.registry.operators()
    except StoreUnavailable:
        reasons.append("the database does not answer")
    if parts.gateway_listens is not None and not parts.gateway_listens():
        reasons.append("the gateway does not listen")
    return reasons


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "Prometheus text format. No label names a charging station.",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": 'csms_connections{state="accepted",version="ocpp1.6"} 812.0\n',
                }
            },
        }
    },
)
async def metrics(parts: Parts) -> Response:
    """Counters since the start of the process, and what is so at this moment."""
    registry = CollectorRegistry(auto_describe=False)
    moment = await _moment(parts)
    registry.register(Metrics(parts.gateway, parts.latency_bounds_s, parts.commits, moment))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _moment(parts: ApiParts) -> Moment:
    try:
        waiting = await parts.reports.waiting()
    except StoreUnavailable:
        waiting = []  # csms_store_healthy says it; the rest is worth having all the same
    now = parts.now()
    return Moment(
        connections=parts.connections(),
        outbox_depth={row.platform: row.records for row in waiting},
        outbox_age_s={row.platform: max(0.0, (now - row.oldest).total_seconds()) for row in waiting},
        writes_waiting=parts.writer.waiting,
        store_healthy=parts.writer.healthy,
        messages_dropped=parts.messages_dropped(),
    )
