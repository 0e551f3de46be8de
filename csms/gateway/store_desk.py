"""The gateway's desk over the real house: handlers, registry, message log. Knows no socket."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from csms import protocol
from csms.domain.assets import ChargingStation, OcppVersion
from csms.domain.commands import Amendment, Outcome
from csms.domain.events import Event
from csms.errors import StoreUnavailable
from csms.gateway.auth import Account, Secret
from csms.gateway.desk import Done, Exchange, Refused
from csms.handlers import amendments, dispatch
from csms.handlers.context import MessageInfo, Services, StationState
from csms.handlers.readings import Taken, stored, take_reading
from csms.protocol.frames import Call
from csms.protocol.repairs import PayloadRefused
from csms.store.message_log import MessageLog
from csms.store.registry import Credentials, StationForm

MOST_FINDINGS = 10_000
REASON_UNKNOWN = "not registered"


class StoreDesk:
    """Fulfils `desk.Desk`."""

    def __init__(self, services: Services, message_log: MessageLog, node: str = "") -> None:
        """`node` names this process where several hold stations."""
        self._services = services
        self._message_log = message_log
        self._node = node
        self.findings: Counter[tuple[str, str, str, str]] = Counter()
        """Deviations that were put up with, by (vendor, model, action, what at where)."""

    def now(self) -> datetime:
        """The wall clock (UTC)."""
        return self._services.now()

    def is_ready(self) -> bool:
        """Whether the last commit worked, or a probe since."""
        return self._services.writer.healthy

    async def find(self, identity: str) -> tuple[ChargingStation, Account] | None:
        """One statement, whether the station is known or not."""
        found = await self._services.registry.credentials(identity)
        return None if found is None else (found.station, account_of(found))

    async def quarantine(self, identity: str, address: str, headers: Mapping[str, str]) -> None:
        """Kept for whoever wants to register it. Failing here must not tell a stranger anything."""
        try:
            await self._services.registry.put_in_quarantine(
                identity, address, REASON_UNKNOWN, self.now(), headers
            )
        except StoreUnavailable:
            return

    async def enrol(self, identity: str) -> ChargingStation:
        """Register the station without a password, at no site."""
        form = StationForm(identity=identity, security_profile=0)
        await self._services.registry.put_station(form, self.now())
        station = await self._services.registry.station(identity)
        assert station is not None, "it was put a moment ago"
        return station

    async def settle_password(self, station: ChargingStation, is_previous: bool) -> None:
        """The password that was not used ends here, but for a new one that waits for a restart."""
        await self._services.registry.settle_password(
            station.station_id, is_previous=is_previous, now=self.now()
        )

    async def open(self, station: ChargingStation, version: OcppVersion, address: str) -> StationState:
        """The epoch first: what is loaded afterwards, no earlier connection can change any more."""
        epoch = await self._services.registry.raise_epoch(
            station.station_id,
            now=self.now(),
            version=version,
            node=self._node,
            remote_address=address,
            security_profile=station.security_profile,
        )
        return await dispatch.open_station(self._services, station, version, epoch, address)

    async def connected(self, state: StationState) -> None:
        """In the station's history."""
        await dispatch.note_connected(self._services, state)

    async def disconnected(self, state: StationState, code: int, reason: str) -> None:
        """In the station's history, unless it is connected again already."""
        station_id, epoch = state.station.station_id, state.epoch
        if await self._services.registry.note_disconnected(station_id, epoch, self.now()):
            await dispatch.note_disconnected(self._services, state, code, reason)

    async def seen(self, when: Sequence[tuple[int, datetime]]) -> None:
        """All of them in one transaction."""
        await self._services.registry.seen(when)

    def gate(self, state: StationState, action: str) -> str | None:
        """As the handlers say."""
        return dispatch.gate(state, action)

    def read(self, state: StationState, action: str, payload: bytes) -> Event:
        """Decode by the version's schema, put right what can be, and translate."""
        try:
            event, findings = protocol.read(state.dialect, action, payload, state.repairs)
        except PayloadRefused as exc:
            raise Refused(exc.code(state.dialect.errors), exc.description) from exc
        state.deviations += len(findings)
        for finding in findings:
            self._count(state.station, action, f"{finding.what} at {finding.where}")
        return event

    def take_reading(self, state: StationState, call: Call, done: Done) -> Taken | None:
        """As the handlers say; its row is its entry in the message log too."""
        return take_reading(self._services, state, call, done)

    def reading_stored(self, state: StationState, taken: Taken) -> None:
        """As the handlers say."""
        stored(self._services, state, taken)

    async def serve(self, state: StationState, event: Event, info: MessageInfo) -> dispatch.Served:
        """Handle and commit."""
        return await dispatch.serve(self._services, state, event, info)

    async def amend(self, state: StationState, order: Amendment) -> Outcome:
        """As the handlers say."""
        return await amendments.amend(self._services, state, order)

    def log(self, exchange: Exchange) -> None:
        """Into the message log's memory."""
        most = self._services.settings.messages.max_bytes + 1
        if len(exchange.request) > most or len(exchange.answer or b"") > most:
            # Cut here already: what waits in memory is bounded by its number.
            exchange = exchange._replace(
                request=exchange.request[:most], answer=exchange.answer and exchange.answer[:most]
            )
        self._message_log.add(exchange)

    def _count(self, station: ChargingStation, action: str, what: str) -> None:
        key = (station.vendor, station.model, action, what)
        if key in self.findings or len(self.findings) < MOST_FINDINGS:
            self.findings[key] += 1


def account_of(found: Credentials) -> Account:
    """A station's right to connect, as the door compares it."""
    return Account(
        security_profile=found.security_profile,
        highest_profile=found.highest_profile,
        current=_secret(found.salt, found.password_hash),
        previous=_secret(found.previous_salt, found.previous_hash),
        hex_on_wire=found.hex_on_wire,
    )


def _secret(salt: bytes | None, digest: bytes | None) -> Secret | None:
    return None if salt is None or digest is None else Secret(salt, digest)
