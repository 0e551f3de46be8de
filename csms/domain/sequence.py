"""2.x sequence numbers of one transaction: gaps, repeats, restarts. Knows numbers only, no payloads.

Numbers rise by one per event, from any first number on (Part 2, 1.3.2), and may start anew after a
reboot (E06). They arrive in any order and more than once.
"""

from typing import NamedTuple

MOST_MISSING = 256
"""Missing numbers remembered; a wider gap is remembered by its first ones only."""


class SequenceState(NamedTuple):
    """Sequence numbers seen: the lowest, the highest and those missing between (E13, E14).

    `token_from` is the number of the event that gave the session its id token: an earlier event's token is
    the better one. `generation` counts restarts; `may_restart` is set by a boot and cleared by the next new
    number. `conflicts` are the message keys of events that came under a number already taken. A tuple,
    stored as one: new fields go to the end.
    """

    highest: int | None = None
    missing: tuple[int, ...] = ()
    lowest: int | None = None
    token_from: int | None = None
    generation: int = 0
    may_restart: bool = False
    conflicts: tuple[str, ...] = ()


UNNUMBERED = SequenceState()


def is_next(sequence: SequenceState, seq_no: int) -> bool:
    """Whether the number directly follows the highest one: the way nearly all events come."""
    return sequence.highest is not None and seq_no == sequence.highest + 1


def is_taken(sequence: SequenceState, seq_no: int) -> bool:
    """Whether an event of this number seems to have come before."""
    if sequence.highest is None or sequence.lowest is None:
        return False
    return sequence.lowest <= seq_no <= sequence.highest and seq_no not in sequence.missing


def noted(sequence: SequenceState, seq_no: int) -> SequenceState:
    """The state after an event of this number (a number already taken changes nothing)."""
    highest, lowest, missing = sequence.highest, sequence.lowest, sequence.missing
    may_restart = sequence.may_restart
    if highest is None or lowest is None:
        highest = lowest = seq_no
    elif seq_no > highest:
        missing = (*missing, *range(highest + 1, seq_no)[:MOST_MISSING])[:MOST_MISSING]
        highest, may_restart = seq_no, False
    elif seq_no < lowest:
        missing = (*range(seq_no + 1, lowest)[:MOST_MISSING], *missing)[:MOST_MISSING]
        lowest = seq_no
    elif seq_no in missing:
        missing = tuple(number for number in missing if number != seq_no)
    return SequenceState(
        highest, missing, lowest, sequence.token_from, sequence.generation, may_restart, sequence.conflicts
    )


def restarted(sequence: SequenceState, seq_no: int) -> SequenceState:
    """The state after a reboot made the station count from `seq_no` again (E06)."""
    return SequenceState(
        highest=seq_no,
        lowest=seq_no,
        token_from=sequence.token_from,
        generation=sequence.generation + 1,
        conflicts=sequence.conflicts,
    )


def key_of(sequence: SequenceState, seq_no: int) -> str:
    """The message key of an event: its number, with its generation after a restart."""
    return f"{sequence.generation}.{seq_no}" if sequence.generation else str(seq_no)
