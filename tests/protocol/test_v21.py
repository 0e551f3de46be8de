"""OCPP 2.1: where it differs from 2.0.1. What is alike is tested with 2.0.1, for both."""

import json

from csms.domain.commands import Reset, TriggerMessage
from csms.domain.events import PresentedToken, SessionEnded, TokenPresented
from csms.protocol import read
from csms.protocol.schema import check_request
from csms.protocol.v21 import DIALECT


def test_reset_may_resume() -> None:
    """2.1 B12: sessions go on after the reset."""
    ((action, payload),) = DIALECT.write(Reset("immediate-and-resume"))

    assert payload == {"type": "ImmediateAndResume"}
    check_request(DIALECT.version, action, payload)


def test_custom_trigger() -> None:
    """2.1 F06: a message the specification does not list is asked for by name."""
    ((action, payload),) = DIALECT.write(TriggerMessage("VendorThing", evse=1))

    assert payload == {"requestedMessage": "CustomTrigger", "customTrigger": "VendorThing", "evse": {"id": 1}}
    check_request(DIALECT.version, action, payload)


def test_token_types_are_free() -> None:
    """2.1 has no closed list of token types."""
    raw = json.dumps({"idToken": {"idToken": "a", "type": "DirectPayment"}}).encode()

    assert read(DIALECT, "Authorize", raw) == (TokenPresented(PresentedToken("a", "DirectPayment")), ())


def test_new_words_in_transactions() -> None:
    """A reason and a trigger that 2.0.1 has not."""
    payload = {
        "eventType": "Ended",
        "timestamp": "2026-01-01T12:00:00Z",
        "triggerReason": "CostLimitReached",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "t", "stoppedReason": "ReqEnergyTransferRejected"},
    }

    event, findings = read(DIALECT, "TransactionEvent", json.dumps(payload).encode())

    assert isinstance(event, SessionEnded)
    assert (event.reason, event.trigger) == ("req-energy-transfer-rejected", "cost-limit-reached")
    assert not findings


def test_send() -> None:
    """Only 2.1 has unconfirmed messages."""
    assert DIALECT.has_send
    assert "NotifyPeriodicEventStream" in DIALECT.known_actions
