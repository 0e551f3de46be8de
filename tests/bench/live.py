"""`make bench-live`: what an Overview that somebody has open costs the server, under 1,000 messages/s.

Stretches without and with an open page take turns at the same fixed rate on one server, and processor time
is the server's own, from /proc. The page is opened as a browser opens it, document and socket, but nothing is
drawn: a browser's work, on a core whose units and caches the server shares, would make each of the server's
instructions dearer. Quoted is the median of the differences of neighbours, and how far it may be off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench import process
from tests.bench.load import Order, connected, hold
from tests.bench.servers import PASSWORD, SETTINGS, SITE
from tests.bench.stations import Station
from tests.bench.viewer import viewing
from tests.serverkit import CsmsServer

PER_S = 1_000.0
STATIONS = 400  # each has some 1,000 messages to tell
LEAST_SENT = 0.95
ROUNDS = 12
SETTLE_S = 2.0
START_WITHIN_S = 120.0  # a machine may be busy with other things
FRESH_WITHIN_S = 60.0  # the page lives
MOST_SHARE = 1.0  # per cent of a core
# Nobody has to sign in, and what is kept fresh is the same.
PUBLIC = SETTINGS | {"http": {"status_page": "public"}}


@dataclass(frozen=True, slots=True)
class Finding:
    """Processor time of the server in per cent of a core: without the page, and what it costs in addition."""

    per_s: float
    without: float
    with_page: float
    more: float
    off: float | None
    """The standard error of `more`; None of a single round."""
    rounds: list[tuple[float, float]]


@asynccontextmanager
async def serving(place: Path, stations: int) -> AsyncIterator[tuple[CsmsServer, list[str]]]:
    """A server with its stations registered."""
    identities = [f"BENCH-{number:05d}" for number in range(stations)]
    server = CsmsServer(place, PUBLIC)
    await server.start(within_s=START_WITHIN_S)
    try:
        await server.add_site(SITE)
        await server.add_stations(identities, PASSWORD, SITE)
        await server.add_tokens(identities)
        yield server, identities
    finally:
        await server.stop()


async def measure(seconds: float, rounds: int, stations: int, per_s: float) -> Finding:
    """All stretches, each of `seconds`. Raises what the load raises."""
    with tempfile.TemporaryDirectory(prefix="csms-live-") as name:
        place = Path(name)
        async with serving(_made(place / "server"), stations) as (server, identities):
            order = Order(
                server.gateway_port, "/ocpp", "1.6", identities, PASSWORD, server.pid, seconds, 10**9
            )
            load = await connected(order)
            pairs = [
                (await _share(order, load, per_s), await _open(order, load, per_s, server))
                for _ in range(rounds)
            ]
    less, more = [one for one, _ in pairs], [other for _, other in pairs]
    differences = [other - one for one, other in pairs]
    off = statistics.stdev(differences) / len(pairs) ** 0.5 if len(pairs) > 1 else None
    return Finding(
        per_s, statistics.median(less), statistics.median(more), statistics.median(differences), off, pairs
    )


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


async def _share(order: Order, load: list[Station], per_s: float) -> float:
    """Per cent of a core that the server has used."""
    began, clock = process.cpu_s(order.server_pid), asyncio.get_running_loop().time
    since = clock()
    held = await hold(order, load, per_s)
    if held.messages < LEAST_SENT * per_s * order.seconds:
        raise SystemExit(f"{held.messages} messages in {order.seconds:g} s: more stations are needed")
    return 100 * (process.cpu_s(order.server_pid) - began) / (clock() - since)


async def _open(order: Order, load: list[Station], per_s: float, server: CsmsServer) -> float:
    """The same while the page is open and lives: it has to have been kept fresh."""
    async with viewing(server.http_url) as viewer:
        await asyncio.sleep(SETTLE_S)
        before = viewer.updates
        share = await _share(order, load, per_s)
        async with asyncio.timeout(FRESH_WITHIN_S):
            while viewer.updates == before:  # noqa: ASYNC110 - it counts, and has no event of it
                await asyncio.sleep(SETTLE_S / 4)
    await asyncio.sleep(SETTLE_S)
    return share


def main() -> int:
    """Measure, print, say by the exit code whether the aim is met."""
    parser = argparse.ArgumentParser(prog="make bench-live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each stretch")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stations", type=int, default=STATIONS)
    parser.add_argument("--rate", type=float, default=PER_S, help="messages a second")
    given = parser.parse_args()
    found = asyncio.run(measure(given.seconds, given.rounds, given.stations, given.rate))
    print(json.dumps(asdict(found)))
    off = "?" if found.off is None else f"{found.off:.2f}"
    print(
        f"an open Overview costs {found.more:.2f} % of a core (give or take {off}) at"
        f" {found.per_s:,.0f} messages/s, which alone cost {found.without:.1f} %"
    )
    return 0 if found.more < MOST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
