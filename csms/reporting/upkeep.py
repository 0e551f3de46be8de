"""What happens to sessions because nothing happens: suspicion, closing, totals of the hour that has ended.

* A session of which nothing was heard for a day, and whose station is away, is suspected (SILENCE).
* A session suspected for the policy's time is closed with what is known (T12); its order is then owed.
* A running session last heard in an hour that has just ended is totalled again, so that the hour's closing
  finds all that was measured in it.

One writer per station is the rule, and this is the exception: it writes a session only if the database
still holds what the decision was made from, so a message that came first stays. A connected station's
actor may keep a copy of a session that is closed here. When its stop comes late after all, the session
must be read from the store again (handlers read those that are suspected); should a message slip through
that gap, it overwrites the closing, and its order follows ours as a revision: in the end the database and
the city have what the station said. Sessions of connected stations are never suspected for
silence: their actors would not notice.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change, ChargingSession, Evidence, SessionState
from csms.domain.ending import close_suspected, suspect
from csms.errors import StoreUnavailable
from csms.handlers.context import Services
from csms.store.records import Record
from csms.store.session_codec import records_of
from csms.store.upkeep import UpkeepStore

log = structlog.get_logger()

TEND_S = 30.0
SILENT_FOR = timedelta(hours=24)
MOST = 100  # sessions per query

Rule = Callable[[ChargingSession, ChargingStation], Change | None]


class Upkeep:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, services: Services, store: UpkeepStore) -> None:
        self._services = services
        self._store = store
        self._close_after = timedelta(hours=services.settings.sessions.close_suspected_after_h)
        self._grace = timedelta(seconds=services.settings.reporting.grace_s)
        # A process that was away looks back a day: hours before that had all they will ever get.
        self._marked_until = services.now() - timedelta(days=1)

    async def run(self) -> None:
        """Tend for ever, several times within the grace that hours have."""
        pause_s = min(TEND_S, self._grace.total_seconds() / 4)
        while True:
            try:
                await self.tend()
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug("upkeep_unavailable", error=str(exc))
            except Exception:
                log.exception("upkeep_failed")
            await asyncio.sleep(pause_s)

    async def tend(self) -> int:
        """Do what is due now; how many sessions were suspected or closed. Raises StoreUnavailable."""
        now = self._services.now()
        await self._mark_running(now)
        return await self._suspect_silent(now) + await self._close_suspected(now)

    async def _mark_running(self, now: datetime) -> None:
        """Half a grace after the hour: most running sessions have told something of the next one by then."""
        until = now - self._grace / 2
        await self._store.mark_running(self._marked_until, until, now)
        self._marked_until = until

    async def _suspect_silent(self, now: datetime) -> int:
        done = 0
        while found := await self._store.silent(now - SILENT_FOR, MOST):
            changed = [await self._change(one, partial(_silent, now)) for one in found]
            done += sum(changed)
            if not any(changed):
                break
        return done

    async def _close_suspected(self, now: datetime) -> int:
        close = partial(_closed, now, self._close_after)
        done, last = 0, None
        while found := await self._store.suspected(now - self._close_after, last, MOST):
            done += sum([await self._change(one, close) for one in found])
            last = found[-1]
        return done

    async def _change(self, before: ChargingSession, rule: Rule) -> bool:
        """Write what `rule` makes of a session. False: nothing, or the session has gone on meanwhile."""
        station = await self._services.registry.station_by_id(before.station_id)
        change = rule(before, station) if station is not None else None
        if station is None or change is None:
            return False
        records: list[Record] = records_of(change, station, before)
        state = change.session.state
        is_written = await self._store.replace(
            before, records, while_away=state is SessionState.SUSPECTED_ENDED
        )
        if is_written:
            log.info(
                "session_changed", session=before.session_id, station=station.identity, state=state.value
            )
        return is_written


def _silent(now: datetime, session: ChargingSession, _: ChargingStation) -> Change | None:
    return suspect(session, Evidence.SILENCE, now, now)


def _closed(
    now: datetime, after: timedelta, session: ChargingSession, station: ChargingStation
) -> Change | None:
    return close_suspected(session, now, station=station, after=after)
