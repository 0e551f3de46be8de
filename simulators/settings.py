"""A station's configuration keys (1.6) and variables (2.x), with what a write to them answers."""

from __future__ import annotations

from dataclasses import dataclass

HEARTBEAT = {
    "1.6": "HeartbeatInterval",
    "2.0.1": "OCPPCommCtrlr/HeartbeatInterval",
    "2.1": "OCPPCommCtrlr/HeartbeatInterval",
}
SAMPLING = {
    "1.6": "MeterValueSampleInterval",
    "2.0.1": "SampledDataCtrlr/TxUpdatedInterval",
    "2.1": "SampledDataCtrlr/TxUpdatedInterval",
}


@dataclass(slots=True)
class Setting:
    """A value as text and whether the central system may write it."""

    value: str
    read_only: bool = False


def keys_16(evses: int) -> dict[str, Setting]:
    """The configuration keys of a 1.6 station (9.1, core profile)."""
    return {
        "HeartbeatInterval": Setting("300"),
        "MeterValueSampleInterval": Setting("60"),
        "ConnectionTimeOut": Setting("120"),
        "NumberOfConnectors": Setting(str(evses), read_only=True),
        "SupportedFeatureProfiles": Setting("Core,RemoteTrigger", read_only=True),
        "AuthorizeRemoteTxRequests": Setting("false"),
        "LocalPreAuthorize": Setting("false"),
        "StopTransactionOnInvalidId": Setting("true"),
        "MeterValuesSampledData": Setting("Energy.Active.Import.Register,Power.Active.Import"),
        "TransactionMessageAttempts": Setting("3"),
        "WebSocketPingInterval": Setting("0"),
    }


def variables_2(evses: int) -> dict[str, Setting]:
    """Variables of a 2.x station as `Component/Variable` (Part 2, appendix 3)."""
    return {
        "ChargingStation/AvailabilityState": Setting("Available", read_only=True),
        "ChargingStation/EVSECount": Setting(str(evses), read_only=True),
        "OCPPCommCtrlr/HeartbeatInterval": Setting("300"),
        "OCPPCommCtrlr/WebSocketPingInterval": Setting("0"),
        "OCPPCommCtrlr/MessageTimeout": Setting("30"),
        "OCPPCommCtrlr/OfflineThreshold": Setting("60"),
        "SampledDataCtrlr/TxUpdatedInterval": Setting("60"),
        "SampledDataCtrlr/TxUpdatedMeasurands": Setting("Energy.Active.Import.Register"),
        "TxCtrlr/EVConnectionTimeOut": Setting("120"),
        "TxCtrlr/StopTxOnInvalidId": Setting("true"),
        "TxCtrlr/TxStartPoint": Setting("Authorized", read_only=True),
        "AuthCtrlr/AuthorizeRemoteStart": Setting("false"),
    }


class Settings:
    """The station's settings by name, and the two that change how it behaves."""

    def __init__(self, version: str, evses: int) -> None:
        self._version = version
        self.all = keys_16(evses) if version == "1.6" else variables_2(evses)

    @property
    def heartbeat_s(self) -> float:
        """Seconds of silence before a Heartbeat; 0 for never."""
        return float(self.all[HEARTBEAT[self._version]].value)

    @property
    def sample_s(self) -> float:
        """Seconds between the meter values of a session."""
        return max(float(self.all[SAMPLING[self._version]].value), 1.0)

    def heartbeat_every(self, seconds: int) -> None:
        """Take the interval that BootNotification's answer gave."""
        self.all[HEARTBEAT[self._version]].value = str(seconds)

    def sample_every(self, seconds: float) -> None:
        """Set the sampling interval, as the scenario wants it."""
        self.all[SAMPLING[self._version]].value = f"{seconds:g}"

    def write(self, name: str, value: str) -> str:
        """`Accepted`, `Rejected` (not a number where one is due, or read-only) or `Unknown`."""
        setting = self.all.get(name)
        if setting is None:
            return "Unknown"
        if setting.read_only or (setting.value.isdigit() and not value.isdigit()):
            return "Rejected"
        setting.value = value
        return "Accepted"
