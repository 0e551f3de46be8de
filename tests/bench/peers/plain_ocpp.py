"""The stock `ocpp` package over `websockets`, both as their documentation shows them, without a database.

One argument: the port. Handlers answer from memory; no setting differs from its default.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as results16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as results201

transaction_numbers = itertools.count(1)
ACCEPTED = "Accepted"


def now() -> str:
    """The time as OCPP writes it."""
    return datetime.now(UTC).isoformat()


class Plain16(ChargePoint16):  # type: ignore[misc]  # the package carries no types
    """A 1.6 central system that says yes."""

    @on("BootNotification")
    def on_boot(self, **_: Any) -> results16.BootNotification:
        return results16.BootNotification(current_time=now(), interval=300, status=ACCEPTED)

    @on("StatusNotification")
    def on_status(self, **_: Any) -> results16.StatusNotification:
        return results16.StatusNotification()

    @on("StartTransaction")
    def on_start(self, **_: Any) -> results16.StartTransaction:
        number = next(transaction_numbers)
        return results16.StartTransaction(transaction_id=number, id_tag_info={"status": ACCEPTED})

    @on("MeterValues")
    def on_meter_values(self, **_: Any) -> results16.MeterValues:
        return results16.MeterValues()

    @on("StopTransaction")
    def on_stop(self, **_: Any) -> results16.StopTransaction:
        return results16.StopTransaction()


class Plain201(ChargePoint201):  # type: ignore[misc]  # the package carries no types
    """A 2.0.1 CSMS that says yes."""

    @on("BootNotification")
    def on_boot(self, **_: Any) -> results201.BootNotification:
        return results201.BootNotification(current_time=now(), interval=300, status=ACCEPTED)

    @on("StatusNotification")
    def on_status(self, **_: Any) -> results201.StatusNotification:
        return results201.StatusNotification()

    @on("TransactionEvent")
    def on_transaction_event(self, **_: Any) -> results201.TransactionEvent:
        return results201.TransactionEvent()


SPEAKS: dict[str, Any] = {"ocpp1.6": Plain16, "ocpp2.0.1": Plain201}


async def on_connect(connection: websockets.ServerConnection) -> None:
    """Serve one station until it leaves."""
    assert connection.request is not None
    identity = connection.request.path.rpartition("/")[2]
    station = SPEAKS[str(connection.subprotocol)](identity, connection)
    try:
        await station.start()
    except websockets.ConnectionClosed:
        return  # the benchmark drops its connections


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    subprotocols = [websockets.Subprotocol(name) for name in SPEAKS]
    async with websockets.serve(on_connect, "127.0.0.1", port, subprotocols=subprotocols) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
