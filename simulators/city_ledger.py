"""What a city platform keeps: every order once with its versions, connector states, hourly totals."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

LATEST = 20

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  sort TEXT NOT NULL, operator TEXT NOT NULL, key TEXT NOT NULL,
  energy_wh INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
  disputed INTEGER NOT NULL,
  versions INTEGER NOT NULL, received INTEGER NOT NULL,
  first_at TEXT NOT NULL, last_at TEXT NOT NULL,
  PRIMARY KEY (sort, operator, key)
) STRICT;
CREATE TABLE IF NOT EXISTS versions (
  sort TEXT NOT NULL, operator TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (sort, operator, key, version)
) STRICT;
CREATE TABLE IF NOT EXISTS connectors (
  operator TEXT NOT NULL, connector_id TEXT NOT NULL, status INTEGER NOT NULL,
  received INTEGER NOT NULL DEFAULT 1, at TEXT NOT NULL,
  PRIMARY KEY (operator, connector_id)
) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
"""


class Ledger:
    """A SQLite file, or memory when `file` is None. An order or hour sent again is counted, not stored twice.

    The same entry with other contents is a new version; the one with the highest revision stands, the
    later one among equals.
    """

    def __init__(self, file: Path | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file or ":memory:", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        self._now = now

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def take_order(self, operator: str, order: dict[str, Any], disputed: bool = False) -> str:
        """`new`, `duplicate` or `version`."""
        revision = int(order.get("Revision", 1))
        wh = watt_hours(order["TotalPower"])
        with self._db:
            return self._take(("order", operator, order["StartChargeSeq"]), order, wh, revision, disputed)

    def take_hour(self, operator: str, stats: dict[str, Any]) -> str:
        """`new`, `duplicate` or `version`."""
        # An hour's own operator where it is told, so that one account may report for several.
        owner = str(stats.get("OperatorID", operator))
        key = f"{stats['StationID']}/{stats['StartTime']}"
        revision = int(stats.get("Revision", 1))
        with self._db:
            return self._take(("hour", owner, key), stats, watt_hours(stats["StationElectricity"]), revision)

    def take_status(self, operator: str, connector_id: str, status: int) -> None:
        """The connector's latest state."""
        with self._db:
            self._db.execute(
                "INSERT INTO connectors VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE "
                "SET status = excluded.status, received = received + 1, at = excluded.at",
                (operator, connector_id, status, self._stamp()),
            )

    def count(self, name: str) -> None:
        """One more of `name`."""
        with self._db:
            self._db.execute(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (name,)
            )

    def summary(self) -> dict[str, Any]:
        """Everything in numbers, and the latest orders."""
        by_status = self._db.execute(
            "SELECT status, count(*) FROM connectors GROUP BY status ORDER BY status"
        )
        connectors, received = self._db.execute("SELECT count(*), total(received) FROM connectors").fetchone()
        return {
            "orders": self._numbers("order"),
            "hours": self._numbers("hour"),
            "statuses": {
                "received": int(received),
                "connectors": connectors,
                "by_status": {str(status): n for status, n in by_status},
            },
            "counters": dict(self._db.execute("SELECT name, n FROM counters ORDER BY name").fetchall()),
            "latest_orders": self._entries("order", "ORDER BY last_at DESC, rowid DESC LIMIT ?", (LATEST,)),
        }

    def orders(self) -> list[dict[str, Any]]:
        """Every order, in the order of its first arrival."""
        return self._entries("order", "ORDER BY rowid")

    def hours(self) -> list[dict[str, Any]]:
        """Every hourly total, in the order of its first arrival."""
        return self._entries("hour", "ORDER BY rowid")

    def history(self, seq: str) -> list[dict[str, Any]]:
        """Every version of one order, oldest first."""
        rows = self._db.execute(
            "SELECT version, body, at FROM versions WHERE sort = 'order' AND key = ? ORDER BY version", (seq,)
        )
        return [{"version": version, "at": at, "body": json.loads(body)} for version, body, at in rows]

    def connectors(self) -> dict[str, int]:
        """The latest status of every connector."""
        return dict(self._db.execute("SELECT connector_id, status FROM connectors ORDER BY 1").fetchall())

    def _take(
        self, key: tuple[str, str, str], body: dict[str, Any], wh: int, revision: int, disputed: bool = False
    ) -> str:
        text, at = json.dumps(body, default=float, ensure_ascii=False, sort_keys=True), self._stamp()
        where = "WHERE sort = ? AND operator = ? AND key = ?"
        seen = self._db.execute(f"SELECT body, revision, versions FROM entries {where}", key).fetchone()
        if seen is None:
            self._db.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?)",
                (*key, wh, revision, text, disputed, at, at),
            )
            self._db.execute("INSERT INTO versions VALUES (?, ?, ?, 1, ?, ?)", (*key, text, at))
            return "new"
        self._db.execute(f"UPDATE entries SET received = received + 1, last_at = ? {where}", (at, *key))
        known = self._db.execute(f"SELECT 1 FROM versions {where} AND body = ?", (*key, text)).fetchone()
        if known:
            return "duplicate"
        self._db.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)", (*key, seen["versions"] + 1, text, at)
        )
        self._db.execute(f"UPDATE entries SET versions = versions + 1 {where}", key)
        if revision >= seen["revision"]:
            self._db.execute(
                f"UPDATE entries SET energy_wh = ?, revision = ?, body = ?, disputed = ? {where}",
                (wh, revision, text, disputed, *key),
            )
        return "version"

    def _numbers(self, sort: str) -> dict[str, int]:
        row = self._db.execute(
            "SELECT count(*), total(received), total(versions - 1), total(disputed), total(energy_wh) "
            "FROM entries WHERE sort = ?",
            (sort,),
        ).fetchone()
        accepted, received, corrections, disputed, energy_wh = map(int, row)
        return {
            "accepted": accepted,
            "received": received,
            "duplicates": received - accepted - corrections,
            "corrections": corrections,
            "disputed": disputed,
            "energy_wh": energy_wh,
        }

    def _entries(self, sort: str, tail: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        rows = self._db.execute(f"SELECT * FROM entries WHERE sort = ? {tail}", (sort, *values))
        return [
            {
                **{
                    name: row[name]
                    for name in ("operator", "key", "energy_wh", "revision", "versions", "received")
                },
                "disputed": bool(row["disputed"]),
                "first_at": row["first_at"],
                "last_at": row["last_at"],
                "body": json.loads(row["body"]),
            }
            for row in rows
        ]

    def _stamp(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def watt_hours(kwh: object) -> int:
    """Whole Wh of a number in kWh. Raises ValueError."""
    if isinstance(kwh, bool) or not isinstance(kwh, int | Decimal):
        raise ValueError("not a number")
    return int(Decimal(kwh) * 1000)
