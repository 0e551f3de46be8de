"""The fleet against a small central system over real sockets: losses are made good, lies are found out."""

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulators.fleet import Fleet, Plan
from simulators.management import Management
from simulators.roster import Size
from simulators.scenario import Scenario, Weather, load
from simulators.verdict import Verdict
from tests.simulators.fake_csms import FakeCsms
from tests.simulators.talk import until

Rows = list[dict[str, Any]]
TRANSACTIONAL = ("StartTransaction", "MeterValues", "StopTransaction", "TransactionEvent")


def brisk(**more: Any) -> Scenario:
    """A scenario that does not take its time."""
    fields: dict[str, Any] = {"name": "test", "what": "", "ramp_s": 0.0, "backoff_s": (0.01, 0.05)}
    return Scenario(**(fields | more))


def plan(csms: FakeCsms, path: Path, **more: Any) -> Plan:
    """Nine stations with two sessions each."""
    fields: dict[str, Any] = {
        "url": csms.url,
        "api": csms.api,
        "size": Size(stations=9, sites=2),
        "journal": path / "journal.jsonl",
        "patience_s": 5,
    }
    return Plan(**(fields | more))


async def run(csms: FakeCsms, wanted: Plan, scenario: Scenario) -> tuple[Fleet, Verdict]:
    """Provision, run, judge."""
    fleet = Fleet(wanted, scenario)
    async with Management(csms.api, "key", 5) as api:
        await fleet.provision(api)
        await fleet.run()
        return fleet, await fleet.judge(api)


async def test_a_calm_fleet_leaves_a_true_history(tmp_path: Path) -> None:
    """Everything is there: sessions, energy, times, readings."""
    async with FakeCsms() as csms:
        fleet, verdict = await run(csms, plan(csms, tmp_path), brisk())

    assert verdict.holds, verdict.differences
    assert (verdict.sessions, verdict.readings_of) == (18, 18)
    assert verdict.energy_wh > 0
    assert fleet.journal.lost_count == 0
    assert len(csms.sessions) == 18
    assert all(authorization for _, authorization in csms.handshakes)


async def test_a_fleet_that_loses_much_leaves_the_same_history(tmp_path: Path) -> None:
    """Torn sockets and swallowed answers: every message is repeated until it is acknowledged."""
    weather = Weather(tear=0.12, swallow=0.12, deaf=0.05, drop=0.05, power=0.02, offline_s=(0.01, 0.05))
    async with FakeCsms() as csms:
        fleet, verdict = await run(csms, plan(csms, tmp_path), brisk(flaky_share=1.0, weather=weather))

    assert verdict.holds, verdict.differences
    assert verdict.sessions == 18
    assert fleet.journal.lost_count > 20
    sent = [
        json.dumps(frame[2:]) for _, text in csms.frames if (frame := json.loads(text))[2] in TRANSACTIONAL
    ]
    assert len(sent) > len(set(sent))


def drop_one(rows: Rows) -> Rows:
    """A session is forgotten."""
    return rows[:-1]


def double_one(rows: Rows) -> Rows:
    """A session is there twice."""
    return [*rows, {**rows[0], "session_id": "twice"}]


def invent_one(rows: Rows) -> Rows:
    """A session that nobody had."""
    return [*rows, {**rows[0], "session_id": "new", "transaction_id": "new"}] if rows else rows


def shift_one(rows: Rows) -> Rows:
    """A Wh too much."""
    return [{**row, "energy_wh": row["energy_wh"] + (n == 0)} for n, row in enumerate(rows)]


