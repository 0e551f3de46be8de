"""What a station still has to say: one message at a time, transaction messages until they are acknowledged.

Knows no version and no socket. 1.6, 3.7 and E04.FR.01: transaction messages are
queued while there is no connection and sent in the order in which they happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulators.facts import Fact, Transactional
from simulators.traits import Told


@dataclass(slots=True)
class Letter:
    """A message on its way: the fact behind it, its words and how often it was sent."""

    fact: Fact
    told: Told
    message_id: str
    attempts: int = 0

    @property
    def kept(self) -> bool:
        """Whether it must be sent until it is acknowledged."""
        return kept(self.fact)


def kept(fact: Fact) -> bool:
    """Whether a fact belongs to a transaction."""
    return isinstance(fact, Transactional)


class Outbox:
    """Facts wait here in order; `write` turns the next one into words (perhaps none, perhaps several)."""

    def __init__(self, write: Callable[[Fact], list[Told]], new_id: Callable[[], str], same_id: bool) -> None:
        self._write, self._new_id, self._same_id = write, new_id, same_id
        self._facts: deque[Fact] = deque()
        self._letters: deque[Letter] = deque()
        self.pending: Letter | None = None
        """The message that was sent and not answered."""

    def __len__(self) -> int:
        return len(self._facts) + len(self._letters) + (self.pending is not None)

    @property
    def transactional(self) -> int:
        """How many transaction messages wait for their acknowledgement."""
        return sum(map(kept, self._waiting()))

    def tells_of(self, key: str) -> bool:
        """Whether a message of this session waits for its acknowledgement."""
        return any(isinstance(fact, Transactional) and fact.session.key == key for fact in self._waiting())

    def _waiting(self) -> list[Fact]:
        letters = [*self._letters, *([self.pending] if self.pending else [])]
        return [*self._facts, *(letter.fact for letter in letters)]

    def put(self, *facts: Fact) -> None:
        """Add facts behind the others."""
        self._facts.extend(facts)

    def put_first(self, fact: Fact) -> None:
        """Add a fact before all others: the boot."""
        self._letters.extendleft(reversed(self._letters_of(fact)))

    def next(self) -> Letter | None:
        """Take the next message to send; it is pending until `answered`, `refused` or `interrupted`."""
        if self.pending is not None:
            return None
        while not self._letters and self._facts:
            self._letters.extend(self._letters_of(self._facts.popleft()))
        if not self._letters:
            return None
        self.pending = self._letters.popleft()
        self.pending.attempts += 1
        return self.pending

    def answered(self, message_id: str) -> Letter | None:
        """The pending message if this is its answer; it is done."""
        if self.pending is None or self.pending.message_id != message_id:
            return None
        letter, self.pending = self.pending, None
        return letter

    def _letters_of(self, fact: Fact) -> list[Letter]:
        return [Letter(fact, told, self._new_id()) for told in self._write(fact)]

    def again(self, letter: Letter) -> None:
        """Put a message back to be the next: nobody acknowledged it."""
        if not self._same_id:
            letter.message_id = self._new_id()
        self._letters.appendleft(letter)

    def interrupted(self) -> list[Fact]:
        """The connection is gone: keep transaction messages, return the facts that will not be told."""
        if self.pending is not None:
            self._letters.appendleft(self.pending)
            letter, self.pending = self.pending, None
            if not self._same_id:
                letter.message_id = self._new_id()
        dropped = [letter.fact for letter in self._letters if not letter.kept]
        dropped += [fact for fact in self._facts if not kept(fact)]
        self._letters = deque(letter for letter in self._letters if letter.kept)
        self._facts = deque(filter(kept, self._facts))
        return dropped
