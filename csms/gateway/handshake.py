"""Who comes in: a handshake request against limits, registry and credentials. No socket is touched.

The order is from cheap to dear, and nothing a stranger does counts against a station: identities are
limited only after they have shown the right password.
"""

import math
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import structlog
from websockets.datastructures import MultipleValuesError
from websockets.http11 import Request
from websockets.server import ServerProtocol

from csms.domain.assets import ChargingStation, OcppVersion
from csms.gateway.admission import Limiter, address_key
from csms.gateway.auth import ACCEPTED, Account, Verdict, check
from csms.gateway.desk import Parts

log = structlog.get_logger()

# Part 4, 3.1.1: at most 48 characters, no colon; of the rest only what is safe in paths and logs.
IDENTITY = re.compile(r"[A-Za-z0-9._=+@*|-]{1,48}")
STORE_AWAY_S = 10.0
QUARANTINE_PER_S, QUARANTINE_BURST = 2.0, 200  # records of strangers, over all addresses


class Refusal(NamedTuple):
    """An HTTP answer instead of a connection. `retry_s` 0: no Retry-After."""

    status: int
    text: str
    retry_s: float = 0.0
    challenge: bool = False

    def headers(self) -> list[tuple[str, str]]:
        """What goes with the status."""
        found = []
        if self.retry_s:
            found.append(("Retry-After", str(max(1, math.ceil(self.retry_s)))))
        if self.challenge:
            found.append(("WWW-Authenticate", 'Basic realm="csms", charset="UTF-8"'))
        return found


def identity_of(path: str) -> str | None:
    """The identity at the end of a request path, percent-decoded exactly once, or None if it is none.

    Any prefix will do; a version in it decides nothing (part 4, 3.1.2).
    """
    _, _, last = path.rpartition("/")
    try:
        identity = unquote_to_bytes(last).decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not IDENTITY.fullmatch(identity) or identity in {".", ".."}:
        return None
    return identity


SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
MOST_HEADERS, MOST_SHOWN = 20, 200


class Doorkeeper:
    """Decides on handshakes, for one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # A station that is served as it comes has no password the next time either.
        enrols = parts.settings.unknown_stations == "quarantine-accept"
        self._profiles = frozenset({*parts.settings.security_profiles, *([0] if enrols else [])})
        self._quarantine = Limiter(QUARANTINE_PER_S, QUARANTINE_BURST)
        self.is_closed = False
        """Set when the gateway stops."""

    async def admit(self, request: Request, peer: str) -> ChargingStation | Refusal:
        """The authenticated station, or how to refuse it. Raises StoreError when it cannot be looked up."""
        address, admission = address_key(peer), self._parts.admission
        if self.is_closed or not self._parts.desk.is_ready():
            return Refusal(503, "Not ready.\n", STORE_AWAY_S)
        if wait := admission.wait_of_address(address):
            return Refusal(429, "Too many connections from this address.\n", wait)
        # Stations send no Origin; browsers do, and a page must not open a connection for its visitor.
        if "Origin" in request.headers and not self._parts.settings.origin_allowed:
            return Refusal(403, "Not for browsers.\n")
        identity = identity_of(request.path)
        if identity is None:
            return Refusal(404, "No such charging station.\n")
        if wait := admission.penalty_of(identity) or admission.wait_of_login(identity, address):
            return Refusal(429, "Wait.\n", wait)
        return await self._authenticate(identity, address, request)

    async def _authenticate(self, identity: str, address: str, request: Request) -> ChargingStation | Refusal:
        found = await self._parts.desk.find(identity)
        station, account = found if found is not None else (None, None)
        verdict = _verdict(account, identity, request, self._profiles)
        self._parts.stats.handshakes[verdict.name.lower()] += 1
        if station is None or account is None:
            return await self._stranger(identity, address, request)
        if verdict not in ACCEPTED:
            return self._unauthenticated(identity, address, verdict)
        if not station.enabled:
            return Refusal(403, "This charging station is disabled.\n")
        self._parts.admission.login_worked(identity, address)
        if wait := self._parts.admission.wait_of_identity(identity):
            return Refusal(429, "Connecting too often.\n", wait)
        if account.previous is not None and account.security_profile:
            await self._parts.desk.settle_password(station, verdict is Verdict.ACCEPTED_PREVIOUS)
        return station

    def _unauthenticated(self, identity: str, address: str, verdict: Verdict) -> Refusal:
        log.warning("login_failed", station=identity, address=address, error=verdict.value)
        if verdict is Verdict.PROFILE:
            return Refusal(403, "This security profile is not served here.\n")
        if verdict is not Verdict.NO_CREDENTIALS:
            self._parts.admission.login_failed(identity, address)
            self._parts.stats.login_refused(identity, self._parts.clock())
        hint = verdict.value if verdict is Verdict.HEX_PASSWORD else "Wrong or missing credentials"
        return Refusal(401, f"{hint}.\n", challenge=True)

    async def _stranger(self, identity: str, address: str, request: Request) -> ChargingStation | Refusal:
        now_s = self._parts.clock()
        if self._parts.settings.unknown_stations == "quarantine-accept":
            station = await self._parts.desk.enrol(identity)
            log.info("station_enrolled", station=identity, address=address)
            return station
        if self._quarantine.wait("", now_s) == 0.0:
            await self._parts.desk.quarantine(identity, address, _telling(request))
        return Refusal(404, "No such charging station.\n")


def _telling(request: Request) -> dict[str, str]:
    """What a stranger's headers tell of it; its credentials are nobody's business."""
    shown = [
        (name, value) for name, value in request.headers.raw_items() if name.lower() not in SECRET_HEADERS
    ]
    return {name[:MOST_SHOWN]: value[:MOST_SHOWN] for name, value in shown[:MOST_HEADERS]}


def _verdict(account: Account | None, identity: str, request: Request, profiles: frozenset[int]) -> Verdict:
    try:
        header = request.headers.get("Authorization")
    except MultipleValuesError:
        return Verdict.MALFORMED
    return check(account, identity, header, profiles)


def served_as(station: ChargingStation) -> tuple[object, ...]:
    """What a connection keeps of the registration for as long as it lasts."""
    return station.site_id, station.operator_id, station.vendor_profile, station.max_power_w


def version_of(protocol: ServerProtocol, request: Request, station: ChargingStation) -> OcppVersion | None:
    """What was negotiated; for a station that offers nothing at all, what it was registered with."""
    if protocol.subprotocol is not None:
        return OcppVersion(protocol.subprotocol)
    if request.headers.get_all("Sec-WebSocket-Protocol"):
        return None
    return station.assume_version
