"""Misbehaviours seen in the field, by name. A station may have several; another version's do nothing.

Knows which message each of them bends (`quirks`) and how far a session's
history can still be judged by what the station truly did.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from simulators import quirks
from simulators.facts import Fact
from simulators.quirks import Memory, Rewrite
from simulators.traits import Told, Traits

ALL = ("1.6", "2.0.1", "2.1")
V16 = ("1.6",)
V2 = ("2.0.1", "2.1")

Answer = dict[str, Any]


class Judged(IntEnum):
    """How much of a session's record must equal the truth; each level includes those below it."""

    PRESENT = 1
    """It is there once."""
    SESSION = 2
    """Its times, token, state and energy are right."""
    READINGS = 3
    """Its readings are all there, and no others; nothing else is told of the station."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One way of not following the specification; `seen` names who does it."""

    name: str
    what: str
    seen: str
    versions: tuple[str, ...] = ALL
    rewrite: Rewrite | None = None
    text: Callable[[str], str] | None = None
    answer: Callable[[str, Answer], Answer] | None = None
    silent_boot: bool = False
    silent_to_orders: bool = False
    subprotocol: bool = True
    judged: Judged = Judged.READINGS


def _null_payload(text: str) -> str:
    frame = json.loads(text)
    if frame[0] == 2 and frame[3] == {}:
        frame[3] = None
    return json.dumps(frame, separators=(",", ":"))


def _lower_keys(action: str, answer: Answer) -> Answer:
    rows = answer.get("configurationKey")
    if rows is None:
        return answer
    return {**answer, "configurationKey": [{**row, "key": row["key"].lower()} for row in rows]}


def _many_connectors(action: str, answer: Answer) -> Answer:
    rows = answer.get("configurationKey")
    if rows is None:
        return answer
    count = {"NumberOfConnectors": "1845493760"}
    return {
        **answer,
        "configurationKey": [{**row, "value": count.get(row["key"], row["value"])} for row in rows],
    }


