"""A city's charging network for a day: fleet, nodes, platform, and what goes wrong, all from one seed."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from csms.config import BootSettings, ReportingSettings, SessionSettings, Settings
from csms.domain.assets import IdToken, OcppVersion
from csms.store.migrations import upgrade_database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from simulators.evse import Evse
from simulators.journal import Journal
from simulators.misbehaviours import named
from simulators.roster import Member, Roster, Size, muster
from simulators.scenario import Liberties, Oddities, Scenario, Sessions
from simulators.scripts import FIRST_REGISTER_WH, Fixed
from simulators.station import Station
from simulators.traits import SUBPROTOCOLS
from tests.domain.prices import BEIJING
from tests.stories.city import LedgerCity
from tests.stories.database import UnsteadyDatabase
from tests.stories.life import Life
from tests.stories.node import Line, Node
from tests.stories.virtual import VirtualClock

DAY_S = 86_400.0
FAULT_SHARE = 0.12
"""Of the messages of transactions."""
OPERATOR = "123456789"
EARLIER = datetime(2020, 1, 1, tzinfo=UTC)
# Misbehaviours after which a session must still be right in all that was told of it.
ODDITIES = (
    *("stop-transaction-minus-one", "stop-transaction-zero", "duplicate-stop", "stop-twice"),
    *("session-relative-register", "numeric-meter-values", "microsecond-times"),
    *("odd-stop-reason", "null-payload", "zero-connector-meter", "boot-loop"),
    *("error-code-Error", "long-signed-value", "html-model"),
)
SCENARIO = Scenario(
    name="a-day",
    what="a day of a small city",
    sessions=Sessions(minutes=(20, 100), gap_minutes=(10, 200), sample_s=600),
    liberties=Liberties(clock_skew_s=(-240, 240)),
    oddities=Oddities(share=0.5, names=ODDITIES),
)
SETTINGS = Settings(
    boot=BootSettings(heartbeat_interval_s=7_200),
    sessions=SessionSettings(close_suspected_after_h=4),
    reporting=ReportingSettings(poll_s=600),
)


@dataclass(slots=True)
class Weather:
    """What is away when: spans of virtual seconds."""

    city_down: list[tuple[float, float]] = field(default_factory=list)
    database_away: list[tuple[float, float]] = field(default_factory=list)


def _within(spans: list[tuple[float, float]], now: float) -> bool:
    return any(since <= now <= until for since, until in spans)


class World:
    """Everything that lives through a story. Call `live`, then look at what is left."""

    def __init__(self, seed: int, clock: VirtualClock, journal: Path, stations: int, sessions: int) -> None:
        self.seed = seed
        self.rng = Random(f"world {seed}")
        self.clock = clock
        self.journal = Journal(journal)
        self.weather = Weather()
        self.database = UnsteadyDatabase(Random(f"database {seed}"), lambda: clock.seconds)
        self.database.away = lambda: _within(self.weather.database_away, clock.seconds)
        self.city = LedgerCity(
            f"city {seed}",
            lambda: clock.seconds,
            lambda: _within(self.weather.city_down, clock.seconds),
            lambda at: not any(at <= failed <= at + 1 for failed in self.database.failed_at),
        )
        self.roster: Roster = muster(SCENARIO, Size(stations=stations, sites=5, prefix=f"D{seed}"), seed)
        self.sessions_each = sessions
        self.nodes: list[Node] = []
        self.all_nodes: list[Node] = []
        self.lives: list[Life] = []

    async def live(self) -> None:
        """A day with faults, then as long as it takes until everything is told, without."""
        await upgrade_database(self.database)
        await self._register()
        self.nodes = [self._node(), self._node()]
        self._draw_weather()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(life.run()) for life in self._lives()]
            await self._go_wrong(running)
        self.journal.close()
        await asyncio.sleep(2 * 3_600)  # hours close, the outbox empties
        for node in self.nodes:
            await node.stop()
        await asyncio.sleep(60)  # what was on its way arrives nowhere

    def _draw_weather(self) -> None:
        rng = self.rng
        since = rng.uniform(3, 18) * 3_600
        self.weather.city_down = [(since, since + 3 * 3_600)]
        for _ in range(8):
            since = rng.uniform(1, 23) * 3_600
            self.weather.database_away.append((since, since + rng.choice((3, 15, 60, 300))))
        self.city.faults = 0.04
        self.database.lost_words = 0.004

    async def _go_wrong(self, running: list[asyncio.Task[None]]) -> None:
        """Nodes are killed or restarted until the day is over; then nothing goes wrong any more."""
        moments = sorted(self.rng.uniform(0.5, 23.5) * 3_600 for _ in range(6))
        for moment in moments:
            await asyncio.sleep(max(0.0, moment - self.clock.seconds))
            await self._replace(self.rng.randrange(2))
        await asyncio.sleep(max(0.0, DAY_S - self.clock.seconds))
        self.city.faults = self.database.lost_words = 0.0
        for life in self.lives:
            life.fault_share = 0.0
        done, left = await asyncio.wait(running, timeout=DAY_S)
        assert not left, f"seed {self.seed}: {len(left)} stations are not done"
        for task in done:
            task.result()

    async def _replace(self, which: int) -> None:
        """A node dies or stops; another takes its place some minutes later, now and then both at once."""
        gone = [which, 1 - which] if self.rng.random() < 0.3 else [which]
        nodes = [self.nodes[n] for n in gone]
        self.nodes = [node for node in self.nodes if node not in nodes]
        for node in nodes:
            await (node.kill() if self.rng.random() < 0.7 else node.stop())
        await asyncio.sleep(self.rng.uniform(1, 900))
        self.nodes += [self._node() for _ in nodes]

    def _node(self) -> Node:
        name = f"node {len(self.all_nodes)}"
        jitter = Random(f"{self.seed}/{name}").random
        node = Node(name, self.database, self.clock, SETTINGS, self.city, jitter)
        self.all_nodes.append(node)
        return node

    async def _door(self, station: Station, rng: Random) -> tuple[Node, Line] | None:
        latency_s = rng.uniform(0.01, 0.4)
        await asyncio.sleep(latency_s)
        if not self.nodes:
            return None
        node = rng.choice(self.nodes)
        version = OcppVersion(SUBPROTOCOLS[station.version])
        line = await node.welcome(station.traits.identity, version, latency_s)
        # It may have died while it opened the door.
        return (node, line) if line is not None and node in self.nodes else None

    def _lives(self) -> list[Life]:
        self.lives = [self._life(member) for member in self.roster.members]
        for life in self.lives:
            life.fault_share = FAULT_SHARE
        return self.lives

    def _life(self, member: Member) -> Life:
        rng = Random(f"{self.seed}/{member.identity}")
        evses = [
            Evse(number, supply, rng.uniform(*FIRST_REGISTER_WH), rng, rng)
            for number, supply in enumerate(member.supplies, start=1)
        ]
        station = Station(member.traits, evses, rng, named(member.misbehave))
        station.settings.sample_every(SCENARIO.sessions.sample_s)
        script, morning = Fixed(SCENARIO.sessions, rng), self._morning()
        for number, evse in station.evses.items():
            token = member.tokens[number - 1][0]
            script.plan(evse, token, self.sessions_each, morning, morning + timedelta(hours=23))
        return Life(member, station, self.clock, self.journal, rng, self._door)

    def _morning(self) -> datetime:
        return self.clock.now() + timedelta(minutes=10)

    async def _register(self) -> None:
        registry, now = Registry(self.database), self.clock.now()
        await registry.put_operator(OperatorForm(OPERATOR, "Operator", "Asia/Shanghai"))
        tariffs = TariffStore(self.database)
        await tariffs.add(OPERATOR, "T1", "Tariff", VersionForm(BEIJING, EARLIER), now)
        await tariffs.assign("T1", OPERATOR, PlaceForm(), EARLIER, now)
        for place in self.roster.sites:
            await registry.put_site(SiteForm(place.code, OPERATOR, place.name))
        for member in self.roster.members:
            power_w = int(sum(supply.max_w for supply in member.supplies))
            await registry.put_station(StationForm(member.identity, member.site, max_power_w=power_w), now)
            for (token,) in member.tokens:
                await registry.put_token(IdToken(token), now)
