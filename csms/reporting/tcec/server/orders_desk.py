"""Gives a station a command for a platform, and keeps who asked for it. Knows no interface and no payload.

The command is put down with its audit entry before it is sent, as one of an operator's would be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from csms.domain.commands import Command, Outcome, Result, StartSession, StopSession
from csms.errors import StoreUnavailable
from csms.store.command_queries import CommandDesk, CommandForm
from csms.store.platform_orders import TOKEN_TYPE, PlatformOrder
from csms.store.records import AuditRow

log = structlog.get_logger()

NOT_CONNECTED, REJECTED = "not-connected", "rejected"
# Silent is no failure: it may still be carried out, and the session that comes or does not come will tell.
FAILURES = {
    Result.NOT_CONNECTED: NOT_CONNECTED,
    Result.REJECTED: REJECTED,
    Result.NOT_SUPPORTED: REJECTED,
    Result.FAILED: REJECTED,
}


class Sender(Protocol):
    """Carries a command to a charging station, wherever it is connected."""

    async def send(self, identity: str, command: Command, within_s: float) -> Outcome:
        """What came of it; never raises for what a station or node does."""


@dataclass(frozen=True, slots=True)
class OrdersDesk:
    """Starts and stops on behalf of platforms. Every method raises StoreUnavailable before it has sent."""

    commands: CommandDesk
    courier: Sender
    now: Callable[[], datetime]
    expiry_s: float

    async def begin_start(self, order: PlatformOrder) -> int | None:
        """The number of the start that is to be sent for `order`; None: another has it in hand."""
        about: dict[str, object] = {
            "evse": order.evse,
            "connector": order.connector,
            "start_charge_seq": order.start_charge_seq,
        }
        return await self._begin(order, "StartSession", about, f"start {order.start_charge_seq}")

    async def start(self, order: PlatformOrder, number: int) -> str:
        """Send it; why it failed, or ''."""
        command = StartSession(order.id_token, TOKEN_TYPE, order.evse, order.connector, number)
        return await self._send(order, number, command)

    async def stop(self, order: PlatformOrder, transaction_id: str, asked_at: datetime) -> str:
        """Stop the order's session; why it failed, or ''. The same asking twice is sent once."""
        name = f"stop {order.start_charge_seq} {asked_at.isoformat()}"
        about: dict[str, object] = {
            "session_id": order.session_id,
            "start_charge_seq": order.start_charge_seq,
        }
        number = await self._begin(order, "StopSession", about, name)
        return "" if number is None else await self._send(order, number, StopSession(transaction_id))

    async def _begin(
        self, order: PlatformOrder, kind: str, about: dict[str, object], name: str
    ) -> int | None:
        actor = f"platform:{order.platform}"
        form = CommandForm(order.station_id, actor, kind, about, name)
        now = self.now()
        audit = AuditRow.of(now, actor, f"command {kind}", order.identity, about)
        begun = await self.commands.begin(form, audit, now)
        return begun.command_id if begun.is_new else None

    async def _send(self, order: PlatformOrder, number: int, command: Command) -> str:
        outcome = await self.courier.send(order.identity, command, self.expiry_s)
        kind, result = type(command).__name__, outcome.result.value
        shown = {"result": result, "reason": outcome.reason}
        actor = f"platform:{order.platform}"
        audit = AuditRow.of(self.now(), actor, f"command {kind} ended", order.identity, shown)
        log.info("city_command_ended", platform=order.platform, command=kind, station=order.identity, **shown)
        try:
            await self.commands.finish(number, result, {"reason": outcome.reason}, audit)
        except StoreUnavailable as exc:
            # It was carried out: what comes of it must not depend on this note.
            log.error("command_outcome_not_stored", command=number, station=order.identity, error=str(exc))
        return FAILURES.get(outcome.result, "")
