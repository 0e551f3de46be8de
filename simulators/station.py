"""A charging station with its cars: what it tells, and how it takes what it is told. No socket, no clock.

Whoever holds the socket calls `connected`, `receive`, `disconnected`, `timed_out`
and `tick`, sends what `outgoing` and `receive` give, and waits `pause_s` before
asking for more. Time is always passed in: it is the station's own clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from simulators import frames, orders
from simulators.evse import Evse, Now
from simulators.facts import (
    Beat,
    Began,
    Booted,
    Fact,
    Reported,
    StatusChanged,
    Stop,
    TokenPresented,
    Transactional,
    whole_ms,
)
from simulators.misbehaviours import Misbehaviour, Quirks
from simulators.outbox import Letter, Outbox, kept
from simulators.settings import Settings
from simulators.traits import Told, Traits

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a payload raises when it is not as the specification says."""
RETRY_S = 1.0
"""Pause before a refused transaction message is sent again."""
LONGEST_BOOT_WAIT_S = 30.0
"""A station under test does not wait longer than this, whatever interval it was given."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One of our messages was answered: acknowledged (`ok`) or refused with a CALLERROR."""

    letter: Letter
    ok: bool
    payload: dict[str, Any]
    message_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The central system asked something; send `reply` at once (None: this station keeps silent)."""

    action: str
    payload: dict[str, Any]
    reply: str | None


@dataclass(frozen=True, slots=True)
class Stray:
    """Something that answers no question of ours."""

    text: str


Heard = Answered | Asked | Stray


class Station:
    """One charging station; see the module's first lines for who calls what."""

    def __init__(
        self, traits: Traits, evses: Sequence[Evse], ids: Random, quirks: Sequence[Misbehaviour] = ()
    ) -> None:
        self.traits = traits
        self.evses = {evse.number: evse for evse in evses}
        self.settings = Settings(traits.version, len(evses))
        self.quirks = Quirks(traits, tuple(quirks))
        self.transaction_ids: dict[str, int] = {}
        self.online = self.booted = False
        self.pause_s = 0.0
        """How long to wait (real seconds) before the next `outgoing`; the caller sets it back to 0."""
        self.restart: Stop | None = None
        """When set: close the socket now, call `reboot` and connect again."""
        self.past = self.stale = False
        """`past`: history is told, nobody is asked, no status told. `stale`: events are marked offline."""
        self._boot_reason: str | None = "PowerUp"
        self.outbox = Outbox(self._words, lambda: f"{ids.getrandbits(96):024x}", traits.same_id_on_retry)

    @property
    def version(self) -> str:
        """The OCPP version it speaks."""
        return self.traits.version

    @property
    def next_due(self) -> datetime | None:
        """When `tick` has something to do."""
        return min((evse.due for evse in self.evses.values() if evse.due), default=None)

    @property
    def idle(self) -> bool:
        """Whether no session runs, no visit is awaited and everything has been told."""
        return not self.outbox and self.next_due is None and not self.restart

    def now(self, at: datetime) -> Now:
        """A moment as this station stands in it."""
        offline = not self.online or self.past
        return Now(whole_ms(at), offline or self.stale, ask=not offline)

    def connected(self, at: datetime) -> None:
        """The socket is open: boot if it must, else tell how the connectors stand."""
        self.online = True
        if self.quirks.silent_boot:
            self._boot_reason = None
        elif self._boot_reason is None and self.traits.boot_on_reconnect:
            self._boot_reason = "Unknown"
        self.booted = self._boot_reason is None
        if self._boot_reason is not None:
            self.outbox.put_first(Booted(self._boot_reason))
        elif self.traits.status_on_reconnect:
            self.tell_statuses(at)

    def disconnected(self, at: datetime) -> None:
        """The socket is gone: what was not acknowledged stays queued, a card at the reader is let in."""
        self.online = False
        for fact in self.outbox.interrupted():
            if isinstance(fact, TokenPresented):
                self.put(*self.evses[fact.evse].authorized(True, self.now(at)))

    def timed_out(self, at: datetime) -> None:
        """The pending message was not answered in time: transaction messages are sent again."""
        letter = self.outbox.pending
        if letter is None:
            return
        self.outbox.answered(letter.message_id)
        self._unanswered(letter, at)

    def reboot(self, at: datetime) -> None:
        """After an order to reset: sessions end, and the next connection begins with a boot."""
        self.end_sessions(self.restart or Stop.RESET, at)
        self.restart = None
        self._boot_reason = "RemoteReset"

    def lose_power(self, at: datetime) -> None:
        """The station's power fails; it will boot again."""
        self.end_sessions(Stop.POWER_LOSS, at)
        self._boot_reason = "PowerUp"

    def end_sessions(self, stop: Stop, at: datetime) -> None:
        """End every session."""
        for evse in self.evses.values():
            self.put(*evse.finish(stop, self.now(at)))

    def tick(self, at: datetime) -> None:
        """Let the cars do what is due."""
        for evse in self.evses.values():
            evse.sample_s = self.settings.sample_s
            self.put(*evse.tick(self.now(at)))

    def beat(self) -> None:
        """Nothing was said for the heartbeat interval."""
        self.put(Beat())

    def put(self, *facts: Fact) -> None:
        """Queue facts; what is not a transaction message is only told while somebody hears it."""
        spoken = [fact for fact in facts if kept(fact) or (self.online and not self._withheld(fact))]
        self.outbox.put(*spoken)

    def tell_statuses(self, at: datetime) -> None:
        """Tell every connector's status as it is; a 1.6 station also its own as connector 0."""
        if self.version == "1.6":
            first = next(iter(self.evses.values()))
            whole = first.status if len(self.evses) == 1 and not first.operative else None
            self._tell_status(0, whole, at)
        for evse in self.evses.values():
            self._tell_status(evse.number, evse.status, at)

    def outgoing(self) -> tuple[Letter, str] | None:
        """The next CALL to send, which then is pending; None while one is, or nothing is to be said."""
        if not self.online or self.pause_s > 0:
            return None
        letter = self.outbox.next()
        if letter is None:
            return None
        return letter, self.quirks.text(frames.call(letter.message_id, letter.told))

    def receive(self, text: str, at: datetime) -> Heard:
        """Take a frame from the central system."""
        try:
            frame = json.loads(text)
        except ValueError:
            return Stray(text)
        match frame:
            case [frames.CALL, str(message_id), str(action), dict(payload)]:
                return self._order(message_id, action, payload, at)
            case [frames.CALLRESULT, str(message_id), dict(payload)]:
                return self._acknowledged(message_id, payload, at, text)
            case [frames.CALLERROR, str(message_id), code, what, *_]:
                return self._refused(message_id, str(code), str(what), at, text)
            case _:
                return Stray(text)

    def report(self, request_id: int, at: datetime, size: int = 5) -> None:
        """Queue the device model in parts of `size` variables (B07)."""
        rows = [(*name.split("/"), one.value, one.read_only) for name, one in self.settings.all.items()]
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        for seq, part in enumerate(parts):
            self.put(Reported(request_id, seq, seq < len(parts) - 1, whole_ms(at), tuple(part)))  # type: ignore[arg-type]  # split gives two

    def _withheld(self, fact: Fact) -> bool:
        return self.past and isinstance(fact, StatusChanged)

    def _tell_status(self, number: int, status: Any, at: datetime) -> None:
        status = status or orders.AVAILABLE
        self.put(StatusChanged(number, status, status, whole_ms(at)))

    def _words(self, fact: Fact) -> list[Told]:
        told = frames.word(fact, self.traits, self.transaction_ids)
        return self.quirks.rewrite(told, fact) if told else []

    def _order(self, message_id: str, action: str, payload: dict[str, Any], at: datetime) -> Asked:
        if self.quirks.silent_to_orders:
            return Asked(action, payload, None)
        try:
            answer = orders.answer(self, action, payload, at)
        except MALFORMED:
            code = frames.FORMAT_VIOLATION[self.version]
            return Asked(action, payload, frames.error(message_id, code, action))
        if answer is None:
            return Asked(action, payload, frames.error(message_id, frames.NOT_IMPLEMENTED, action))
        return Asked(action, payload, frames.result(message_id, self.quirks.answer(action, answer)))

    def _acknowledged(self, message_id: str, payload: dict[str, Any], at: datetime, text: str) -> Heard:
        letter = self.outbox.answered(message_id)
        if letter is None:
            return Stray(text)
        try:
            self._take_answer(letter, payload, at)
        except MALFORMED as exc:
            return self._unusable(letter, at, f"unusable answer: {exc!r}")
        return Answered(letter, True, payload, message_id)

    def _take_answer(self, letter: Letter, payload: dict[str, Any], at: datetime) -> None:
        match letter.fact:
            case Booted() if letter.told.action == "BootNotification":
                self._boot_answered(payload, at)
            case TokenPresented(evse=number):
                accepted = orders.status_of(payload) == "Accepted"
                self.put(*self.evses[number].authorized(accepted, self.now(at)))
            case Began() as began:
                self._start_answered(began, payload, at)

    def _boot_answered(self, payload: dict[str, Any], at: datetime) -> None:
        if payload.get("status") != "Accepted":
            self.pause_s = min(float(payload.get("interval", 1)), LONGEST_BOOT_WAIT_S)
            self.outbox.put_first(Booted(self._boot_reason or "Unknown"))
            return
        self.booted, self._boot_reason = True, None
        self.settings.heartbeat_every(int(payload.get("interval", 300)))
        self.tell_statuses(at)

    def _start_answered(self, began: Began, payload: dict[str, Any], at: datetime) -> None:
        if self.version == "1.6":
            self.transaction_ids[began.session.key] = int(payload["transactionId"])
        # 1.6, 9.1.30 StopTransactionOnInvalidId and E05.FR.02: a refused token ends the session.
        evse = self.evses[began.session.evse]
        refused = not self.past and orders.status_of(payload) not in (None, "Accepted")
        if refused and evse.session == began.session:
            self.put(*evse.finish(Stop.DEAUTHORIZED, self.now(at)))

    def _refused(self, message_id: str, code: str, what: str, at: datetime, text: str) -> Heard:
        letter = self.outbox.answered(message_id)
        if letter is None:
            return Stray(text)
        return self._unusable(letter, at, code, what)

    def _unusable(self, letter: Letter, at: datetime, code: str, what: str = "") -> Answered:
        message_id, self.pause_s = letter.message_id, RETRY_S
        self._unanswered(letter, at)
        return Answered(letter, False, {"code": code, "what": what}, message_id)

    def _unanswered(self, letter: Letter, at: datetime) -> None:
        if isinstance(letter.fact, Transactional | Booted):
            self.outbox.again(letter)
        elif isinstance(letter.fact, TokenPresented):
            self.put(*self.evses[letter.fact.evse].authorized(True, self.now(at)))
