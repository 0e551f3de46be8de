"""A large network for lists: stations of many makes, places and states, put down in bulk."""

import random
from typing import Any

from sqlalchemy import Connection, insert, text

from csms.store.asset_tables import site_assets
from csms.store.database import Database
from csms.store.device_tables import connectors
from csms.store.tables import charging_stations, operators, sites

OPERATORS, SITES_EACH, DISTRICTS = 10, 100, 16
MAKES = [("Alpha", "DC-60"), ("Alpha", "DC-120"), ("Beta", "AC-7"), ("Beta", "AC-22"), ("Gamma", "HPC-400")]
FIRMWARE = [f"1.{minor}.{patch}" for minor in range(4) for patch in range(5)]
VERSIONS = ["ocpp1.6", "ocpp1.6", "ocpp2.0.1", "ocpp2.1", None]
STATUSES = ["available"] * 12 + ["charging"] * 6 + ["preparing", "finishing", "unavailable", "occupied"]
START = 1_767_225_600_000_000
PART = 5_000


async def fill_stations(database: Database, number: int, seed: int = 7) -> None:
    """`number` stations with two connectors each; one in a thousand connectors is faulted."""
    chance = random.Random(seed)
    await database.run(_places)
    for first in range(0, number, PART):
        rows = [_station(n, chance) for n in range(first, min(number, first + PART))]
        plugs = [_connector(row["station_id"], evse, chance) for row in rows for evse in (1, 2)]
        await database.run(lambda c, rows=rows, plugs=plugs: _put(rows, plugs, c))
    if database.dialect == "postgresql":
        await database.run(lambda c: c.execute(text("ANALYZE")))


def _put(rows: list[dict[str, Any]], plugs: list[dict[str, Any]], connection: Connection) -> None:
    connection.execute(insert(charging_stations), rows)
    connection.execute(insert(connectors), plugs)


def _places(connection: Connection) -> None:
    for n in range(OPERATORS):
        operator = {"operator_id": n + 1, "code": f"OPERATOR{n}", "name": f"Operator {n}"}
        connection.execute(insert(operators), operator | {"time_zone": "Asia/Shanghai"})
        where = [n * SITES_EACH + m + 1 for m in range(SITES_EACH)]
        places = [
            {"site_id": s, "operator_id": n + 1, "code": f"S{s:05}", "name": f"Site {s}"} for s in where
        ]
        connection.execute(insert(sites), places)
        told = [
            {
                "site_id": s,
                "operator_id": n + 1,
                "attributes": f'{{"area_code":"1101{s % DISTRICTS:02}"}}',
                "changed_at": START,
            }
            for s in where
        ]
        connection.execute(insert(site_assets), told)


def _station(n: int, chance: random.Random) -> dict[str, Any]:
    site = chance.randrange(OPERATORS * SITES_EACH)
    vendor, model = chance.choice(MAKES)
    seen = START + chance.randrange(86_400_000_000)
    version = chance.choice(VERSIONS)
    is_online = chance.random() < 0.9
    return {
        "station_id": n + 1,
        "identity": f"CS-{(n * 7919) % 1_000_003:07}",
        "site_id": site + 1,
        "operator_id": site // SITES_EACH + 1,
        "boot_status": "pending" if n % 500 == 0 else "accepted",
        "enabled": int(n % 1000 != 1),
        "vendor": vendor,
        "model": model,
        "serial_number": f"SN{chance.randrange(10**9):09}",
        "firmware_version": chance.choice(FIRMWARE),
        "boot_details": '{"reason":"PowerUp","iccid":"89860012345678901234","imsi":"460001234567890"}',
        "name": f"Charger {n}",
        "ocpp_version": version,
        "connected_at": None if version is None and n % 100 == 0 else START,
        "disconnected_at": None if is_online else seen,
        "last_seen_at": seen,
        "created_at": START,
    }


def _connector(station_id: int, evse: int, chance: random.Random) -> dict[str, Any]:
    is_faulted = chance.random() < 0.001
    return {
        "station_id": station_id,
        "evse": evse,
        "connector": 1,
        "status": "faulted" if is_faulted else chance.choice(STATUSES),
        "error_code": "GroundFailure" if is_faulted else "",
        "info": "",
        "vendor_error": "",
        "since": START,
        "received_at": START,
    }
