"""The keeper looks at everything that can be wrong, and says so once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from csms.config_live import AlarmSettings
from csms.live.alarms import AlarmKeeper, Surroundings
from csms.store.alarm_looks import AlarmLooks
from csms.store.alarms import AlarmFilter, AlarmStore
from csms.store.database import Database
from csms.store.records import StationEventRow
from csms.store.registry import Registry
from csms.store.writer import Writer
from tests.live.kit import until
from tests.store.given import HOUR, MINUTE, T0, stations, write_of
from tests.store.test_alarm_looks import status


class Around:
    """A keeper's world, changed by the test."""

    def __init__(self, database: Database, tmp_path: Path, **settings: Any) -> None:
        self.now = T0
        self.healthy = True
        self.refusals: dict[str, int] = {}
        self.store = AlarmStore(database)
        self.keeper = AlarmKeeper(
            self.store,
            AlarmLooks(database),
            AlarmSettings(**{"disk_free": 0.0, **settings}),
            Surroundings("a", lambda: self.healthy, lambda: self.refusals, {}, tmp_path),
            lambda: self.now,
        )

    async def after(self, time: timedelta) -> list[tuple[str, str]]:
        """Look again after so long: what is open then."""
        self.now += time
        await self.keeper.look()
        page = await self.store.find(AlarmFilter(is_open=True))
        return sorted((one["kind"], one["subject"]) for one in page.items)


async def test_stations(database: Database, tmp_path: Path) -> None:
    """Faults, security events worth an eye, silence, credentials: raised and cleared by themselves."""
    (station,) = await stations(database)
    around, registry = Around(database, tmp_path), Registry(database)
    epoch = await registry.raise_epoch(station.station_id, now=T0)
    async with Writer(database, fence=False) as writer:

        def event(name: str) -> StationEventRow:
            return StationEventRow.of(station.station_id, "security", T0, T0, {"type": name})

        rows = [status(station, 1, "faulted"), event("TamperDetectionActivated"), event("StartupOfTheDevice")]
        await writer.write(write_of(station, *rows))
        security = ("security-event", "CS-0001/TamperDetectionActivated")
        assert await around.after(10 * timedelta(seconds=1)) == [security]
        fault = ("connector-fault", "CS-0001/1/1")
        assert await around.after(MINUTE) == [fault, security]
        await writer.write(write_of(station, status(station, 1, "available")))
    await registry.note_disconnected(station.station_id, epoch, around.now)
    around.refusals = {"CS-0001": 5}
    silent, refused = ("station-silent", "CS-0001"), ("credentials-refused", "CS-0001@a")
    assert await around.after(10 * MINUTE) == [fault, refused, security]
    assert await around.after(10 * MINUTE) == [refused, security, silent]
    around.refusals = {}
    await registry.raise_epoch(station.station_id, now=around.now)
    await around.after(MINUTE)
    assert await around.after(MINUTE) == [security]
    await around.after(24 * HOUR)
    assert await around.after(MINUTE) == []


async def test_the_machine(database: Database, tmp_path: Path) -> None:
    """A full disk while it is full; an outage of the database when it is over, since when it was."""
    around = Around(database, tmp_path, disk_free=0.999)
    assert await around.after(MINUTE) == [("disk-nearly-full", "disk@a")]
    around.healthy = False
    began = around.now + MINUTE
    await around.after(MINUTE)
    around.healthy = True

    assert ("database-unavailable", "database@a") in await around.after(MINUTE)
    await around.after(MINUTE)
    await around.after(MINUTE)
    assert ("database-unavailable", "database@a") not in await around.after(2 * MINUTE)
    page = await around.store.find(AlarmFilter(kind="database-unavailable"))
    assert page.items[0]["details"] == {"since": began.isoformat(timespec="seconds")}
    assert page.items[0]["severity"] == "critical"


async def test_it_runs_by_itself(database: Database, tmp_path: Path) -> None:
    """Until it is cancelled."""
    (station,) = await stations(database)
    around = Around(database, tmp_path, look_s=0.02)
    around.now = datetime.now(UTC)
    async with Writer(database, fence=False) as writer:
        await writer.write(write_of(station, status(station, 1, "faulted")))
        task = asyncio.create_task(around.keeper.run())
        counts: dict[Any, int] = {}

        async def count() -> None:
            while not counts:
                counts.update(await around.store.counts())
                await asyncio.sleep(0.01)

        counting = asyncio.create_task(count())
        await until(counting.done)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert counts == {("connector-fault", "major"): 1}
