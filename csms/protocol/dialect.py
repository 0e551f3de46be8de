"""What every OCPP version must provide, and the words for errors. No socket, no session.

A dialect is a set of tables of pure functions:

* `read[action](payload) -> Event`: a station's request in our words. `payload` is the typed struct
  that `schema` decoded (camelCase attributes, None where absent).
* `plain[action](payload) -> NextReading | None`: the same for the message that nearly all are.
* `reply(action, answer) -> dict`: our answer as that action's response payload.
* `write(command) -> list[(action, payload)]`: one command as the CALLs that carry it, in order.
* `outcome(command, action, payload) -> Outcome`: what the station's answer means.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from csms.domain.answers import Answer
from csms.domain.assets import OcppVersion
from csms.domain.commands import Command, Outcome
from csms.domain.course import NextReading
from csms.domain.events import Event

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorCodes:
    """Each version's spelling of the RPC error codes (1.6 has misspelt two, and lacks three)."""

    not_implemented: str
    not_supported: str
    internal: str
    protocol: str
    security: str
    malformed: str
    property_constraint: str
    occurrence: str
    type_constraint: str
    generic: str
    rpc_framework: str
    message_type: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """One OCPP version as data."""

    version: OcppVersion
    errors: ErrorCodes
    read: Mapping[str, Callable[[Any], Event]]
    reply: Callable[[str, Answer], Payload]
    write: Callable[[Command], list[tuple[str, Payload]]]
    outcome: Callable[[Command, str, Payload], Outcome]
    transaction_actions: frozenset[str]
    """Actions a station must not lose: their answers are stored with their effect."""
    known_actions: frozenset[str]
    """Every action of the version, in either direction: known but not in `read` is NotSupported."""
    plain: Mapping[str, Callable[[Any], NextReading | None]]
    has_send: bool = False
    """2.1: message types 5 (CALLRESULTERROR) and 6 (SEND)."""
