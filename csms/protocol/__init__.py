"""What OCPP is, without sockets and sessions: frames, payloads, and one dialect for each version."""

from csms.domain.assets import OcppVersion
from csms.domain.events import Event
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
    return dialect.read[action](payload), findings


def preload() -> None:
    """Build every message the dialects read, and its response, so that no station waits for it."""
    for version, dialect in DIALECTS.items():
        schema.preload(version, dialect.read)
