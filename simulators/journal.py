"""The fleet's journal: every CALL sent and what became of it, one JSON object a line, flushed as written.

Written from the station's side only. `truth` reads it back; nothing else of a run
is needed to judge a central system's history.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulators.facts import Began, Fact, Finished, Metered, stamp
from simulators.outbox import Letter
from simulators.traits import Told

Record = dict[str, Any]


class Journal:
    """Appends records to a file, or to none. Counts of operations are kept for the progress display."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.sent_count = self.ok_count = self.lost_count = self.refused_count = 0
        self.kept_count = 0
        """Acknowledged messages of transactions: the run's true progress."""
        self._file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8", buffering=1)

    def station(self, identity: str, version: str, judged: int) -> None:
        """A station takes part; `judged` says how far its sessions can be compared."""
        self._write({"op": "station", "station": identity, "version": version, "judged": judged})

    def sent(self, identity: str, letter: Letter) -> None:
        """A CALL goes out (again). Its state is unknown until one of the next three is written."""
        self.sent_count += 1
        self._write(
            {
                "op": "call",
                "station": identity,
                "id": letter.message_id,
                "action": letter.told.action,
                "attempt": letter.attempts,
                **_natural(letter.fact, letter.told),
            }
        )

    def acknowledged(self, identity: str, message_id: str, payload: dict[str, Any], kept: bool) -> None:
        """ok: a CALLRESULT came; `kept` for a transaction message."""
        self.ok_count += 1
        self.kept_count += kept
        known = {"transaction_id": payload["transactionId"]} if "transactionId" in payload else {}
        self._write({"op": "ok", "station": identity, "id": message_id, **known})

    def refused(self, identity: str, message_id: str, code: str) -> None:
        """fail: a CALLERROR came."""
        self.refused_count += 1
        self._write({"op": "fail", "station": identity, "id": message_id, "code": code})

    def lost(self, identity: str, message_id: str) -> None:
        """unknown: the connection or the patience ended before an answer."""
        self.lost_count += 1
        self._write({"op": "unknown", "station": identity, "id": message_id})

    def close(self) -> None:
        """Bring everything to the disk."""
        if self._file is not None and not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _write(self, record: Record) -> None:
        if self._file is None:
            return
        record["t"] = stamp(datetime.now(UTC))
        self._file.write(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[Record]:
    """The records of a journal; a last line cut short by a crash is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def _natural(fact: Fact, told: Told) -> Record:
    """What a transaction message is about, whatever message id it has."""
    match fact:
        case Began(session=session):
            token = {"token": session.token, "evse": session.evse, "wh": session.meter_start_wh}
            return {"kind": "began", **_common(fact, told), **token}
        case Metered():
            return {"kind": "metered", **_common(fact, told)}
        case Finished():
            return {"kind": "finished", **_common(fact, told), "wh": fact.meter_stop_wh, "stop": fact.stop}
        case _:
            return {}


def _common(fact: Began | Metered | Finished, told: Told) -> Record:
    payload = told.payload
    meter_values = [*payload.get("meterValue", ()), *payload.get("transactionData", ())]
    return {
        "session": fact.session.key,
        "seq": fact.seq,
        "at": stamp(fact.at),
        "readings": sum(len(one["sampledValue"]) for one in meter_values),
    }
