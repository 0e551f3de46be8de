"""What a platform is owed for the starts and stops that it asked for: outbox rows, each fact once."""

from datetime import datetime

from csms.reporting.tcec.charging import StartResult, State, StopResult
from csms.reporting.tcec.server.inbound import Inbound
from csms.store.platform_orders import PlatformOrder
from csms.store.records import OutboxRow
from csms.store.times import micros


def started(platform: Inbound, order: PlatformOrder, started_at: datetime, now: datetime) -> OutboxRow:
    """The session has begun."""
    return _start(platform, order, "charging", started_at, "", now)


def start_failed(platform: Inbound, order: PlatformOrder, failure: str, now: datetime) -> OutboxRow:
    """It will not begin; `failure` is our word for why."""
    return _start(platform, order, "start-failed", None, failure, now)


def stopped(platform: Inbound, order: PlatformOrder, now: datetime) -> OutboxRow:
    """The session is over, by whatever cause."""
    return _stop(platform, order, "finished", "", "over", now)


def stop_failed(platform: Inbound, order: PlatformOrder, failure: str, now: datetime) -> OutboxRow:
    """It goes on. A later stop may do better, so every asking has a result of its own."""
    asked = micros(order.stop_asked_at or now)
    return _stop(platform, order, "charging", failure, f"failed/{asked}", now)


def _start(
    platform: Inbound,
    order: PlatformOrder,
    state: State,
    started_at: datetime | None,
    failure: str,
    now: datetime,
) -> OutboxRow:
    record = StartResult(
        order.start_charge_seq,
        platform.operator,
        order.identity,
        order.evse,
        order.connector,
        state=state,
        started_at=started_at,
        fail_reason=failure,
        connector_id=order.connector_id,
        at=now,
    )
    about = f"{order.start_charge_seq}/start"
    return OutboxRow.of(
        order.platform, "start-result", order.start_charge_seq, about, record.to_payload(), now
    )


def _stop(
    platform: Inbound, order: PlatformOrder, state: State, failure: str, which: str, now: datetime
) -> OutboxRow:
    record = StopResult(
        order.start_charge_seq,
        platform.operator,
        order.identity,
        order.evse,
        order.connector,
        state=state,
        fail_reason=failure,
        connector_id=order.connector_id,
        at=now,
    )
    about = f"{order.start_charge_seq}/stop/{which}"
    return OutboxRow.of(
        order.platform, "stop-result", order.start_charge_seq, about, record.to_payload(), now
    )
