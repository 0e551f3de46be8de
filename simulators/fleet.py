"""A fleet of stations over real sockets: provision, run, judge. The only part that knows all others."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from simulators import journal as journals
from simulators import truth as truths
from simulators import verdict as verdicts
from simulators.clock import StationClock
from simulators.evse import Evse
from simulators.journal import Journal
from simulators.link import Link, Route, Script
from simulators.management import Management
from simulators.misbehaviours import named
from simulators.roster import Member, Roster, Size, muster
from simulators.scenario import Scenario
from simulators.scripts import FIRST_REGISTER_WH, Drivers, Fixed, Living, Past, pasts
from simulators.station import Station
from simulators.verdict import Verdict

SAMPLED_SESSIONS = 25
CONNECTS_PER_S = 100
"""A large fleet does not connect faster than this; a server may well admit fewer and say so."""
GRACE_S = 5.0
"""How long the fleet may take to say its last words after it was asked to stop."""
SETTLE_S = 3.0
"""How long the history may differ before it counts: a message may wait behind a torn socket."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks of a fleet."""

    url: str = "ws://127.0.0.1:9000/ocpp"
    api: str = "http://127.0.0.1:8080"
    api_key: str = ""
    size: Size = field(default_factory=Size)
    sessions: int = 2
    seed: int = 7
    speed: float | None = None
    """None: clocks jump from event to event. Else they run this many times as fast as real ones."""
    forever: bool = False
    backfill_days: float = 0
    password: str | None = None
    patience_s: float = 120.0
    journal: Path | None = None


