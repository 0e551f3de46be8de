"""Answers that are alike in all versions."""

from datetime import UTC, datetime

import pytest

from csms.domain.answers import DONE, BootAnswer, DataAnswer, TimeAnswer
from csms.domain.assets import BootStatus
from csms.protocol import DIALECTS
from csms.protocol.dialect import Dialect
from csms.protocol.schema import check_response

NOW = datetime(2026, 1, 1, 12, 0, 0, 5000, tzinfo=UTC)
EACH = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.version.value)


@EACH
@pytest.mark.parametrize("status", BootStatus)
def test_boot(dialect: Dialect, status: BootStatus) -> None:
    """Every boot answer is what the schema wants."""
    payload = dialect.reply("BootNotification", BootAnswer(status, NOW, 300))

    assert payload == {
        "status": status.value.capitalize(),
        "currentTime": "2026-01-01T12:00:00.005Z",
        "interval": 300,
    }
    check_response(dialect.version, "BootNotification", payload)


@EACH
def test_heartbeat(dialect: Dialect) -> None:
    """The time, in the one form."""
    payload = dialect.reply("Heartbeat", TimeAnswer(NOW))

    assert payload == {"currentTime": "2026-01-01T12:00:00.005Z"}
    check_response(dialect.version, "Heartbeat", payload)


@EACH
@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("accepted", "Accepted"),
        ("rejected", "Rejected"),
        ("unknown-vendor-id", "UnknownVendorId"),
        ("unknown-message-id", "UnknownMessageId"),
    ],
)
def test_data(dialect: Dialect, status: str, word: str) -> None:
    """R27: an unknown vendor is told so."""
    payload = dialect.reply("DataTransfer", DataAnswer(status, "x"))

    assert payload == {"status": word, "data": "x"}
    check_response(dialect.version, "DataTransfer", payload)
    assert "data" not in dialect.reply("DataTransfer", DataAnswer(status))


@EACH
def test_done_is_empty(dialect: Dialect) -> None:
    """What was only taken note of has an empty answer, and the schema agrees wherever we give it."""
    needs_more = {"BootNotification", "Heartbeat", "Authorize", "StartTransaction", "DataTransfer"}
    for action in dialect.read.keys() - needs_more:
        assert dialect.reply(action, DONE) == {}
        check_response(dialect.version, action, {})
