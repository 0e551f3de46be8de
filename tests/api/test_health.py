"""Alive, ready, and the numbers."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from csms.api.server import build_api
from csms.errors import StoreUnavailable
from csms.store.records import OutboxRow, SessionDue
from csms.store.times import micros


class Silent:
    """A registry whose database does not answer."""

    async def operators(self) -> Any:
        raise StoreUnavailable("gone")


class Away:
    """A report store whose database does not answer, and a writer that cannot write."""

    healthy = False
    waiting_now = 7

    @property
    def waiting(self) -> Any:
        async def fail() -> None:
            raise StoreUnavailable

        return fail


async def test_alive_and_ready(desk: Any) -> None:
    """200 for both while the database takes writes and the gateway listens."""
    async with desk.anonymous() as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})


async def test_not_ready_says_why(desk: Any) -> None:
    """503 with every reason; the process is alive all the same, and its numbers can be read."""
    desk.writer.healthy = False
    desk.app.state.parts = replace(
        desk.parts, reports=Away(), registry=Silent(), gateway_listens=lambda: False
    )

    async with desk.anonymous() as client:
        ready, alive, metrics = [await client.get(path) for path in ("/readyz", "/healthz", "/metrics")]

    assert ready.status_code == 503
    assert ready.json() == {
        "ready": False,
        "reasons": [
            "the database does not take writes",
            "the database does not answer",
            "the gateway does not listen",
        ],
    }
    assert alive.status_code == 200
    assert "csms_store_healthy 0.0" in metrics.text


async def test_a_process_without_a_gateway_can_be_ready(desk: Any) -> None:
    """Where stations are served by others."""
    app = build_api(replace(desk.parts, gateway_listens=None))
    desk.app = app

    async with desk.anonymous() as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_metrics_can_be_read_by_prometheus(desk: Any) -> None:
    """What was counted is there, with help and type, and no label names a station."""
    gateway = desk.parts.gateway
    gateway.commands["Reset", "accepted"] += 1
    gateway.closes[1008] += 1
    for seconds in (0.0004, 0.03, 99.0):
        gateway.answered("Heartbeat", seconds)
    await desk.write(OutboxRow.of("beijing", "order", "k", "a", {}, desk.clock[0]))
    await desk.write(SessionDue(1, micros(desk.clock[0].replace(minute=1))))
    desk.clock[0] = desk.clock[0].replace(minute=5)

    async with desk.anonymous() as client:
        text = (await client.get("/metrics")).text

    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert samples["csms_messages_total", ("action", "Heartbeat"), ("outcome", "answered")] == 3
    assert samples["csms_commands_total", ("command", "Reset"), ("result", "accepted")] == 1
    assert samples["csms_closes_total", ("code", "1008")] == 1
    assert samples["csms_connections", ("state", "accepted"), ("version", "ocpp1.6")] == 2
    assert samples["csms_message_seconds_bucket", ("le", "0.001")] == 1
    assert samples["csms_message_seconds_bucket", ("le", "0.05")] == 2
    assert samples["csms_message_seconds_bucket", ("le", "+Inf")] == 3
    assert samples[("csms_message_seconds_count",)] == 3
    assert samples[("csms_commit_rows_count",)] >= 1
    assert samples["csms_outbox_depth", ("platform", "beijing")] == 1
    assert samples["csms_outbox_age_seconds", ("platform", "beijing")] == 300
    assert samples[("csms_settling_age_seconds",)] == 240
    assert samples[("csms_store_healthy",)] == 1
    assert all(family.documentation and family.type != "unknown" for family in families.values())
    assert "CS-0001" not in text


async def test_queries_of_city_platforms(desk: Any) -> None:
    """By platform, query and Ret; what was no envelope has no platform."""
    asked = {("beijing", "start-charge", "0"): 3, ("", "", "401"): 1}
    desk.app.state.parts = replace(desk.parts, city_queries=lambda: asked)

    async with desk.anonymous() as client:
        text = (await client.get("/metrics")).text

    assert 'csms_city_queries_total{platform="beijing",query="start-charge",ret="0"} 3.0' in text
    assert 'csms_city_queries_total{platform="",query="",ret="401"} 1.0' in text


async def test_many_who_ask_cost_no_more_than_one(desk: Any) -> None:
    """The database is asked once in five seconds, whoever asks how often; what the process counts is new."""
    asked = 0
    tallies, operators = desk.parts.deliveries.tallies, desk.parts.registry.operators

    async def counted(ask: Any) -> Any:
        nonlocal asked
        asked += 1
        return await ask()

    desk.parts.deliveries.tallies = lambda: counted(tallies)
    desk.parts.registry.operators = lambda: counted(operators)
    async with desk.anonymous() as client:
        paths = ["/metrics", "/readyz"] * 10
        answers = await asyncio.gather(*(client.get(path) for path in paths))
        assert ({answer.status_code for answer in answers}, asked) == ({200}, 2)
        desk.parts.gateway.commands["Reset", "accepted"] += 1
        assert 'csms_commands_total{command="Reset",result="accepted"}' in (await client.get("/metrics")).text
        desk.clock[0] += timedelta(seconds=5)
        await client.get("/metrics")

    assert asked == 3
