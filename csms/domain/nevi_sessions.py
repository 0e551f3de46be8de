"""One session as 23 CFR 680.112(a) asks for it every quarter. Pure; knows no file format.

The rule asks for the error codes of unsuccessful sessions and for the payment method; OCPP tells neither in
these words. A session is unsuccessful that delivered nothing or that something broke off; its error codes are
those its port told while it ran, and what broke it off. The method of payment is read off the token.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

BROKEN_OFF = frozenset(
    {
        *("emergency-stop", "power-loss", "hard-reset", "reboot", "immediate-reset", "unlock-command"),
        *("ground-fault", "over-current-fault", "power-quality", "timeout"),
    }
)
NO_ERROR = frozenset({"", "noerror"})
PAYMENT = {
    "emaid": "plug-and-charge",
    "iso14443": "rfid",
    "iso15693": "rfid",
    "macaddress": "autocharge",
    "central": "app",
    "local": "local",
    "keycode": "pin",
    "directpayment": "card",
    "noauthorization": "none",
}


class NeviSession(NamedTuple):
    """Energy in kWh, power in kW; None where not known. `error_codes` only of an unsuccessful session."""

    charging_station: str
    port: str
    session_id: str
    started_at: datetime
    ended_at: datetime | None
    successful: bool
    error_codes: tuple[str, ...]
    energy_kwh: float | None
    peak_kw: float | None
    payment_method: str


def is_successful(energy_wh: int | None, stop_reason: str) -> bool:
    """Whether a session delivered energy and nothing broke it off."""
    return bool(energy_wh and energy_wh > 0) and stop_reason not in BROKEN_OFF


def error_codes(stop_reason: str, told: Iterable[str]) -> tuple[str, ...]:
    """What the port told while the session ran, and what broke it off; each once."""
    codes = [code for code in told if code.casefold() not in NO_ERROR]
    return tuple(dict.fromkeys([*codes, *([stop_reason] if stop_reason in BROKEN_OFF else [])]))


def payment_method(token_type: str) -> str:
    """In our words; the token's own type where it is none of those OCPP names."""
    return PAYMENT.get(token_type.casefold(), token_type or "unknown")
