"""What running sessions have come to, told while somebody listens: energy, and the power since last told.

The writer brings sessions up to date once a second and shows them here; each is told every few seconds.
Knows sessions; not who listens.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from csms.domain.charging_session import ChargingSession
from csms.store.change_rows import Kind
from csms.store.changes import Event, Whereabouts
from csms.store.times import micros

FORGET_AFTER_S = 600.0


class _Figure(NamedTuple):
    told_at: float
    energy_mwh: int | None
    measured_at: datetime | None


class Progress:
    """Makes events of sessions that are shown."""

    def __init__(self, every_s: float, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._every_s = every_s
        self._clock = clock
        self._told: dict[int, _Figure] = {}
        self._swept_at = clock()
        self.places: Mapping[int, Whereabouts] = {}
        self.is_lost = False
        """Whether a session of an unknown station was shown: `places` are to be read again."""

    def events(self, sessions: Sequence[ChargingSession]) -> list[Event]:
        """Those that are due to be told again."""
        now = self._clock()
        made = []
        for session in sessions:
            before = self._told.get(session.session_id)
            if before is not None and now - before.told_at < self._every_s:
                continue
            where = self.places.get(session.station_id)
            if where is None:
                self.is_lost = True
                continue
            made.append(self._event(session, where, before, now))
        self._sweep(now)
        return made

    def forget(self) -> None:
        """Nobody listens any more."""
        self._told.clear()

    def _event(
        self, session: ChargingSession, where: Whereabouts, before: _Figure | None, now: float
    ) -> Event:
        total, measured_at = session.meter.total, session.meter.last_at
        figure = _Figure(now, None if total is None else total.last, measured_at)
        self._told[session.session_id] = figure
        power = _power_w(before, figure)
        energy = "null" if session.energy_wh is None else str(session.energy_wh)
        body = (
            f'{{"evse":{session.evse},"connector":{session.connector},"energy_wh":{energy},'
            f'"power_w":{"null" if power is None else power}}}'
        )
        at = micros(measured_at or session.last_event_at or session.started_at)
        return Event(
            0, at, Kind.SESSION_PROGRESS.value, where.operator, where.site, where.identity,
            session.session_id, body,
        )  # fmt: skip

    def _sweep(self, now: float) -> None:
        if now - self._swept_at > FORGET_AFTER_S:
            self._swept_at = now
            old = now - FORGET_AFTER_S
            self._told = {number: one for number, one in self._told.items() if one.told_at > old}


def _power_w(before: _Figure | None, now: _Figure) -> int | None:
    """Mean power between two readings of the register; None where it cannot be said."""
    if before is None or before.energy_mwh is None or now.energy_mwh is None:
        return None
    if before.measured_at is None or now.measured_at is None or now.energy_mwh < before.energy_mwh:
        return None
    seconds = (now.measured_at - before.measured_at).total_seconds()
    return round((now.energy_mwh - before.energy_mwh) * 3.6 / seconds) if seconds > 0 else None
