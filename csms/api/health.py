"""/healthz, /readyz, /metrics: for supervisors and monitoring. No key, and no name of anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry
from pydantic import Field
from starlette.responses import JSONResponse, PlainTextResponse, Response

from csms.api.document_metrics import DocumentMetrics, delivery_tallies
from csms.api.forms import View
from csms.api.metrics import Metrics, Moment
from csms.api.parts import ApiParts, Parts
from csms.api.platform_metrics import PlatformMetrics, platform_metrics
from csms.errors import StoreUnavailable
from csms.store.deliveries import Tallies
from csms.store.reports import Waiting

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
    """200 when the database takes writes and the gateway listens, else 503 with the reasons. Whether the
    database answers is asked every five seconds at most.
    """
    reasons = await _obstacles(parts)
    return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


async def _obstacles(parts: ApiParts) -> list[str]:
    reasons = []
    if not parts.writer.healthy:
        reasons.append("the database does not take writes")
    if not await parts.answers.of(partial(_answers, parts), parts.now):
        reasons.append("the database does not answer")
    if parts.gateway_listens is not None and not parts.gateway_listens():
        reasons.append("the gateway does not listen")
    return reasons


async def _answers(parts: ApiParts) -> bool:
    try:
        await parts.registry.operators()
    except StoreUnavailable:
        return False
    return True


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
    """Counters since the start of the process, and what is so at this moment; what the database says may
    be five seconds old.
    """
    registry = CollectorRegistry(auto_describe=False)
    figures: _Figures = await parts.figures.of(partial(_figures, parts), parts.now)
    moment = _moment(parts, figures)
    registry.register(Metrics(parts.gateway, parts.latency_bounds_s, parts.commits, moment))
    registry.register(figures.platforms)
    registry.register(DocumentMetrics(figures.deliveries, parts.books.running, parts.now()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(NamedTuple):
    """What the database says."""

    waiting: Sequence[Waiting]
    due: datetime | None
    alarms: Mapping[tuple[str, str], int]
    platforms: PlatformMetrics
    deliveries: Tallies


async def _figures(parts: ApiParts) -> _Figures:
    try:
        waiting, due = await parts.reports.waiting(), await parts.reports.due_since()
        alarms = await parts.live.alarms.counts()
    except StoreUnavailable:
        # csms_store_healthy says it; the rest is worth having all the same.
        waiting, due, alarms = [], None, {}
    return _Figures(waiting, due, alarms, await platform_metrics(parts), await delivery_tallies(parts))


def _moment(parts: ApiParts, found: _Figures) -> Moment:
    now, waiting, due = parts.now(), found.waiting, found.due
    return Moment(
        connections=parts.connections(),
        outbox_depth={row.platform: row.records for row in waiting},
        outbox_age_s={row.platform: max(0.0, (now - row.oldest).total_seconds()) for row in waiting},
        settling_age_s=0.0 if due is None else max(0.0, (now - due).total_seconds()),
        writes_waiting=parts.writer.waiting,
        store_healthy=parts.writer.healthy,
        messages_dropped=parts.messages_dropped(),
        workers=parts.workers(),
        batch_results=parts.batch_results(),
        city_queries=parts.city_queries(),
        alarms=found.alarms,
        live_readers=parts.live.tail.readers,
        sign_ins=parts.sign_ins,
    )
