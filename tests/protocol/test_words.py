"""The specification's words in our spelling."""

import pytest

from csms.domain.assets import ConnectorStatus
from csms.protocol.words import connector_status, dashed, stop_reason


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("SuspendedEVSE", "suspended-evse"),
        ("SuspendedEV", "suspended-ev"),
        ("EVConnected", "ev-connected"),
        ("TxResumed", "tx-resumed"),
        ("SoCLimitReached", "soc-limit-reached"),
        ("MeterValuePeriodic", "meter-value-periodic"),
        ("Idle", "idle"),
        ("", ""),
        (None, ""),
    ],
)
def test_dashed(word: str | None, ours: str) -> None:
    """Lower case, a dash between words."""
    assert dashed(word) == ours


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        (None, "local"),
        ("Local", "local"),
        ("DeAuthorized", "deauthorized"),
        ("EVDisconnected", "ev-disconnected"),
        ("HardReset", "hard-reset"),
        ("OvercurrentFault", "over-current-fault"),
        ("SOCLimitReached", "soc-limit-reached"),
        ("StoppedByEV", "stopped-by-ev"),
        ("ReqEnergyTransferRejected", "req-energy-transfer-rejected"),
        ("Banana", "other"),
        ("Other", "other"),
    ],
)
def test_stop_reason(word: str | None, ours: str) -> None:
    """Left out it is local; a word no version has is other."""
    assert stop_reason(word) == ours


def test_connector_status() -> None:
    """A status no version has is unknown, not refused."""
    assert connector_status("SuspendedEV") is ConnectorStatus.SUSPENDED_EV
    assert connector_status("Banana") is ConnectorStatus.UNKNOWN
