"""The specification's enumerations in our spelling: lower case, with dashes between words. Pure."""

import re
from functools import lru_cache

from csms.domain.assets import ConnectorStatus

_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_]+")
# Where capitals mislead, or two versions spell one thing differently.
_IRREGULAR = {
    "DeAuthorized": "deauthorized",
    "OvercurrentFault": "over-current-fault",
    "SoCLimitReached": "soc-limit-reached",
}
_REASONS = frozenset(
    {
        # 1.6 and 2.x
        *("local", "remote", "deauthorized", "ev-disconnected", "emergency-stop", "power-loss", "reboot"),
        # 1.6
        *("hard-reset", "soft-reset", "unlock-command"),
        # 2.x
        *("energy-limit-reached", "soc-limit-reached", "time-limit-reached", "local-out-of-credit"),
        *("ground-fault", "over-current-fault", "power-quality", "immediate-reset", "master-pass"),
        *("stopped-by-ev", "timeout"),
        # 2.1
        "req-energy-transfer-rejected",
    }
)
_STATUSES = {
    "Available": ConnectorStatus.AVAILABLE,
    "Occupied": ConnectorStatus.OCCUPIED,
    "Preparing": ConnectorStatus.PREPARING,
    "Charging": ConnectorStatus.CHARGING,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "Finishing": ConnectorStatus.FINISHING,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}


@lru_cache(maxsize=1024)
def _dashed(word: str) -> str:
    return _IRREGULAR.get(word) or _WORD_ENDS.sub("-", word.strip()).lower()


def dashed(word: str | None) -> str:
    """`SuspendedEVSE` as `suspended-evse`; '' for nothing."""
    return _dashed(word) if word else ""


def stop_reason(word: str | None) -> str:
    """Why a session ended. Left out it means local (1.6 StopTransaction, 2.x E06.FR.08)."""
    reason = _dashed(word) if word else "local"
    return reason if reason in _REASONS else "other"


def connector_status(word: str) -> ConnectorStatus:
    """A connector's state; UNKNOWN for a word no version has."""
    return _STATUSES.get(word, ConnectorStatus.UNKNOWN)
