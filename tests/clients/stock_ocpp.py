"""A charging station made of the stock `ocpp` package and `websockets`. `python -m tests.clients.stock_ocpp`

Reads {url, identity, password, version, story} as one line of JSON, tells the
story, and writes one line for each answer, then {"told": true}, then one line
for each command it is asked to carry out. Ends when its input is closed. Every
message is validated by the package in both directions.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from importlib import import_module
from typing import Any

import websockets
from ocpp.charge_point import camel_to_snake_case, serialize_as_dict
from ocpp.routing import on

from tests.clients.stories import TRANSACTION

MODULES = {"1.6": "ocpp.v16", "2.0.1": "ocpp.v201", "2.1": "ocpp.v21"}
# What a server may ask of any station after boot, and what this one answers. The package leaves a call of
# 2.1 that has no handler without any answer, which no real station may do.
ANSWERS: dict[str, dict[str, Any]] = {
    "RemoteStartTransaction": {"status": "Accepted"},
    "RequestStartTransaction": {"status": "Accepted"},
    "TriggerMessage": {"status": "NotImplemented"},
    "ChangeConfiguration": {"status": "NotSupported"},
    "GetConfiguration": {"configuration_key": [], "unknown_key": []},
    "GetBaseReport": {"status": "NotSupported"},
}


def say(**what: Any) -> None:
    """One line for the test."""
    print(json.dumps(what), flush=True)


def station_class(version: str) -> type[Any]:
    """The package's ChargePoint of this version with the answers above as its handlers."""
    package = import_module(MODULES[version])

    def handler(action: str, answer: dict[str, Any]) -> Any:
        def handle(_self: Any, **asked: Any) -> Any:
            say(asked=action, payload=asked)
            return getattr(package.call_result, action)(**answer)

        # The package finds handlers by the names of their functions.
        handle.__name__ = f"on_{action}"
        return on(action)(handle)

    handlers = {
        f"on_{action}": handler(action, answer)
        for action, answer in ANSWERS.items()
        if hasattr(package.call_result, action)
    }
    return type("Station", (package.ChargePoint,), handlers)


async def tell(station: Any, version: str, story: list[tuple[str, dict[str, Any]]]) -> None:
    """Call after call; raises what the package raises for an error or an invalid answer."""
    calls = import_module(f"{MODULES[version]}.call")
    transaction = 0
    for action, payload in story:
        if payload.get("transactionId") == TRANSACTION:
            payload["transactionId"] = transaction
        answer = await station.call(getattr(calls, action)(**camel_to_snake_case(payload)), suppress=False)
        transaction = getattr(answer, "transaction_id", transaction)
        say(did=action, answer=serialize_as_dict(answer))


async def main() -> None:
    """One connection, one story."""
    order = json.loads(await asyncio.to_thread(sys.stdin.readline))
    secret = base64.b64encode(f"{order['identity']}:{order['password']}".encode()).decode()
    subprotocol = websockets.Subprotocol(f"ocpp{order['version']}")
    async with websockets.connect(
        f"{order['url']}/{order['identity']}",
        subprotocols=[subprotocol],
        additional_headers={"Authorization": f"Basic {secret}"},
    ) as connection:
        station = station_class(order["version"])(order["identity"], connection)
        reading = asyncio.create_task(station.start())
        await tell(station, order["version"], order["story"])
        say(told=True)
        await asyncio.to_thread(sys.stdin.read)
        reading.cancel()


if __name__ == "__main__":
    asyncio.run(main())
