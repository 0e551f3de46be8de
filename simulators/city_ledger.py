"""What a city platform keeps: every order once with its versions, connector states, hourly totals, and more.

Entries of every other sort (results of starts and stops, charging states, alarms, events, stations, power,
checks) are kept like orders, by their own key.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulators.city_fields import Violation
from simulators.city_seal import read_json, write_json

LATEST = 20
ENERGY = ("TotalPower", "TotalElect")

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
CREATE TABLE IF NOT EXISTS states (
  n INTEGER PRIMARY KEY, operator TEXT NOT NULL, connector_id TEXT NOT NULL, status INTEGER NOT NULL,
  body TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS violations (
  n INTEGER PRIMARY KEY, operator TEXT NOT NULL, interface TEXT NOT NULL, key TEXT NOT NULL,
  field TEXT NOT NULL, reason TEXT NOT NULL, verdict TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS falsified (key TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_end ON entries (operator, json_extract(body, '$.EndTime'))
  WHERE sort = 'order';
"""
WHERE = "WHERE sort = ? AND operator = ? AND key = ?"
Key = tuple[str, str, str]  # sort, operator, key


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

    def take(self, key: Key, body: dict[str, Any], wh: int = 0, disputed: bool = False) -> str:
        """`new`, `duplicate` or `version`."""
        revision = body.get("Revision", 1)
        with self._db:
            told = self._take(key, body, wh, revision, disputed)
            self._alter(key)
        return told

    def take_status(self, operator: str, info: dict[str, Any]) -> None:
        """A connector's state: the latest of each, and every one in the order it came."""
        connector, status, at = info["ConnectorID"], info["Status"], self._stamp()
        with self._db:
            self._db.execute(
                "INSERT INTO connectors VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE "
                "SET status = excluded.status, received = received + 1, at = excluded.at",
                (operator, connector, status, at),
            )
            self._db.execute(
                "INSERT INTO states (operator, connector_id, status, body, at) VALUES (?, ?, ?, ?, ?)",
                (operator, connector, status, write_json(info), at),
            )

    def note(self, key: Key, verdict: str, violations: Iterable[Violation]) -> None:
        """What was wrong with a message, and what became of it (`4004` or `disputed`). `key` by interface."""
        interface, operator, name = key
        rows = [(operator, interface, name, *one, verdict, self._stamp()) for one in violations]
        with self._db:
            self._db.executemany(
                "INSERT INTO violations (operator, interface, key, field, reason, verdict, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def count(self, name: str) -> None:
        """One more of `name`."""
        with self._db:
            self._db.execute(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (name,)
            )

    def falsify(self, seq: str) -> None:
        """Keep this order wrong by 1 kWh and 1 CNY, now or once it comes; its versions stay true."""
        with self._db:
            added = self._db.execute("INSERT OR IGNORE INTO falsified VALUES (?)", (seq,)).rowcount
            here = self._db.execute("SELECT operator FROM entries WHERE sort = 'order' AND key = ?", (seq,))
            for (operator,) in here.fetchall() if added else []:
                self._alter(("order", operator, seq))

    def summary(self) -> dict[str, Any]:
        """Everything in numbers, and the latest orders."""
        by_status = self._db.execute(
            "SELECT status, count(*) FROM connectors GROUP BY status ORDER BY status"
        )
        connectors, received = self._db.execute("SELECT count(*), total(received) FROM connectors").fetchone()
        return {
            "orders": self.numbers("order"),
            "hours": self.numbers("hour"),
            "others": {sort: self.numbers(sort) for sort in self._other_sorts()},
            "statuses": {
                "received": int(received),
                "connectors": connectors,
                "by_status": {str(status): n for status, n in by_status},
            },
            "violations": self._db.execute("SELECT count(*) FROM violations").fetchone()[0],
            "falsified": [key for (key,) in self._db.execute("SELECT key FROM falsified ORDER BY key")],
            "counters": dict(self._db.execute("SELECT name, n FROM counters ORDER BY name").fetchall()),
            "latest_orders": self._entries(
                "sort = 'order' ORDER BY last_at DESC, rowid DESC LIMIT ?", LATEST
            ),
        }

    def numbers(self, sort: str) -> dict[str, int]:
        """First deliveries (`accepted`), `duplicates` and restatements (`corrections`) of one sort."""
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

    def orders(self) -> list[dict[str, Any]]:
        """Every order, in the order of its first arrival."""
        return self.entries("order")

    def hours(self) -> list[dict[str, Any]]:
        """Every hourly total, in the order of its first arrival."""
        return self.entries("hour")

    def entries(self, sort: str) -> list[dict[str, Any]]:
        """Every entry of one sort, in the order of its first arrival."""
        return self._entries("sort = ? ORDER BY rowid", sort)

    def orders_between(self, operator: str, start: str, end: str) -> list[dict[str, Any]]:
        """An operator's orders that began and ended between two local times, both included."""
        return self._entries(
            "sort = 'order' AND operator = ? AND json_extract(body, '$.EndTime') <= ? "
            "AND json_extract(body, '$.EndTime') >= ? AND json_extract(body, '$.StartTime') >= ? "
            "ORDER BY key",
            *(operator, end, start, start),
        )

    def order(self, operator: str, seq: str) -> dict[str, Any] | None:
        """One order as it stands."""
        return next(iter(self._entries(WHERE.removeprefix("WHERE "), "order", operator, seq)), None)

    def history(self, seq: str, sort: str = "order") -> list[dict[str, Any]]:
        """Every version of one entry, oldest first."""
        rows = self._db.execute(
            "SELECT version, body, at FROM versions WHERE sort = ? AND key = ? ORDER BY version", (sort, seq)
        )
        return [{"version": version, "at": at, "body": json.loads(body)} for version, body, at in rows]

    def connectors(self) -> dict[str, int]:
        """The latest status of every connector."""
        return dict(self._db.execute("SELECT connector_id, status FROM connectors ORDER BY 1").fetchall())

    def states(self) -> list[dict[str, Any]]:
        """Every connector state in the order it came."""
        return self._rows("SELECT operator, connector_id, status, body, at FROM states ORDER BY n")

    def violations(self) -> list[dict[str, Any]]:
        """Everything that was wrong with any message, in the order it came."""
        return self._rows(
            "SELECT operator, interface, key, field, reason, verdict, at FROM violations ORDER BY n"
        )

    def export(self) -> dict[str, Any]:
        """The whole ledger, for comparison with an operator's own records."""
        return {
            "orders": self.orders(),
            "hours": self.hours(),
            "others": {sort: self.entries(sort) for sort in self._other_sorts()},
            "states": self.states(),
            "violations": self.violations(),
            "counters": self.summary()["counters"],
        }

    def _other_sorts(self) -> list[str]:
        rows = self._db.execute(
            "SELECT DISTINCT sort FROM entries WHERE sort NOT IN ('order', 'hour') ORDER BY sort"
        )
        return [sort for (sort,) in rows]

    def _take(self, key: Key, body: dict[str, Any], wh: int, revision: int, disputed: bool) -> str:
        text, at = json.dumps(json.loads(write_json(body)), ensure_ascii=False, sort_keys=True), self._stamp()
        seen = self._db.execute(f"SELECT revision, versions FROM entries {WHERE}", key).fetchone()
        if seen is None:
            self._db.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?)",
                (*key, wh, revision, text, disputed, at, at),
            )
            self._db.execute("INSERT INTO versions VALUES (?, ?, ?, 1, ?, ?)", (*key, text, at))
            return "new"
        self._db.execute(f"UPDATE entries SET received = received + 1, last_at = ? {WHERE}", (at, *key))
        if self._is_known(key, text, revision, seen["revision"]):
            if not disputed and revision >= seen["revision"]:
                # What was disputed and is accepted now, unchanged, is disputed no longer.
                self._db.execute(f"UPDATE entries SET disputed = 0 {WHERE}", key)
            return "duplicate"
        self._db.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)", (*key, seen["versions"] + 1, text, at)
        )
        self._db.execute(f"UPDATE entries SET versions = versions + 1 {WHERE}", key)
        if revision >= seen["revision"]:
            self._db.execute(
                f"UPDATE entries SET energy_wh = ?, revision = ?, body = ?, disputed = ? {WHERE}",
                (wh, revision, text, disputed, *key),
            )
        return "version"

    def _is_known(self, key: Key, text: str, revision: int, highest: int) -> bool:
        """Whether this says nothing new. Back to an earlier statement is new: figures may be mended twice."""
        if revision >= highest:
            return bool(text == self._standing(key))
        older = self._db.execute(f"SELECT 1 FROM versions {WHERE} AND body = ?", (*key, text))
        return older.fetchone() is not None

    def _standing(self, key: Key) -> str:
        """The version that stands, as it was told: of the highest revision, the later among equals."""
        row = self._db.execute(
            f"SELECT body FROM versions {WHERE} "
            "ORDER BY coalesce(json_extract(body, '$.Revision'), 1) DESC, version DESC LIMIT 1",
            key,
        ).fetchone()
        return str(row["body"])

    def _alter(self, key: Key) -> None:
        """Write wrong figures over those of an order that is to be falsified, from its true version."""
        if (
            key[0] != "order"
            or not self._db.execute("SELECT 1 FROM falsified WHERE key = ?", key[2:]).fetchone()
        ):
            return
        body = read_json(self._standing(key))
        energy = next(name for name in ENERGY if name in body)
        body |= {energy: body[energy] + 1, "TotalMoney": body["TotalMoney"] + 1}
        self._db.execute(
            f"UPDATE entries SET body = ?, energy_wh = ? {WHERE}",
            (write_json(body), watt_hours(body[energy]), *key),
        )

    def _entries(self, where: str, *values: Any) -> list[dict[str, Any]]:
        columns = "operator, key, energy_wh, revision, versions, received, disputed, first_at, last_at, body"
        rows = self._rows(f"SELECT {columns} FROM entries WHERE {where}", *values)
        return [{**row, "disputed": bool(row["disputed"])} for row in rows]

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        rows = [dict(row) for row in self._db.execute(query, values)]
        return [row | {"body": json.loads(row["body"])} if "body" in row else row for row in rows]

    def _stamp(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def watt_hours(kwh: object) -> int:
    """Whole Wh of a number in kWh. Raises ValueError."""
    if isinstance(kwh, bool) or not isinstance(kwh, int | Decimal):
        raise ValueError("not a number")
    return int(Decimal(kwh) * 1000)
