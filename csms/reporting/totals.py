"""Keeps totals and costs up to date, and owes orders and closed hours to the platforms that want them.

What is due, sums and revisions are the store's (`ReportStore.recompute`); here is when it is asked, and what
an order and a closed hour are in an outbox row. The row is put down in the transaction that settles the
session, or closes or revises the hour, so that no figure is stored and not told, and none is told and not
stored. A session is marked due in the commit of its end: whoever dies in between leaves the mark.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from csms.errors import StoreUnavailable
from csms.handlers.context import PlatformRoute, Services
from csms.reporting.tcec.messages import ConnectorTotal, HourTotal, StationTotal
from csms.store.pricing import Order, Orders
from csms.store.records import OutboxRow
from csms.store.reports import ReportStore, SiteHour

log = structlog.get_logger()

HOUR_TOTAL = "hour-total"
CHARGE_ORDER = "charge-order"
FEWEST, MOST = 5, 500  # sessions per transaction
BATCH_S = 0.012  # how long one should take: stations' messages wait for it on SQLite
REST = 0.5  # of the time a batch took: a backlog must not take all there is
LONGEST_PAUSE_S = 60.0


class Totaller:
    """Run it with `run`; stop by cancelling. Several at once, here or on other nodes, are harmless."""

    def __init__(self, services: Services, reports: ReportStore) -> None:
        self._services = services
        self._reports = reports
        self._grace = timedelta(seconds=services.settings.reporting.grace_s)
        self._most = 2 * FEWEST
        self._wanted: dict[str, list[PlatformRoute]] = {}
        self._orders_to: dict[str, list[PlatformRoute]] = {}
        for route in services.platforms:
            if route.hour_totals:
                self._wanted.setdefault(route.operator_code, []).append(route)
            if route.orders:
                self._orders_to.setdefault(route.operator_code, []).append(route)
        self._orders = Orders(frozenset(self._orders_to), self._orders_owed)

    async def run(self) -> None:
        """Compute what is due, for ever."""
        poll_s = self._services.settings.reporting.poll_s
        pause_s = poll_s
        while True:
            began = time.monotonic()
            try:
                done = await self.compute_due()
                pause_s = (time.monotonic() - began) * REST if done else poll_s
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug("totals_unavailable", error=str(exc))
                pause_s = poll_s
            except Exception:
                # Totals that stand still are worth a line now and then, and no reason to stop for ever.
                log.exception("totals_failed")
                pause_s = min(max(pause_s, poll_s) * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def compute_due(self) -> int:
        """One bounded batch; how many sessions and periods it took (0: nothing is due).

        Raises StoreUnavailable.
        """
        began = time.monotonic()
        done = await self._reports.recompute(
            self._services.now(),
            grace=self._grace,
            owed=self._owed if self._wanted else None,
            orders=self._orders,
            most=self._most,
        )
        self._adapt(done, time.monotonic() - began)
        return done

    def _adapt(self, done: int, taken_s: float) -> None:
        """Larger batches where they are quick, smaller ones where they are slow."""
        if taken_s > BATCH_S:
            self._most = max(FEWEST, self._most // 2)
        elif done >= self._most and taken_s < BATCH_S / 2:
            self._most = min(MOST, self._most * 2)

    def _owed(self, hours: Sequence[SiteHour]) -> list[OutboxRow]:
        """What platforms are owed for these hours: one row for each revision."""
        now = self._services.now()
        return [
            _row(route, hour, now) for hour in hours for route in self._wanted.get(hour.operator_code, ())
        ]

    def _orders_owed(self, orders: Sequence[Order]) -> list[OutboxRow]:
        """What platforms are owed for these orders: one row for each revision, in one key."""
        now = self._services.now()
        return [
            OutboxRow.of(
                route.name,
                CHARGE_ORDER,
                str(order.session_id),
                f"{order.session_id}/{order.revision}",
                order.payload,
                now,
            )
            for order in orders
            for route in self._orders_to.get(order.operator_code, ())
        ]


def _row(route: PlatformRoute, hour: SiteHour, now: datetime) -> OutboxRow:
    # Revisions of an hour share a key: they reach the platform in order.
    key = f"{hour.site_code}/{_text(hour.hour)}"
    return OutboxRow.of(
        route.name, HOUR_TOTAL, key, f"{key}/{hour.revision}", hour_total(hour).to_payload(), now
    )


def hour_total(hour: SiteHour) -> HourTotal:
    """A closed hour as it is told: in Wh, split by charging station and connector."""
    return HourTotal(
        operator_id=hour.operator_code,
        site_code=hour.site_code,
        hour=hour.hour,
        energy_wh=hour.energy_wh,
        sessions=hour.sessions,
        revision=hour.revision,
        stations=tuple(
            StationTotal(
                station["identity"],
                station["energy_wh"],
                tuple(
                    ConnectorTotal(plug["evse"], plug["connector"], plug["energy_wh"])
                    for plug in station["connectors"]
                ),
            )
            for station in hour.stations
        ),
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
