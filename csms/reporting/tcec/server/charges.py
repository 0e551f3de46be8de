"""Queries about one connector or one charge: may it charge, what does it cost, how is it going.

query_equip_auth, query_equip_business_policy, query_equip_charge_status. Words are those of the pushes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.charging_session import ChargingSession, SessionState
from csms.domain.cost import Cost
from csms.domain.tariff import Band
from csms.errors import NotFound
from csms.reporting.tcec import prices
from csms.reporting.tcec.charging import CHARGE_STATUS, ChargeStatus, State
from csms.reporting.tcec.envelope import CHINA
from csms.reporting.tcec.live import NOTHING, Live, live_of
from csms.reporting.tcec.orders import OrderDetail
from csms.reporting.tcec.pulls import ChargeStatusPull, CommandPull
from csms.reporting.tcec.server.asks import AuthAsk, ChargeAsk, PolicyAsk
from csms.reporting.tcec.server.directory import Directory, Outlet
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.orders_desk import NOT_CONNECTED
from csms.reporting.tcec.server.refusals import bad_business
from csms.reporting.tcec.server.starting import reason_of
from csms.reporting.tcec.server.stopping import NO_SUCH, SEQ_DIGITS
from csms.reporting.tcec.status import PLUGGED_IN
from csms.reporting.tcec.wording import body_of
from csms.store.live_states import LiveStates
from csms.store.platform_orders import FAILED, STARTING, PlatformOrder, PlatformOrders
from csms.store.registry import Registry
from csms.store.running_costs import RunningCosts
from csms.store.sessions import SessionStore
from csms.store.tariffs import PlaceForm, TariffStore

FRESH = timedelta(minutes=5)  # older readings say nothing about now
MOST_PERIODS = 32  # SumPeriod: 0 to 32

CHECKED = {
    ConnectorStatus.OFFLINE: NOT_CONNECTED,
    ConnectorStatus.FAULTED: "check-failed",
    ConnectorStatus.UNAVAILABLE: "check-failed",
    ConnectorStatus.UNKNOWN: "check-failed",
    ConnectorStatus.AVAILABLE: "not-plugged-in",
    ConnectorStatus.RESERVED: "not-plugged-in",
    ConnectorStatus.CHARGING: "busy",
}


@dataclass(frozen=True, slots=True)
class Charges:
    """Every method raises StoreUnavailable when the database is away."""

    directory: Directory
    orders: PlatformOrders
    sessions: SessionStore
    registry: Registry
    live: LiveStates
    tariffs: TariffStore
    costs: RunningCosts
    now: Callable[[], datetime]

    async def equip_auth(self, pull: CommandPull, platform: Inbound, ask: AuthAsk) -> dict[str, Any]:
        """Whether a charge could begin there now: known, connected, sound, plugged in."""
        failure = _check(await self.directory.outlet(platform, ask.connector_id))
        return {
            "EquipAuthSeq": ask.equip_auth_seq,
            "ConnectorID": ask.connector_id,
            "SuccStat": 1 if failure else 0,
            "FailReason": reason_of(pull, failure),
        }

    async def business_policy(self, pull: CommandPull, platform: Inbound, ask: PolicyAsk) -> dict[str, Any]:
        """Today's prices of a connector, by period of the day."""
        outlet = await self.directory.outlet(platform, ask.connector_id)
        bands = () if outlet is None else await self._bands(platform, outlet)
        failure = NO_SUCH if outlet is None else "" if 0 < len(bands) <= MOST_PERIODS else "no-policy"
        told = [] if failure else [prices.today(band, platform.profile) for band in bands]
        return {
            "EquipBizSeq": ask.equip_biz_seq,
            "ConnectorID": ask.connector_id,
            "SuccStat": 1 if failure else 0,
            "FailReason": reason_of(pull, failure),
            "SumPeriod": len(told),
            "PolicyInfos": told,
        }

    async def charge_status(
        self, pull: ChargeStatusPull, platform: Inbound, ask: ChargeAsk
    ) -> dict[str, Any]:
        """How a charge goes, by the platform's name for it or by ours. Raises Refusal."""
        order = await self.orders.by_seq(platform.name, ask.start_charge_seq)
        session = await self._session(platform, order, ask.start_charge_seq)
        if session is not None:
            record = await self._record(platform, ask.start_charge_seq, order, session)
        elif order is not None:
            record = _waiting(platform, order, self.now())
        else:
            raise bad_business("StartChargeSeq: there is no such charge")
        push = platform.profile.pushes.charge_status
        required = push.required if push else ()
        return body_of(record, CHARGE_STATUS, platform.profile, pull.fields, required)

    async def _bands(self, platform: Inbound, outlet: Outlet) -> tuple[Band, ...]:
        now = self.now()
        place = PlaceForm(station=outlet.identity, evse=outlet.evse, connector=outlet.connector)
        try:
            applied = await self.tariffs.applies(platform.operator, place, now)
        except NotFound:
            return ()
        return () if applied is None else applied.version.tariff.bands_on(now.astimezone(CHINA).date())

    async def _session(
        self, platform: Inbound, order: PlatformOrder | None, seq: str
    ) -> ChargingSession | None:
        if order is not None:
            return None if order.session_id is None else await self.sessions.by_id(order.session_id)
        digits = seq[-SEQ_DIGITS:]
        if not (digits.isascii() and digits.isdigit()):
            return None
        return await self.sessions.by_id(int(digits))

    async def _record(
        self, platform: Inbound, seq: str, order: PlatformOrder | None, session: ChargingSession
    ) -> ChargeStatus:
        """Raises Refusal for a session that the platform is not told of."""
        station = await self.registry.station_by_id(session.station_id)
        connector = session.connector or 1
        place = None
        if station is not None:
            place = await self.directory.place(platform, station, session.evse, connector)
        # A station may have come from another operator, whose sessions are none of this platform's.
        is_ours = station is not None and (order is not None or session.operator_id == station.operator_id)
        if station is None or place is None or not is_ours:
            raise bad_business("StartChargeSeq: there is no such charge")
        status, live = await self._now(station, session)
        cost = await self.costs.of(session)
        is_over = session.state is SessionState.ENDED
        is_stopping = order is not None and order.stop_asked_at is not None
        state: State = "finished" if is_over else "stopping" if is_stopping else "charging"
        return ChargeStatus(
            start_charge_seq=seq,
            operator_id=platform.operator,
            site_code=station.site_code,
            identity=station.identity,
            evse=session.evse,
            connector=connector,
            started_at=session.started_at,
            at=session.ended_at or live.at or session.last_event_at or session.started_at,
            state=state,
            status=status,
            energy_wh=session.energy_wh,
            live=live,
            **costs_told(cost),
            told_at=self.now(),
            place=place,
        )

    async def _now(self, station: ChargingStation, session: ChargingSession) -> tuple[ConnectorStatus, Live]:
        since = self.now() - FRESH
        found = (await self.live.stations([station.identity], since)).get(station.identity)
        if found is None:
            return ConnectorStatus.UNKNOWN, NOTHING
        running = found.session_at(session.evse, session.connector)
        is_it = running is not None and running.session.session_id == session.session_id
        live = live_of(running.readings, since) if running is not None and is_it else NOTHING
        return found.status(session.evse, session.connector or 1), live