@pytest.mark.parametrize("tamper", [drop_one, double_one, invent_one, shift_one])
async def test_the_oracle_notices(
    tmp_path: Path, tamper: Callable[[Rows], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One session lost, doubled, invented or a Wh off: the verdict does not hold."""
    monkeypatch.setattr("simulators.fleet.SETTLE_S", 0.0)
    async with FakeCsms() as csms:
        fleet = Fleet(plan(csms, tmp_path, size=Size(stations=3, sites=1)), brisk())
        async with Management(csms.api, "key", 5) as api:
            await fleet.provision(api)
            assert await fleet.run()
            csms.tamper = tamper
            verdict = await fleet.judge(api)
    assert len(verdict.differences) == 1


async def test_lost_readings_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session with one reading too few."""
    monkeypatch.setattr("simulators.fleet.SETTLE_S", 0.0)
    async with FakeCsms() as csms:
        fleet = Fleet(plan(csms, tmp_path, size=Size(stations=2, sites=1)), brisk())
        async with Management(csms.api, "key", 5) as api:
            await fleet.provision(api)
            await fleet.run()
            next(iter(csms.readings.values())).pop()
            verdict = await fleet.judge(api)
    assert [one.what for one in verdict.differences] == ["readings"]


async def test_a_second_run_does_not_collide_with_the_first(tmp_path: Path) -> None:
    """Later times, higher registers, other ids; only what is new is compared."""
    async with FakeCsms() as csms:
        await run(csms, plan(csms, tmp_path), brisk())
        _, verdict = await run(csms, plan(csms, tmp_path), brisk())
        rows = list(csms.sessions.values())

    assert verdict.holds, verdict.differences
    assert verdict.sessions == 18
    assert len(rows) == 36
    for place in {(row["charging_station"], row["evse"]) for row in rows}:
        mine = sorted(
            (r for r in rows if (r["charging_station"], r["evse"]) == place), key=lambda r: r["started_at"]
        )
        for one, other in pairwise(mine):
            assert one["ended_at"] < other["started_at"]
            assert one["meter_stop_wh"] <= other["meter_start_wh"]


async def test_a_server_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    """All sockets are cut in the middle of the run, again and again; nothing is lost."""

    async def cut(csms: FakeCsms, fleet: Fleet) -> None:
        while fleet.over < len(fleet.links):
            await asyncio.sleep(0.05)
            for socket in list(csms.sockets.values()):
                socket.transport.abort()

    async with FakeCsms() as csms:
        fleet = Fleet(plan(csms, tmp_path), brisk())
        async with Management(csms.api, "key", 5) as api:
            await fleet.provision(api)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cut(csms, fleet))
                finished = await fleet.run()
            verdict = await fleet.judge(api)

    assert finished
    assert verdict.holds, verdict.differences


async def test_patience_ends_and_the_verdict_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never acknowledges a stop: bounded, and not passed over in silence."""
    monkeypatch.setattr("simulators.fleet.SETTLE_S", 0.0)

    class Deaf(FakeCsms):
        def answer(self, identity: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
            if action == "StopTransaction" or payload.get("eventType") == "Ended":
                raise asyncio.CancelledError
            return super().answer(identity, action, payload)

    async with Deaf() as csms:
        wanted = plan(csms, tmp_path, size=Size(stations=3, sites=1), sessions=1, patience_s=0.3)
        fleet, verdict = await run(csms, wanted, brisk())
    assert fleet.over == 0
    assert {one.what for one in verdict.differences} >= {"acknowledged"}


async def test_a_live_fleet_backfills_lives_and_stops(tmp_path: Path) -> None:
    """Days of history first, then the present; asked to stop, sessions end and sockets close."""
    scenario = msgspec.structs.replace(load("demo"), flaky_share=0.0, ramp_s=0.1)
    async with FakeCsms() as csms:
        wanted = plan(csms, tmp_path, forever=True, backfill_days=1.0, speed=60.0)
        fleet = Fleet(wanted, scenario)
        async with Management(csms.api, "key", 5) as api:
            await fleet.provision(api)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stop_when(fleet, lambda: all(link.clock.live for link in fleet.links)))
                await fleet.run()
            past = len(csms.sessions)
            again = Fleet(wanted, scenario)
            await again.provision(api)
            again.journal.close()
    assert fleet.stopped
    assert past > 24
    assert all(row["ended_at"] for row in csms.sessions.values())
    registers = {
        (row["charging_station"], row["evse"]): row["meter_stop_wh"] for row in csms.sessions.values()
    }
    for link in again.links:
        for number, evse in link.station.evses.items():
            assert evse.meter_wh >= registers.get((link.station.traits.identity, number), 0)
    assert sum(len(evse.visits) for link in again.links for evse in link.station.evses.values()) < past / 2


async def stop_when(fleet: Fleet, ready: Callable[[], bool]) -> None:
    """Let it run a little beyond a condition, then ask it to stop."""
    await until(ready)
    await asyncio.sleep(1.0)
    fleet.stop()


async def test_stations_obey_while_they_charge(tmp_path: Path) -> None:
    """An order over the real socket is answered."""
    async with FakeCsms() as csms:
        fleet = Fleet(plan(csms, tmp_path, speed=20.0, size=Size(1, 1), sessions=1, forever=True), brisk())
        async with Management(csms.api, "key", 5) as api:
            await fleet.provision(api)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stop_when(fleet, lambda: bool(csms.sockets)))
                tasks.create_task(order(csms))
                await fleet.run()
    answers = [json.loads(text) for _, text in csms.frames if text.startswith('[3,"order"')]
    assert answers == [[3, "order", {"status": "Accepted"}]]


async def order(csms: FakeCsms) -> None:
    """Ask the first station that connects to clear its cache."""
    await until(lambda: csms.sockets)
    await next(iter(csms.sockets.values())).send('[2,"order","ClearCache",{}]')
