"""Raises and clears alarms by looking, again and again, at what is wrong. Knows the rules and their times.

Nothing here is told by events, so nothing can be missed: a program that was away finds what it would have
seen. On several nodes each looks; the store sees to it that an alarm is raised once.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from csms.config_live import AlarmSettings
from csms.errors import StoreUnavailable
from csms.store.alarm_looks import MOST, AlarmLooks
from csms.store.alarms import AlarmStore, Condition, Look
from csms.store.times import micros

log = structlog.get_logger()

AT_ONCE = timedelta(0)
# Told by stations in the ordinary course of things; everything else is worth a person's eye.
ORDINARY_EVENTS = frozenset(
    {"StartupOfTheDevice", "ResetOrReboot", "SettingSystemTime", "FirmwareUpdated"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is to be seen of this process and its machine.

    `node` names it among others. `disk`: a directory of the database's disk, where there is one.
    `refusals`: stations whose credentials were refused in the last ten minutes, and how often. `owners`:
    operator codes by city platform.
    """

    node: str
    is_healthy: Callable[[], bool]
    refusals: Callable[[], dict[str, int]]
    owners: dict[str, str]
    disk: Path | None = None


class AlarmKeeper:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(
        self,
        store: AlarmStore,
        looks: AlarmLooks,
        settings: AlarmSettings,
        around: Surroundings,
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._looks, self._settings = store, looks, settings
        self._around, self._now = around, now
        self._ending = f"@{around.node}" if around.node else ""
        self._away_since: datetime | None = None
        self._back_at: datetime | None = None
        self._raise_after = timedelta(seconds=settings.raise_after_s)
        self._clear_after = timedelta(seconds=settings.clear_after_s)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as exc:
                log.debug("alarms_unavailable", error=str(exc))
            except Exception:
                log.exception("alarms_failed")
            await asyncio.sleep(self._settings.look_s)

    async def look(self) -> tuple[int, int]:
        """Bring all alarms up to date: how many were raised, how many cleared. Raises StoreUnavailable."""
        now, raised, cleared = self._now(), 0, 0
        self._watch_database(now)
        for make in self._rules():
            look = await make(now)
            new, over = await self._store.settle(look, now)
            raised, cleared = raised + new, cleared + over
            if new or over:
                log.info("alarms_changed", kind=look.kind, raised=new, cleared=over)
        return raised, cleared

    def _rules(self) -> Iterator[Callable[[datetime], Awaitable[Look]]]:
        yield self._faults
        yield self._security
        yield self._silent
        yield self._clocks
        yield self._refused
        yield self._paused
        yield self._late
        yield self._webhooks
        yield self._disk
        yield self._database

    async def _faults(self, _: datetime) -> Look:
        found = await self._looks.faults()
        return self._lasting("connector-fault", found)

    async def _security(self, now: datetime) -> Look:
        found = await self._looks.security(now - timedelta(seconds=self._settings.event_lasts_s))
        wrong = [one for one in found.conditions if one.details["type"] not in ORDINARY_EVENTS]
        return Look("security-event", wrong, AT_ONCE, AT_ONCE, is_whole=found.is_whole)

    async def _silent(self, now: datetime) -> Look:
        found = await self._looks.silent(now - timedelta(seconds=self._settings.silent_after_s))
        return Look("station-silent", found, AT_ONCE, self._clear_after, is_whole=len(found) < MOST)

    async def _clocks(self, now: datetime) -> Look:
        found = await self._looks.clocks(now - timedelta(seconds=self._settings.event_lasts_s))
        return Look("clock-wrong", found.conditions, AT_ONCE, AT_ONCE, is_whole=found.is_whole)

    async def _refused(self, now: datetime) -> Look:
        often = {
            identity: n
            for identity, n in self._around.refusals().items()
            if n >= self._settings.refused_logins
        }
        found = await self._looks.refused(often, self._ending, now)
        return self._local("credentials-refused", found)

    async def _paused(self, _: datetime) -> Look:
        return self._lasting("platform-paused", await self._looks.platforms_paused(self._around.owners))

    async def _late(self, now: datetime) -> Look:
        before = now - timedelta(seconds=self._settings.platform_late_s)
        return self._lasting("platform-late", await self._looks.platforms_late(self._around.owners, before))

    async def _webhooks(self, _: datetime) -> Look:
        return Look("webhook-paused", await self._looks.webhooks(), AT_ONCE, AT_ONCE)

    async def _disk(self, now: datetime) -> Look:
        found = []
        if self._around.disk is not None:
            usage = await asyncio.to_thread(shutil.disk_usage, self._around.disk)
            free = usage.free / usage.total
            if free < self._settings.disk_free:
                details = {"free_bytes": usage.free, "free": round(free, 3)}
                found = [Condition("disk" + self._ending, "critical", micros(now), details)]
        return self._local("disk-nearly-full", found)

    async def _database(self, now: datetime) -> Look:
        """An outage cannot be written down while it lasts: it is raised when it is over."""
        found = []
        if self._away_since is not None:
            details = {"since": self._away_since.isoformat(timespec="seconds")}
            found = [Condition("database" + self._ending, "critical", micros(self._away_since), details)]
            if self._back_at is not None and now - self._back_at >= self._clear_after:
                self._away_since = self._back_at = None
        return self._local("database-unavailable", found)

    def _watch_database(self, now: datetime) -> None:
        if not self._around.is_healthy():
            self._away_since, self._back_at = self._away_since or now, None
        elif self._away_since is not None and self._back_at is None:
            self._back_at = now

    def _lasting(self, kind: str, found: list[Condition]) -> Look:
        return Look(kind, found, self._raise_after, self._clear_after, is_whole=len(found) < MOST)

    def _local(self, kind: str, found: list[Condition]) -> Look:
        """Of this node alone: another's is not over because it is not to be seen from here."""
        return Look(kind, found, AT_ONCE, self._clear_after, ending=self._ending)
