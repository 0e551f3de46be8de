"""What OCPP is, without sockets and sessions: frames, payloads, and one dialect for each version."""

from dataclasses import replace

from csms.domain.assets import OcppVersion
from csms.domain.course import NextReading
from csms.domain.events import (
    Event,
    PresentedToken,
    SessionEnded,
    SessionMetered,
    SessionStarted,
    TokenPresented,
)
from csms.protocol import schema, v16, v21, v201
from csms.protocol.dialect import Dialect
from csms.protocol.repairs import STANDARD, Repairs
from csms.protocol.schema import Findings

DIALECTS: dict[OcppVersion, Dialect] = {
    OcppVersion.V16: v16.DIALECT,
    OcppVersion.V201: v201.DIALECT,
    OcppVersion.V21: v21.DIALECT,
}


def read(dialect: Dialect, action: str, raw: bytes, repairs: Repairs = STANDARD) -> tuple[Event, Findings]:
    """A station's request as the event it tells of, and what was put up with in its payload.

    `action` must be in `dialect.read`. Raises PayloadRefused.
    """
    payload, findings = schema.decode(dialect.version, action, raw, repairs)
    event = dialect.read[action](payload)
    return (event if repairs.token is None else _as_meant(event, repairs)), findings


def _as_meant(event: Event, repairs: Repairs) -> Event:
    """The event with the token that its station's make writes in its own way; what was sent is kept raw."""
    if not isinstance(event, TokenPresented | SessionStarted | SessionMetered | SessionEnded):
        return event
    if event.token is None:
        return event
    return replace(event, token=PresentedToken(repairs.card(event.token.text), event.token.type))


def read_plain(dialect: Dialect, action: str, raw: bytes) -> NextReading | None:
    """The next reading of a session, if the request is that and nothing more. None: `read` must say."""
    payload = schema.message(dialect.version, action).typed(raw)
    return None if payload is None else dialect.plain[action](payload)


def preload() -> None:
    """Build every message the dialects read, and its response, so that no station waits for it."""
    for version, dialect in DIALECTS.items():
        schema.preload(version, dialect.read)
