"""The city's registry, made in the database beforehand, and what the database holds of the city afterwards.

One charger is registered over the API; the others are its copies, so that 115,100 of them take a second.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.bench.city.quarter import identity_of

STATION = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO charging_stations (identity, site_id, operator_id, boot_status, security_profile,
    highest_profile, salt, password_hash, created_at)
SELECT printf('CITY-%06d', i), site_id, operator_id, boot_status, security_profile, highest_profile, salt,
       password_hash, created_at
FROM charging_stations, n WHERE identity = ?
"""
TOKEN = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO id_tokens (folded, token, type, status, concurrent_limit, updated_at)
SELECT printf('city-%06d', i), printf('CITY-%06d', i), type, status, concurrent_limit, updated_at
FROM id_tokens, n WHERE token = ?
"""
SESSIONS = """
SELECT c.identity, COUNT(*), SUM(s.energy_wh), SUM(s.state = 'ended')
FROM sessions s JOIN charging_stations c ON c.station_id = s.station_id GROUP BY c.identity
"""
# A 2.x session's end is a message of its own kind; its values are those in between, as in 1.6.
VALUES = """
SELECT c.identity, COUNT(*) FROM session_messages m JOIN sessions s ON s.session_id = m.session_id
JOIN charging_stations c ON c.station_id = s.station_id WHERE m.kind = 'metered' GROUP BY c.identity
"""
HOURS = "SELECT SUM(energy_wh), SUM(sessions) FROM totals WHERE period = 'hour' AND level = 'operator'"
DUE = "SELECT COUNT(*) FROM session_due"


def enlarge(file: Path, chargers: int) -> None:
    """Copy the first charger and its token until there are so many."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in (STATION, TOKEN):
            connection.execute(statement, (chargers - 1, identity_of(0)))


def is_settled(file: Path) -> bool:
    """Whether every ended session is priced and in the totals."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(DUE).fetchone() == (0,)


def differences(file: Path, charged: dict[str, tuple[int, int]]) -> list[str]:
    """Where the database is not what was acknowledged, a line each."""
    with closing(sqlite3.connect(file)) as connection:
        sessions = {identity: row for identity, *row in connection.execute(SESSIONS)}
        values = dict(connection.execute(VALUES).fetchall())
        hours = connection.execute(HOURS).fetchone()
    found = [
        f"{identity}: {values.get(identity, 0)} values, {sessions.get(identity)} of {told}"
        for identity, told in charged.items()
        if values.get(identity, 0) != told[0] or sessions.get(identity) != [1, told[1], 1]
    ]
    truth = (sum(wh for _, wh in charged.values()), len(charged))
    if hours != truth:
        found.append(f"hourly totals: {hours} Wh and sessions, in truth {truth}")
    if extra := sessions.keys() - charged.keys():
        found.append(f"sessions nobody had: {sorted(extra)[:5]}")
    return found
