"""Rows that tell how starts and stops went: each fact once, in words that the pushes take."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from csms.reporting.tcec import messages
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.server import results
from csms.store.platform_orders import PlatformOrder
from csms.store.records import OutboxRow
from tests.reporting.tcec.server.kit import CITY, inbound_of
from tests.store.given import T0

SEQ = CITY + "0" * 18
NOW = T0 + timedelta(seconds=9)


def an_order(**changes: Any) -> PlatformOrder:
    """A charge at a connector that goes by a name of the inventory."""
    order = PlatformOrder(
        1, "city", SEQ, 7, "CS-0001", 1, 1, "PLUG-A", "TOKEN", 5, None, "starting", T0, NOW, None, None, None,
        None, "", T0,
    )  # fmt: skip
    return order._replace(**changes)


def told(row: OutboxRow) -> dict[str, Any]:
    """The body of the message that the row becomes."""
    record = messages.read(row.kind, json.loads(row.payload))
    body: dict[str, Any] = json.loads(messages.message(record, load_profile("tcec102-2016")).text)
    return body


def test_a_start_that_worked() -> None:
    """Charging since the session's start."""
    row = results.started(inbound_of(), an_order(), T0, NOW)

    assert told(row) == {
        "StartChargeSeq": SEQ,
        "StartChargeSeqStat": 2,
        "ConnectorID": "PLUG-A",
        "StartTime": "2026-01-05 18:00:00",
    }


def test_a_start_that_failed() -> None:
    """Neither starting nor charging; the time of the result stands for that of the start."""
    body = told(results.start_failed(inbound_of(), an_order(), "silent", NOW))

    assert body["StartChargeSeqStat"] not in (1, 2)
    assert body["StartTime"] == "2026-01-05 18:00:09"


@pytest.mark.parametrize(
    ("failure", "reason"), [("not-connected", 2), ("rejected", 4), ("silent", 99), ("nonsense", 99)]
)
def test_a_stop_that_failed(failure: str, reason: int) -> None:
    """The platform's own numbers, from the query that asked for it."""
    row = results.stop_failed(inbound_of(), an_order(stop_asked_at=T0), failure, NOW)
    body = told(row)

    assert (body["StartChargeSeqStat"], body["SuccStat"], body["FailReason"]) == (2, 1, reason)


def test_a_charge_that_is_over() -> None:
    """Finished."""
    body = told(results.stopped(inbound_of(), an_order(), NOW))

    assert (body["StartChargeSeqStat"], body["SuccStat"], body["FailReason"]) == (4, 0, 0)


def test_each_fact_has_one_name() -> None:
    """A start has one result, however it went; so has an end; every stop that failed has its own."""
    who, later = inbound_of(), NOW + timedelta(seconds=1)
    order = an_order(stop_asked_at=T0)
    start = {results.started(who, order, T0, at).about for at in (NOW, later)}
    start.add(results.start_failed(who, order, "silent", NOW).about)
    ends = {results.stopped(who, order, at).about for at in (NOW, later)}
    fails = {results.stop_failed(who, order, "silent", at).about for at in (NOW, later)}
    fails.add(results.stop_failed(who, order._replace(stop_asked_at=NOW), "silent", NOW).about)

    assert (len(start), len(ends), len(fails)) == (1, 1, 2)
