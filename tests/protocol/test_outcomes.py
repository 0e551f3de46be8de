"""Status words of answers."""

import pytest

from csms.domain.commands import Outcome, Result
from csms.protocol.outcomes import by_each, by_status, result_of


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("Accepted", Result.ACCEPTED),
        ("Scheduled", Result.ACCEPTED),
        ("RebootRequired", Result.ACCEPTED),
        ("Rejected", Result.REJECTED),
        ("Occupied", Result.REJECTED),
        ("UnknownVendorId", Result.REJECTED),
        ("NotSupported", Result.NOT_SUPPORTED),
        ("NotImplemented", Result.NOT_SUPPORTED),
        ("UnlockFailed", Result.FAILED),
        ("Banana", Result.REJECTED),
    ],
)
def test_words(status: str, result: Result) -> None:
    """Any word that is no kind of yes is a refusal."""
    assert result_of(status) is result


def test_reason_tells_what_the_result_does_not() -> None:
    """The reason has the word, and what 2.x adds to it."""
    info = {"reasonCode": "NoCable", "additionalInfo": "plug in first"}

    assert by_status({}) == Outcome(Result.ACCEPTED, {})
    assert by_status({"status": "Accepted"}).reason == ""
    assert by_status({"status": "Scheduled"}).reason == "scheduled"
    assert by_status({"status": "Rejected", "statusInfo": info}).reason == "rejected: NoCable plug in first"


def test_the_worst_decides() -> None:
    """One variable refused of two: the command was not carried out as a whole."""
    outcome = by_each({}, [("A.B", "Accepted", None), ("C.D", "Rejected", {"reasonCode": "ReadOnly"})], ())

    assert outcome.result is Result.REJECTED
    assert outcome.reason == "C.D: rejected: ReadOnly"
    assert by_each({}, [], ()).result is Result.ACCEPTED
