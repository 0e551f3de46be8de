"""How long lists and counts of 100,000 stations take: `python -m tests.bench.lists URL [STATIONS]`.

The database is made and filled when it is empty. Prints p50 and p95 in ms of each filter, over all orders.
"""

import asyncio
import statistics
import sys
import time

from sqlalchemy import func, select

from csms.store.database import Database
from csms.store.devices import DeviceStore, StationFilter
from csms.store.migrations import upgrade_database
from csms.store.tables import charging_stations
from tests.store.many_stations import fill_stations
from tests.store.test_station_filters import FILTERS, ORDERS

TURNS = 10


async def pages_ms(devices: DeviceStore, wanted: StationFilter) -> list[float]:
    """Times of the first and second pages in each order."""
    took = []
    for sort in ORDERS:
        for _ in range(TURNS):
            after = None
            for _ in range(2):
                begun = time.perf_counter()
                page = await devices.find(wanted, after, 100, sort)
                took.append((time.perf_counter() - begun) * 1_000)
                after = page.next
                if after is None:
                    break
    return sorted(took)


async def counts_ms(devices: DeviceStore, wanted: StationFilter) -> float:
    """The median time of the counts."""
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        await devices.counts(wanted)
        took.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(took)


async def measure(url: str, stations: int) -> None:
    """Fill, warm up, measure, print."""
    database = await Database.open(url)
    await upgrade_database(database)
    (row,) = await database.read(select(func.count().label("n")).select_from(charging_stations))
    if row.n == 0:
        await fill_stations(database, stations)
    devices = DeviceStore(database)
    print(f"{'filter':16} {'p50':>6} {'p95':>6} {'counts':>7}")
    for name, (wanted, _) in FILTERS.items():
        took, counts = await pages_ms(devices, wanted), await counts_ms(devices, wanted)
        middle, high = took[len(took) // 2], took[int(len(took) * 0.95)]
        print(f"{name:16} {middle:6.0f} {high:6.0f} {counts:7.0f}")
    await database.close()


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000))
