"""What tells one charging station's messages from another's. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
"""The WebSocket subprotocol of each OCPP version (OCPP-J, 3.1.2)."""

TransactionIds = Mapping[str, int]
"""Our session key -> the transaction id that the central system gave (1.6)."""


class Told(NamedTuple):
    """A CALL without its message id."""

    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Traits:
    """A station's make, and the liberties it takes within the specification."""

    identity: str
    version: str = "2.0.1"
    vendor: str = "Lantian"
    model: str = "LT-120"
    serial: str = "LT0001"
    firmware: str = "4.2.1"
    energy_in_kwh: bool = False
    unit_spelled: bool = True
    """Whether Wh is written although it is the default unit."""
    evse_once: bool = False
    """2.x: EVSE and token stand only in a transaction's first event (E01.FR.16)."""
    transaction_data: bool = False
    """1.6: StopTransaction carries its first and last values once more."""
    offline_said: bool = True
    """2.x: events that happened without a connection say so (E04.FR.03)."""
    same_id_on_retry: bool = True
    """Whether a repeated message keeps its message id (errata 3.1) or takes a new one."""
    boot_on_reconnect: bool = False
    """Whether a station that only lost its connection sends BootNotification again."""
    status_on_reconnect: bool = True


Writer = Callable[[Any, Traits, TransactionIds], Told | None]
"""Words one kind of fact; None when the version has nothing to say about it."""