class Fleet:
    """One run: `provision`, then `run` carries every station through its script, then `judge` compares."""

    def __init__(
        self, plan: Plan, scenario: Scenario, say: Callable[[str], None] = lambda line: None
    ) -> None:
        self.plan, self.scenario, self._say = plan, scenario, say
        self.roster: Roster = muster(scenario, plan.size, plan.seed)
        self.journal = Journal(plan.journal)
        self.links: list[Link] = []
        self._before: set[str] = set()
        self._stopping = asyncio.Event()
        self._began = datetime.now(UTC)
        self._gate = asyncio.Semaphore(scenario.connects_at_once)

    @property
    def over(self) -> int:
        """How many stations' stories are over."""
        return sum(link.over for link in self.links)

    @property
    def stopped(self) -> bool:
        """Whether the user ended it."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Close as soon as the last words are said."""
        self._stopping.set()

    async def provision(self, api: Management) -> None:
        """Enter operators, sites, stations and tokens; learn where every meter and clock stood."""
        for what, rows in self.roster.registry(self.plan.password):
            self._say(f"{len(rows)} {what}")
            await api.put(what, rows)
        history = await self._history(api)
        self._before = {str(row["session_id"]) for row in history}
        known = pasts(history)
        self.links = [self._link(member, known) for member in self.roster.members]

    async def run(self) -> bool:
        """Carry all stations to the end of their stories; False when patience or the user ended it first."""
        _allow_sockets(len(self.links))
        try:
            async with asyncio.TaskGroup() as tasks:
                starts = enumerate(self.links)
                running = [tasks.create_task(self._start(link, number)) for number, link in starts]
                await self._watch(running)
                for task in running:
                    task.cancel()
        finally:
            self.journal.close()
        return self.over == len(self.links) and not self._stopping.is_set()

    async def judge(self, api: Management) -> Verdict:
        """Compare the central system's history with what the journal says happened."""
        assert self.journal.path is not None
        truth = truths.from_journal(journals.read(self.journal.path))
        give_up = asyncio.get_running_loop().time() + SETTLE_S
        while True:
            verdict = await self._compare(api, truth)
            if verdict.holds or asyncio.get_running_loop().time() > give_up:
                return verdict
            await asyncio.sleep(1.0)

    async def _compare(self, api: Management, truth: truths.Truth) -> Verdict:
        history = [row for row in await self._history(api) if str(row["session_id"]) not in self._before]
        verdict = verdicts.compare(truth, history, self.plan.sessions)
        chosen = verdicts.sample(truth, history, self.plan.seed, SAMPLED_SESSIONS)
        counted = [(session, await api.readings_count(row_id)) for session, row_id in chosen]
        verdicts.count_readings(verdict, counted)
        return verdict

    async def _history(self, api: Management) -> Rows:
        mine = {member.identity for member in self.roster.members}
        rows = await api.sessions_at(sorted({member.site for member in self.roster.members}))
        return [row for row in rows if row["charging_station"] in mine]

    async def _start(self, link: Link, number: int) -> None:
        ramp_s = max(self.scenario.ramp_s, len(self.links) / CONNECTS_PER_S)
        await asyncio.sleep(ramp_s * number / len(self.links))
        await link.run()

    async def _watch(self, running: list[asyncio.Task[None]]) -> None:
        """Return when all are done, no session message was acknowledged for too long, or a stop was asked."""
        time = asyncio.get_running_loop().time
        acknowledged, since = -1, time()
        while not all(task.done() for task in running):
            if self._stopping.is_set():
                await self._last_words(running)
                return
            if acknowledged != self.journal.kept_count:
                acknowledged, since = self.journal.kept_count, time()
            if not self.plan.forever and time() - since > self.plan.patience_s:
                return
            await asyncio.sleep(0.1)

    async def _last_words(self, running: list[asyncio.Task[None]]) -> None:
        for link in self.links:
            link.stop()
        await asyncio.wait(running, timeout=GRACE_S)

    def _link(self, member: Member, known: Mapping[tuple[str, int], Past]) -> Link:
        chance = Random(f"{self.plan.seed}/{member.identity}/{self.plan.sessions}")
        # Ids must differ between runs; everything else is the seed's.
        ids = Random(f"{self.plan.seed}/{member.identity}/{self._began.timestamp()}")
        evses = [
            self._evse(member, number, known, chance, ids) for number in range(1, len(member.supplies) + 1)
        ]
        station = Station(member.traits, evses, ids, named(member.misbehave))
        station.settings.sample_every(self.scenario.sessions.sample_s)
        station.stale = member.marked_offline and self.plan.speed is None
        clock, script = self._story(member, station, known, chance)
        return Link(
            station=station,
            clock=clock,
            script=script,
            route=self._route(member),
            journal=self.journal,
            rng=chance,
        )

    def _evse(
        self, member: Member, number: int, known: Mapping[tuple[str, int], Past], chance: Random, ids: Random
    ) -> Evse:
        past = known.get((member.identity, number))
        register = chance.uniform(*FIRST_REGISTER_WH)
        return Evse(number, member.supplies[number - 1], past.register_wh if past else register, chance, ids)

    def _story(
        self, member: Member, station: Station, known: Mapping[tuple[str, int], Past], chance: Random
    ) -> tuple[StationClock, Script]:
        if self.plan.forever:
            return self._living(member, station, known, chance)
        return self._fixed(member, station, known, chance)

    def _fixed(
        self, member: Member, station: Station, known: Mapping[tuple[str, int], Past], chance: Random
    ) -> tuple[StationClock, Script]:
        script = Fixed(self.scenario.sessions, chance)
        earliest = self._began - timedelta(
            hours=self.scenario.starts_hours_ago, seconds=-chance.uniform(0, 600)
        )
        until = self._began - timedelta(minutes=1)
        where = [chance.choice(list(station.evses)) for _ in range(self.plan.sessions)]
        for number, evse in station.evses.items():
            past = known.get((member.identity, number))
            start = max(earliest, past.until + timedelta(minutes=1)) if past else earliest
            script.plan(evse, member.tokens[number - 1][0], where.count(number), start, until)
        clock = StationClock(station.next_due or earliest)
        if self.plan.speed is not None:
            clock.go_live(clock.now(), self.plan.speed)
        return clock, script

    def _living(
        self, member: Member, station: Station, known: Mapping[tuple[str, int], Past], chance: Random
    ) -> tuple[StationClock, Script]:
        script = Living(
            sessions=self.scenario.sessions,
            drivers={n: Drivers(list(tokens), chance) for n, tokens in enumerate(member.tokens, start=1)},
            rng=chance,
            now=lambda: datetime.now(UTC),
            speed=self.plan.speed or 1.0,
            skew_s=member.skew_s,
            backfill=self.scenario.backfill,
        )
        earliest = self._began - timedelta(days=self.plan.backfill_days)
        since = {}
        for number in station.evses:
            past = known.get((member.identity, number))
            since[number] = max(earliest, past.until + timedelta(minutes=1)) if past else earliest
        if self.plan.backfill_days > 0:
            script.tell_past(station, since, self._began)
        return StationClock(station.next_due or self._began), script

    def _route(self, member: Member) -> Route:
        return Route(
            url=self.plan.url.rstrip("/"),
            password=self.roster.password(member, self.plan.password),
            gate=self._gate,
            backoff_s=self.scenario.backoff_s,
            call_timeout_s=self.scenario.call_timeout_s,
            compression=member.compression,
            weather=member.weather,
        )


def _allow_sockets(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(max(soft, count + 256), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
