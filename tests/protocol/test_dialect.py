"""The dialects side by side: one contract, one domain."""

import json
from dataclasses import fields
from typing import Any

import pytest

from csms.domain.assets import OcppVersion
from csms.domain.commands import Command
from csms.domain.events import SessionEnded, SessionStarted
from csms.protocol import DIALECTS, read, v16, v16_commands, v21, v201, v201_commands
from csms.protocol.dialect import Dialect, ErrorCodes

AT = "2026-01-01T12:00:00Z"


def test_each_version_has_its_dialect() -> None:
    """The table is complete and each knows its version."""
    assert {version: dialect.version for version, dialect in DIALECTS.items()} == {v: v for v in OcppVersion}


@pytest.mark.parametrize("table", [v16_commands.WRITE, v201_commands.WRITE, v21.WRITE])
def test_every_command_has_its_calls(table: dict[type, Any]) -> None:
    """No command falls through."""
    assert set(Command.__args__) == table.keys()


def test_error_codes() -> None:
    """The two misspelt words of 1.6 are in no other version; only 1.6 lacks words."""
    codes = {
        field.name: (getattr(v16.ERRORS, field.name), getattr(v201.ERRORS, field.name))
        for field in fields(ErrorCodes)
    }

    assert {name for name, (old, new) in codes.items() if old != new} == {
        *("malformed", "occurrence"),
        *("rpc_framework", "message_type"),
    }
    assert all(new for _, new in codes.values())


def session(dialect: Dialect) -> tuple[Any, ...]:
    """One session as its two events."""
    if dialect.version is OcppVersion.V16:
        start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": AT}
        stop = {"transactionId": 1, "meterStop": 9, "timestamp": AT, "idTag": "A", "reason": "PowerLoss"}
        return ("StartTransaction", start), ("StopTransaction", stop)
    token = {"idToken": "A", "type": "ISO14443"}
    common = {"timestamp": AT, "triggerReason": "Authorized", "seqNo": 0, "idToken": token}
    start = common | {"eventType": "Started", "transactionInfo": {"transactionId": "1"}}
    start["evse"] = {"id": 1, "connectorId": 1}
    stop = common | {"eventType": "Ended"}
    stop["transactionInfo"] = {"transactionId": "1", "stoppedReason": "PowerLoss"}
    return ("TransactionEvent", start), ("TransactionEvent", stop)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.version.value)
def test_a_session_is_the_same_in_every_version(dialect: Dialect) -> None:
    """The proof of one model: who, where, when and why come out alike."""
    started, ended = (
        read(dialect, action, json.dumps(payload).encode())[0] for action, payload in session(dialect)
    )

    assert isinstance(started, SessionStarted)
    assert isinstance(ended, SessionEnded)
    assert (started.evse, started.connector, started.at == ended.at) == (1, 1, True)
    assert started.token is not None
    assert started.token.text == "A"
    assert (ended.transaction_id, ended.reason) == ("1", "power-loss")
