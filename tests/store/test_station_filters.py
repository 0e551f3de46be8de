"""Filters select what they say, in every order and page by page; their plans read no whole table."""

import random
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from csms.errors import InvalidInput
from csms.store import station_queries
from csms.store.database import Database
from csms.store.device_tables import connectors
from csms.store.devices import DeviceStore, StationFilter
from csms.store.tables import charging_stations
from tests.store.many_stations import fill_stations

STATIONS = 6_000
F = StationFilter
FILTERS: dict[str, tuple[StationFilter, Any]] = {
    "all": (F(), lambda s: True),
    "operator": (F(operator="OPERATOR3"), lambda s: s["operator_id"] == 4),
    "site": (F(site="S00123"), lambda s: s["site_id"] == 123),
    "online": (F(state="online"), lambda s: s["state"] == "online"),
    "offline": (F(state="offline"), lambda s: s["state"] == "offline"),
    "never seen": (F(state="never-seen"), lambda s: s["state"] == "never-seen"),
    "district": (F(district="110105"), lambda s: s["site_id"] % 16 == 5),
    "city": (F(district="1101"), lambda s: True),
    "available": (F(connector="available"), lambda s: "available" in s["statuses"]),
    "faulted": (F(connector="faulted"), lambda s: "faulted" in s["statuses"]),
    "fault": (F(has_fault=True), lambda s: "faulted" in s["statuses"]),
    "no fault": (F(has_fault=False), lambda s: "faulted" not in s["statuses"]),
    "version": (F(version="ocpp2.1"), lambda s: s["ocpp_version"] == "ocpp2.1"),
    "vendor": (F(vendor="Gamma"), lambda s: s["vendor"] == "Gamma"),
    "model": (F(vendor="Beta", model="AC-7"), lambda s: s["model"] == "AC-7"),
    "firmware": (F(firmware="1.2.3"), lambda s: s["firmware_version"] == "1.2.3"),
    "pending": (F(registration="pending"), lambda s: s["boot_status"] == "pending"),
    "disabled": (F(registration="disabled"), lambda s: not s["enabled"]),
    "prefix of all": (F(prefix="cs-"), lambda s: True),
    "prefix": (F(prefix="cs-00012"), lambda s: s["identity"].startswith("CS-00012")),
    "name": (F(prefix="Charger 77"), lambda s: s["name"].startswith("Charger 77")),
    "serial": (F(prefix="sn01"), lambda s: s["serial_number"].startswith("SN01")),
    "percent": (F(prefix="CS-%"), lambda s: False),
    "several": (
        F(operator="OPERATOR3", state="offline", connector="charging", vendor="Alpha"),
        lambda s: (
            s["operator_id"] == 4
            and s["state"] == "offline"
            and "charging" in s["statuses"]
            and s["vendor"] == "Alpha"
        ),
    ),
    "retired": (F(retired=True), lambda s: False),
}
RANK = {"online": 0, "offline": 1, "never-seen": 2}
ORDERS = {
    "identity": lambda s: s["identity"],
    "last-seen": lambda s: (-(s["last_seen_at"] or 0), -s["station_id"]),
    "state": lambda s: (RANK[s["state"]], s["identity"]),
}


@pytest.fixture
async def network(database: Database) -> tuple[Database, list[dict[str, Any]]]:
    """Thousands of stations, and what is true of them."""
    await fill_stations(database, STATIONS)
    found = {row.station_id: dict(row._mapping) for row in await database.read(charging_stations.select())}
    for row in found.values():
        row["statuses"] = set()
        seen = row["connected_at"] is not None
        row["state"] = ("online" if row["disconnected_at"] is None else "offline") if seen else "never-seen"
    for row in await database.read(connectors.select()):
        found[row.station_id]["statuses"].add(row.status)
    return database, list(found.values())


async def test_each_filter_in_each_order(network: tuple[Database, list[dict[str, Any]]]) -> None:
    """The pages together are what is true, each station once, in order; the counts agree."""
    database, stations = network
    devices, chance = DeviceStore(database), random.Random(3)

    for name, (wanted, is_so) in FILTERS.items():
        right = [station for station in stations if is_so(station)]
        for sort, key in ORDERS.items():
            expected = [station["identity"] for station in sorted(right, key=key)][:900]
            found: list[str] = []
            after, most = None, chance.randint(150, 400)
            while len(found) < 900:
                page = await devices.find(wanted, after, most, sort)
                found += [item["identity"] for item in page.items]
                after = page.next
                if after is None:
                    break
            assert found[:900] == expected, (name, sort)
        counts = (await devices.counts(wanted))["stations"]
        by_state = {state: sum(s["state"] == state for s in right) for state in RANK}
        assert counts == by_state, name


async def test_words_that_are_none(database: Database) -> None:
    """They are named, not ignored."""
    devices = DeviceStore(database)
    for wanted, sort in ((F(state="x"), "identity"), (F(registration="x"), "identity"), (F(), "x")):
        with pytest.raises(InvalidInput):
            await devices.find(wanted, None, 10, sort)


async def test_plans_use_indexes(database: Database) -> None:
    """By identity, no filter reads the table of stations from end to end, nor sorts it, on SQLite; on
    PostgreSQL none does once there are many.
    """
    await fill_stations(database, STATIONS)
    plans: dict[str, str] = {}

    for name, (wanted, _) in FILTERS.items():
        plans[name] = await database.look(lambda c, w=wanted: _plan(w, c))
    whole = "SCAN charging_stations\n" if database.dialect == "sqlite" else "Seq Scan on charging_stations"

    wrong = {name: plan for name, plan in plans.items() if whole in plan}
    assert wrong == {}


def _plan(wanted: StationFilter, connection: Any) -> str:
    query = station_queries.SHOWN.where(*station_queries.conditions(wanted, connection))
    query = query.order_by(charging_stations.c.identity).limit(101)
    compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}".replace(":", "\\:"))).all()
        return "".join(f"{row.detail}\n" for row in rows)
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    rows = connection.execute(text(f"EXPLAIN {compiled}".replace(":", "\\:"))).all()
    return "".join(f"{row[0]}\n" for row in rows)


async def test_a_page_is_quick(network: tuple[Database, list[dict[str, Any]]]) -> None:
    """A generous floor at 6,000 stations; `tests.bench.lists` measures 100,000."""
    devices = DeviceStore(network[0])
    slow = {}
    for name, (wanted, _) in FILTERS.items():
        for sort in ORDERS:
            took = []
            for _ in range(3):
                begun = time.perf_counter()
                await devices.find(replace(wanted), None, 100, sort)
                took.append(time.perf_counter() - begun)
            if min(took) > 0.3:
                slow[name, sort] = min(took)
    assert slow == {}
