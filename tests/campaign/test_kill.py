"""A fleet charges while the server is killed with SIGKILL, twice: history, file and city agree to the Wh."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tests.campaign.conftest import Serve
from tests.campaign.fleet import (
    FLEET_WITHIN_S,
    SEED,
    SESSIONS,
    STATIONS,
    every,
    exit_code,
    has_acknowledged,
    made,
)
from tests.campaign.kit import start, until
from tests.clients.city import City
from tests.serverkit import CsmsServer

KILLS = 2
ACKNOWLEDGED = range(50, 900)  # answers after which a kill comes; this fleet wants some 1,200
DRAINED_WITHIN_S = 60.0


async def test_kill_9_under_a_charging_fleet(serve: Serve, tmp_path: Path) -> None:
    """The fleet misses nothing, SQLite finds its file sound, the city has every order once."""
    city = City(tmp_path)
    await city.start()
    platform = city.platform | {"profile": "simulated"}
    csms = serve({"reporting": {"platforms": [platform], "poll_s": 0.2, "outbox_lease_s": 5}})
    journal = tmp_path / "fleet.jsonl"
    fleet = made(csms, journal)
    try:
        await start(csms)
        fleet.spawn()
        for moment in sorted(Random(SEED).sample(ACKNOWLEDGED, KILLS)):
            await until(partial(has_acknowledged, fleet, journal, moment), FLEET_WITHIN_S)
            csms.kill()
            await csms.start()
        assert await until(partial(exit_code, fleet), FLEET_WITHIN_S) == [0]
        await until(partial(is_drained, csms, city), DRAINED_WITHIN_S)

        sessions = await every(csms, "sessions")
        assert len(sessions) >= STATIONS * SESSIONS
        assert_told_once(sessions, await every(csms, "outbox", kind="charge-order"), await city.orders())
        assert await csms.stop() == 0
        assert questioned(csms.database_file, "PRAGMA integrity_check") == "ok"
        assert questioned(csms.database_file, "PRAGMA foreign_key_check") is None
    finally:
        fleet.kill()
        city.child.kill()
        print(fleet.log_tail(), city.child.log_tail(2_000))


def assert_told_once(
    sessions: list[dict[str, Any]], outbox: list[dict[str, Any]], orders: list[dict[str, Any]]
) -> None:
    """Every revision of every order was owed once and is the city's; the sums are the same."""
    ended = {one["session_id"]: one for one in sessions if one["state"] == "ended"}
    told: dict[str, list[int]] = {key: [] for key in ended}
    for row in outbox:
        key, _, revision = row["about"].partition("/")
        told[key].append(int(revision))
    assert all(sorted(revisions) == list(range(1, len(revisions) + 1)) for revisions in told.values())
    assert {row["state"] for row in outbox} == {"sent"}
    known = {order["key"]: (order["energy_wh"], order["revision"], order["versions"]) for order in orders}
    assert known == {
        one["start_charge_seq"]: (one["energy_wh"], len(told[key]), len(told[key]))
        for key, one in ended.items()
    }
    assert len(known) == len(orders)
    assert sum(order["energy_wh"] for order in orders) == sum(one["energy_wh"] for one in ended.values())


async def is_drained(csms: CsmsServer, city: City) -> bool:
    """Whether nothing is owed to the city any more: nothing waits, nor is yet to be settled."""
    if (await csms.get("outbox", state="waiting", limit=1))["items"]:
        return False
    ended = {
        one["start_charge_seq"]: one["energy_wh"] for one in await every(csms, "sessions", state="ended")
    }
    return ended == {order["key"]: order["energy_wh"] for order in await city.orders()}


def questioned(file: Path, pragma: str) -> Any:
    """The first word of SQLite's answer; None where it gives no row."""
    connection = sqlite3.connect(file)
    try:
        row = connection.execute(pragma).fetchone()
        return row[0] if row else None
    finally:
        connection.close()