def costs_told(cost: Cost | None) -> dict[str, Any]:
    """A cost by the names of ChargeStatus; nothing where none is known."""
    if cost is None:
        return {}
    return {
        "elec_money": cost.elec_money,
        "service_money": cost.service_money,
        "money": cost.money,
        "details": details_of(cost),
    }


def details_of(cost: Cost) -> tuple[OrderDetail, ...]:
    """The parts of a cost in which anything flowed."""
    return tuple(
        OrderDetail(
            line.start,
            line.end,
            line.energy_wh,
            line.period.value,
            line.elec_price,
            line.service_price,
            line.elec_money,
            line.service_money,
        )
        for line in cost.lines
        if line.energy_wh
    )


def _check(outlet: Outlet | None) -> str:
    if outlet is None:
        return NO_SUCH
    if not outlet.is_online:
        return NOT_CONNECTED
    return CHECKED.get(outlet.status, "" if outlet.status in PLUGGED_IN else "check-failed")


def _waiting(platform: Inbound, order: PlatformOrder, now: datetime) -> ChargeStatus:
    """A charge that has not begun, or did not begin."""
    states: dict[str, State] = {STARTING: "starting", FAILED: "start-failed"}
    return ChargeStatus(
        start_charge_seq=order.start_charge_seq,
        operator_id=platform.operator,
        site_code="",
        identity=order.identity,
        evse=order.evse,
        connector=order.connector,
        started_at=order.asked_at,
        at=max(now, order.asked_at),
        state=states.get(order.state, "unknown"),
        status=ConnectorStatus.UNKNOWN,
        energy_wh=0,
        connector_id=order.connector_id,
        told_at=now,
    )
