"""What the stations of three operators do: fleets, a kill -9 under them, readings after the stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import yaml

from simulators.scenario import SHIPPED
from tests.campaign.city.town import BAND_MINUTES, Town, fleet, journal_of
from tests.campaign.fleet import every, exit_code
from tests.campaign.kit import boot, dial, until
from tests.serverkit import Child, CsmsServer

CHINA = timedelta(hours=8)
SESSION_H = 0.3  # of a session and the pause after it
METERED = "Energy.Active.Import.Register"
ODDITIES = ("closing-value-after-stop", "duplicate-stop", "stop-twice")
FINISHED = b'"kind":"finished"'
ASKED_AT_ONCE = 8

Session = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """Of each operator: stations, and sessions of each. Every `late_each`-th session gets a late reading."""

    stations: int
    sessions: int
    late_each: int
    within_s: float = 600.0

    def all_sessions(self, operators: int) -> int:
        return self.stations * self.sessions * operators


def scenario(directory: Path, size: Size) -> Path:
    """Lost connections and answers, some odd stations, and sessions around a midnight of China's past.

    All end before the last full day of China: their nights are over, and csms looks at none of them itself.
    """
    local = datetime.now(UTC) + CHINA
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    start = midnight - timedelta(hours=size.sessions * SESSION_H / 2)
    made = yaml.safe_load((SHIPPED / "default.yaml").read_text())
    made |= {"name": "campaign", "starts_hours_ago": round((local - start).total_seconds() / 3_600, 3)}
    made |= {"oddities": {"share": 0.12, "names": list(ODDITIES)}}
    file = directory / "campaign.yaml"
    file.write_text(yaml.safe_dump(made))
    return file


async def charge(town: Town, size: Size, directory: Path, restarted: str) -> dict[str, int]:
    """All sessions; csms is killed after a third of them, the city `restarted` after half.

    The exit code of each operator's fleet, which is its verdict on csms's history.
    """
    how = ["--stations", size.stations, "--sessions", size.sessions, "--sites", 3, "--verify"]
    more = [str(word) for word in (*how, "--scenario", scenario(directory, size))]
    fleets = {one: fleet(town.csms, one, directory, *more) for one in town.operators}
    count = size.all_sessions(len(fleets))
    try:
        for one in fleets.values():
            one.spawn()
        await until(partial(_finished, fleets, directory, count // 3), size.within_s)
        town.csms.kill()
        await town.csms.start()
        await until(partial(_finished, fleets, directory, count // 2), size.within_s)
        await town.cities[restarted].restart()
        codes = {}
        for name, one in fleets.items():
            (codes[name],) = await until(partial(exit_code, one), size.within_s)
        return codes
    finally:
        for one in fleets.values():
            one.kill()


async def _finished(fleets: dict[str, Child], directory: Path, count: int) -> bool:
    """Whether that many stops were said."""
    found = 0
    for operator in fleets:
        journal = journal_of(operator, directory)
        found += journal.read_bytes().count(FINISHED) if journal.exists() else 0
    if found < count and not any(one.is_running for one in fleets.values()):
        raise AssertionError("\n".join(one.log_tail(2_000) for one in fleets.values()))
    return found >= count


async def tell_late(csms: CsmsServer, size: Size) -> int:
    """Readings of ended sessions that nobody has told yet, at the change of a price; how many sessions."""
    ended = sorted(await every(csms, "sessions", state="ended"), key=lambda one: one["started_at"])
    chosen = ended[:: size.late_each]
    gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def one(session: Session) -> tuple[Session, tuple[datetime, int] | None]:
        async with gate:
            return session, late_reading(await every(csms, f"sessions/{session['session_id']}/readings"))

    told = 0
    by_station: dict[str, list[tuple[Session, tuple[datetime, int]]]] = {}
    for session, reading in await asyncio.gather(*map(one, chosen)):
        if reading is not None:
            by_station.setdefault(session["charging_station"], []).append((session, reading))
    for identity, late in by_station.items():
        version = late[0][0]["ocpp_version"].removeprefix("ocpp")
        async with dial(csms, identity, version) as peer:
            await boot(peer, version)
            for session, (at, wh) in late:
                await peer.call(*_late(version, session, at, wh))
                told += 1
    return told


def late_reading(readings: list[dict[str, Any]]) -> tuple[datetime, int] | None:
    """The register as it stood before a change of price, told for the moment of the change.

    It moves energy from one price to the next. None where no reading is on each side of a change.
    """
    registers = sorted(
        (datetime.fromisoformat(one["at"]), one["value"])
        for one in readings
        if one["measurand"] == METERED.lower() and not one["phase"] and one["value"] is not None
    )
    for (before, wh), (after, more) in pairwise(registers):
        change = before.replace(minute=before.minute // BAND_MINUTES * BAND_MINUTES, second=0, microsecond=0)
        change += timedelta(minutes=BAND_MINUTES)
        if before < change < after and more > wh:
            return change, int(wh)
    return None


def _late(version: str, session: Session, at: datetime, wh: int) -> tuple[str, dict[str, Any]]:
    when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sample: dict[str, Any] = {"measurand": METERED, "context": "Sample.Periodic"}
    if version == "1.6":
        values = [{"timestamp": when, "sampledValue": [{"value": str(wh), "unit": "Wh", **sample}]}]
        number = int(session["transaction_id"])
        return "MeterValues", {"connectorId": session["evse"], "transactionId": number, "meterValue": values}
    values = [{"timestamp": when, "sampledValue": [{"value": wh, "unitOfMeasure": {"unit": "Wh"}, **sample}]}]
    head = {"eventType": "Updated", "timestamp": when, "triggerReason": "MeterValuePeriodic", "seqNo": 9_000}
    about = {"transactionId": session["transaction_id"]}
    return "TransactionEvent", {**head, "offline": True, "transactionInfo": about, "meterValue": values}


async def drained(csms: CsmsServer, within_s: float) -> float:
    """Wait until nothing is owed to any city, and nothing new comes for a while; seconds it took.

    TimeoutError names what still waits.
    """
    clock = asyncio.get_running_loop().time
    began, quiet = clock(), 0
    while quiet < 10:
        rows = (await csms.get("outbox", state="waiting", limit=20))["items"]
        quiet = 0 if rows else quiet + 1
        if clock() - began > within_s:
            waiting = [(row["platform"], row["about"], row["last_error"]) for row in rows]
            raise TimeoutError(f"still waiting after {within_s:g} s: {waiting}")
        await asyncio.sleep(0.3)
    return clock() - began


async def costs_of(csms: CsmsServer, sessions: list[Session]) -> dict[str, list[dict[str, Any]]]:
    """Every revision of each session's cost, by the name of its order."""
    gate, headers = asyncio.Semaphore(ASKED_AT_ONCE), {"Authorization": f"Bearer {csms.admin_key}"}
    base = f"{csms.http_url}/api/v1/sessions/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30, trust_env=False) as client:

        async def one(session: Session) -> tuple[str, list[dict[str, Any]]]:
            async with gate:
                answer = (await client.get(f"{session['session_id']}/cost")).raise_for_status()
            return session["start_charge_seq"], answer.json()["revisions"]

        return dict(await asyncio.gather(*map(one, sessions)))
