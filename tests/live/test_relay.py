"""News of a worker reach who listens elsewhere: at once that there are some, and how its sessions run."""

import asyncio
import json

from csms.cluster.bus import LocalBus
from csms.config import LiveSettings
from csms.domain.charging_session import evolve
from csms.domain.registers import OUTLET, MeterState, Register
from csms.live.events import Wanted
from csms.live.relay import NEWS, Relay, hear
from csms.store.change_rows import Kind
from csms.store.changes import ChangeFeed
from csms.store.database import Database
from csms.store.writer import Writer
from tests.live.kit import MOMENT_S, Source, followed, news, until, write_of
from tests.store.given import T0, a_session, stations

SETTINGS = LiveSettings(progress_s=1)


async def test_a_workers_commit_and_progress_are_heard(database: Database) -> None:
    """What is in the feed at once; progress while somebody listens to it, and not before."""
    (station,) = await stations(database)
    bus, elsewhere = LocalBus(), Source()
    async with Writer(database) as writer, followed(database, elsewhere, SETTINGS) as tail:
        told: list[bytes] = []
        await bus.listen(NEWS, told.append)
        relay = Relay(bus, ChangeFeed(database), writer, 0.0)
        work = [asyncio.create_task(relay.run()), asyncio.create_task(hear(bus, tail))]
        try:
            reader = await tail.open(Wanted(kinds=frozenset({Kind.SESSION_ENDED})))
            await until(lambda: writer.announce is not None)
            await writer.write(write_of(station, news(station, 1, T0, Kind.SESSION_ENDED)))
            async with asyncio.timeout(MOMENT_S):
                await reader.wake.wait()
            assert b'"n":1' in reader.take()
            assert told
            assert writer.show is None

            watcher = await tail.open(Wanted(station=station.identity))
            await until(lambda: writer.show is not None)
            meter = MeterState(last_at=T0, total=Register(OUTLET, "", 0, 0, 240_000, 1))
            session = evolve(a_session(station), meter=meter, energy_wh=240)

            async def is_told() -> bytes:
                assert writer.show is not None
                writer.show([session])  # the first one is told when its station's names have been read
                await asyncio.sleep(0.02)
                return watcher.take()

            async with asyncio.timeout(MOMENT_S):
                while not (frames := await is_told()):
                    pass
            line = next(line for line in frames.splitlines() if line.startswith(b"data: "))
            said = json.loads(line[6:])
            assert (said["kind"], said["charging_station"]) == ("session_progress", station.identity)
            assert said["data"]["energy_wh"] == 240
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