_M = Misbehaviour
_ALL = (
    _M("empty-sampled-value", "meter values without any value", "Vestel EVC04", rewrite=quirks.empty_sample,
       judged=Judged.SESSION),
    _M("numeric-meter-values", "numbers where text is due", "OpenEVSE", V16,
       quirks.each_value(quirks.numeric)),
    _M("comma-decimals", "a decimal comma in every value", "any", V16, quirks.each_value(quirks.comma),
       judged=Judged.SESSION),
    _M("wrong-context", "a reading context that does not exist", "Alfen Eve", ALL,
       quirks.each_value(quirks.wrong_context), judged=Judged.SESSION),
    _M("unit-Hz", "frequency in Hz", "Charge Amps Halo", V16, quirks.frequency, judged=Judged.SESSION),
    _M("phase-tagged-energy", "the total register is tagged L1", "several, by their users", ALL,
       quirks.each_value(quirks.phase_of_energy), judged=Judged.PRESENT),
    _M("bare-values", "values without context, location or measurand", "any", V16,
       quirks.each_value(quirks.bare)),
    _M("long-signed-value", "signed meter data of 2772 characters", "Reinhausen DCC-150", V2,
       quirks.each_value(quirks.signed)),
    _M("session-relative-register", "samples count from the session's start", "ABB Terra AC", V16,
       quirks.relative_register),
    _M("meter-stop-minus-one", "the closing register is the opening one less 1 Wh", "Huawei SCharger", V16,
       quirks.stop_below_start, judged=Judged.PRESENT),
    _M("stop-transaction-minus-one", "StopTransaction names transaction -1", "go-e", V16,
       quirks.on("StopTransaction", transactionId=-1)),
    _M("stop-transaction-zero", "StopTransaction names transaction 0", "DELTA", V16,
       quirks.on("StopTransaction", transactionId=0)),
    _M("stale-transaction-id", "an ended transaction's id stays in meter values", "EN+", V16,
       quirks.stale_transaction, judged=Judged.SESSION),
    _M("closing-value-after-stop", "a meter value follows the stop", "Ocular, Wallbox", V16,
       quirks.value_after_stop, judged=Judged.SESSION),
    _M("duplicate-stop", "StopTransaction is said twice at once", "any", V16,
       quirks.repeat("StopTransaction", 2)),
    _M("stop-twice", "a second stop with another time and reason", "any", V16, quirks.stop_twice),
    _M("old-stop-at-boot", "the stop of an unknown transaction after boot", "enercab, eledio", V16,
       quirks.old_stop, judged=Judged.SESSION),
    _M("odd-stop-reason", "a stop reason that does not exist", "any", V16,
       quirks.on("StopTransaction", reason="StoppedByUser")),
    _M("1970-clock", "the clock counts from 1970", "EN+", ALL, quirks.clock_of_1970, judged=Judged.PRESENT),
    _M("local-time-without-zone", "local time that does not say so", "Growatt THOR", ALL,
       quirks.times_as(quirks.local_time), judged=Judged.PRESENT),
    _M("microsecond-times", "+00:00 and microseconds", "any", ALL, quirks.times_as(quirks.offset_time)),
    _M("null-payload", "null where an empty object is due", "any", ALL, text=_null_payload),
    _M("error-code-Error", 'the error code "Error"', "Legrand GreenUp", V16,
       quirks.on("StatusNotification", errorCode="Error")),
    _M("finishing-with-error", "Finishing carries an error code", "ABB", V16, quirks.finishing_error),
    _M("status-flood", "every status twenty times", "EVerest field report", ALL,
       quirks.repeat("StatusNotification", 20)),
    _M("firmware-flood", "firmware states that say nothing", "EVerest field report", V16,
       quirks.firmware_flood),
    _M("zero-connector-meter", "meter values name connector 0", "KEBA P30", V16, quirks.zero_connector),
    _M("idtag-suffix", "the reader's number is hung on the token", "KEBA P30", ALL,
       quirks.token_as(lambda token: f"{token}_17"), judged=Judged.PRESENT),
    _M("idtag-semicolon", "the token comes behind a semicolon", "payment terminals", ALL,
       quirks.token_as(lambda token: f"x;{token}"), judged=Judged.PRESENT),
    _M("boot-loop", "five boots in a row", "Wallbox", ALL, quirks.repeat("BootNotification", 5)),
    _M("no-boot", "BootNotification never comes", "several after a reconnect", V16, silent_boot=True),
    # B02.FR.09: a 2.x central system has to refuse it, so no fleet that is to finish may have one.
    _M("unregistered", "a 2.x station that never boots", "hostile", V2, silent_boot=True),
    _M("no-subprotocol", "the handshake names no subprotocol", "Grizzl-E", V16, subprotocol=False),
    _M("lower-case-keys", "configuration keys in lower case", "any", V16, answer=_lower_keys),
    _M("garbage-connector-count", "1,845,493,760 connectors", "Growatt THOR", V16, answer=_many_connectors),
    _M("long-serial", "a serial number of 33 characters", "Schneider EVlink", ALL, quirks.long_serial),
    _M("html-model", "a model name that is markup", "hostile", ALL, quirks.html_vendor),
    _M("silent-to-commands", "answers nothing that it is asked", "several, by their users",
       silent_to_orders=True),
    _M("shape-of-16", "1.6 status frames on a 2.x connection", "FoxESS A-series", V2, quirks.shape_of_16),
    _M("gap-in-sequence", "a sequence number is left out", "any", V2, quirks.gap_in_sequence),
)  # fmt: skip

MISBEHAVIOURS: dict[str, Misbehaviour] = {one.name: one for one in _ALL}


class Quirks:
    """The misbehaviours of one station, applied in the order in which they were named."""

    def __init__(self, traits: Traits, modes: Sequence[Misbehaviour]) -> None:
        self.modes = [mode for mode in modes if traits.version in mode.versions]
        self.silent_boot = any(mode.silent_boot for mode in self.modes)
        self.silent_to_orders = any(mode.silent_to_orders for mode in self.modes)
        self.subprotocol = all(mode.subprotocol for mode in self.modes)
        self.judged = min((mode.judged for mode in self.modes), default=Judged.READINGS)
        self._memories: dict[str, Memory] = {mode.name: {} for mode in self.modes}

    def rewrite(self, told: Told, fact: Fact) -> list[Told]:
        """What is said in place of one CALL."""
        said = [told]
        for mode in self.modes:
            if mode.rewrite is not None:
                memory = self._memories[mode.name]
                said = [other for one in said for other in mode.rewrite(one, fact, memory)]
        return said

    def text(self, text: str) -> str:
        """A frame's text as it goes out."""
        for mode in self.modes:
            if mode.text is not None:
                text = mode.text(text)
        return text

    def answer(self, action: str, payload: Answer) -> Answer:
        """An answer to the central system as it goes out."""
        for mode in self.modes:
            if mode.answer is not None:
                payload = mode.answer(action, payload)
        return payload


def named(names: Sequence[str]) -> list[Misbehaviour]:
    """The misbehaviours of these names; ValueError names the first that does not exist."""
    for name in names:
        if name not in MISBEHAVIOURS:
            raise ValueError(f"no misbehaviour is called {name}; known: {', '.join(sorted(MISBEHAVIOURS))}")
    return [MISBEHAVIOURS[name] for name in names]
