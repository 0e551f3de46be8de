"""The door for charging stations: listens, admits, seats each at its actor, and stops in good order.

Knows sockets and who sits where; what messages mean is the connections' business.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from csms.cluster.courier import Courier
from csms.domain.assets import ChargingStation, OcppVersion
from csms.errors import StaleEpoch, StoreError
from csms.gateway.admission import address_key
from csms.gateway.connection import Connection
from csms.gateway.desk import Parts
from csms.gateway.handshake import STORE_AWAY_S, Doorkeeper, Refusal, served_as, version_of
from csms.gateway.library import SocketLimits, StationProtocol
from csms.gateway.roster import Line, Roster
from csms.gateway.socket import StationSocket
from csms.gateway.sweeper import Sweeper
from csms.gateway.turns import Turns
from csms.handlers.context import StationState

log = structlog.get_logger()

BACKLOG = 4096
NO_SUBPROTOCOL, RESTART = 1002, 1012
IN_FLIGHT_S = 10.0
POLL_S = 0.02
ABORT_S = 1.0


class Gateway:
    """One listener and the stations that came through it."""

    def __init__(self, parts: Parts, courier: Courier, in_flight_s: float = IN_FLIGHT_S) -> None:
        """`in_flight_s`: how long `stop` waits for messages that are being handled."""
        self._parts = parts
        self._courier = courier
        self._in_flight_s = in_flight_s
        self._limits = SocketLimits.of(parts.settings)
        self._doorkeeper = Doorkeeper(parts)
        self.roster = Roster(parts)
        self._sweeper = Sweeper(parts, self.roster)
        self._turns = Turns()
        self._slots = asyncio.Semaphore(parts.settings.max_handshakes)
        self._sockets: set[StationSocket] = set()
        self._knocking: set[StationSocket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._parting: dict[str, list[Connection]] = {}
        self._all_gone: asyncio.Future[None] | None = None
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.Task[None] | None = None
        self.port: int = parts.settings.port
        """The port it listens on; once started, the system's choice where 0 is configured."""

    @property
    def is_open(self) -> bool:
        """Whether stations are let in."""
        return self._server is not None and self._server.is_serving() and not self._doorkeeper.is_closed

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop, settings = asyncio.get_running_loop(), self._parts.settings

        def make_socket() -> StationSocket:
            protocol = StationProtocol(settings.max_message_bytes, settings.deflate)
            return StationSocket(protocol, self, self._limits, loop)

        self._server = await loop.create_server(
            make_socket,
            settings.host,
            self.port,
            backlog=BACKLOG,
            reuse_address=True,
            reuse_port=settings.workers > 1,  # each worker listens; the kernel deals out who connects
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._sweep = loop.create_task(self._sweeper.run())
        await self._courier.hear(self._seated, self.station_changed)
        if settings.fast_path and not self._limits.fast_path:
            log.warning("fast_path_switched_off", reason="the websockets library is another version")
        log.info("gateway_started", host=settings.host, port=self.port)

    async def stop(self) -> None:
        """Take no more stations, finish what is handled, close with 1012; nothing is answered after."""
        self._doorkeeper.is_closed = True
        if self._server is None or self._sweep is None:
            return
        self._server.close()
        for socket in list(self._knocking):
            socket.abort()
        deadline = self._parts.clock() + self._in_flight_s
        while self.roster.lines() and self._parts.clock() < deadline:
            if not self._close_idle():
                break
            await asyncio.sleep(POLL_S)
        for line in list(self.roster.lines()):
            line.connection.end(RESTART, "service restart")
            line.connection.cancel()
        await self._wait_for_sockets()
        self._sweep.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._in_flight_s)
        log.info("gateway_stopped")

    def _close_idle(self) -> int:
        """Part with everyone whose messages are all answered; how many are left."""
        busy = 0
        for line in list(self.roster.lines()):
            if line.connection.is_busy:
                busy += 1
            else:
                line.connection.end(RESTART, "service restart")
        return busy

    async def _wait_for_sockets(self) -> None:
        """Give everyone the time of a closing handshake."""
        for patience_s in (self._parts.settings.close_timeout_s, ABORT_S):
            if not self._sockets:
                return
            self._all_gone = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._all_gone], timeout=patience_s)
            for socket in list(self._sockets):
                socket.abort()

    def _seated(self, identity: str, epoch: int) -> None:
        """The newest authenticated connection wins, wherever it is."""
        connection = self.roster.find(identity)
        if connection is not None and connection.state.epoch < epoch:
            self.roster.replace(identity, "another process")

    def station_changed(self, identity: str) -> None:
        """A registration was changed: whoever may no longer be connected is parted with."""
        if identity in self.roster:
            self._own(self._look_again(identity))

    async def _look_again(self, identity: str) -> None:
        """H36: disabled, deleted, or of another security profile: what it connected with counts no more.

        One that was moved, or is to be understood otherwise, comes again and is served as what it is now.
        """
        try:
            found = await self._parts.desk.find(identity)
        except StoreError as exc:
            log.warning("station_not_looked_up", station=identity, error=str(exc))
            await asyncio.sleep(STORE_AWAY_S)
            self.station_changed(identity)
            return
        connection = self.roster.find(identity)
        if connection is None:
            return
        was = connection.state.station
        if found is None or not found[0].enabled or found[0].security_profile != was.security_profile:
            log.info("station_shut_out", station=identity)
            self.roster.drop(identity)
        elif served_as(found[0]) != served_as(was):
            log.info("station_called_back", station=identity)
            self.roster.drop(identity, "its registration was changed", RESTART)

    # What sockets tell.

    def opened(self, socket: StationSocket) -> bool:
        """Count a TCP connection among those that have shown nothing yet."""
        self._sockets.add(socket)
        if self._doorkeeper.is_closed or not self._parts.admission.enter(address_key(socket.peer)):
            self._parts.stats.handshakes["too_many_sockets"] += 1
            return False
        self._knocking.add(socket)
        return True

    def requested(self, socket: StationSocket, request: Request) -> None:
        """Decide on a handshake."""
        self._own(self._handshake(socket, request))

    def send_timed_out(self, socket: StationSocket) -> None:
        """A station that does not read is cut off."""
        self._parts.stats.send_timeouts += 1
        identity = socket.line.connection.identity if isinstance(socket.line, Line) else ""
        log.warning("station_does_not_read", station=identity, address=socket.peer)

    def closed(self, socket: StationSocket) -> None:
        """Take leave of a station, or of someone who never became one."""
        self._sockets.discard(socket)
        if not self._sockets and self._all_gone is not None and not self._all_gone.done():
            self._all_gone.set_result(None)
        self._let_in(socket)
        if isinstance(socket.line, Line):
            line = socket.line
            code, reason = socket.ending
            self._parts.stats.closes[code] += 1
            self.roster.leave(line)
            self._sweeper.remove(line)
            line.connection.lost()
            self._parting.setdefault(line.connection.identity, []).append(line.connection)
            self._own(self._part(line, code, reason))

    # The way in and out.

    async def _handshake(self, socket: StationSocket, request: Request) -> None:
        async with self._slots:
            try:
                await self._welcome(socket, request)
            except StoreError as exc:
                log.warning("handshake_postponed", error=str(exc), address=socket.peer)
                self._refuse(socket, Refusal(503, "Not ready.\n", STORE_AWAY_S))
            except Exception:
                log.exception("handshake_failed", address=socket.peer)
                self._refuse(socket, Refusal(500, "Failed.\n"))

    async def _welcome(self, socket: StationSocket, request: Request) -> None:
        station = await self._doorkeeper.admit(request, socket.peer)
        if isinstance(station, Refusal):
            self._refuse(socket, station)
            return
        if socket.is_gone:
            return
        response = socket.protocol.accept(request)
        version = version_of(socket.protocol, request, station)
        if response.status_code != 101 or version is None:
            self._let_in(socket)
            socket.respond(response)
            self._say_no_version(socket, request, station)
            return
        async with self._turns.of(station.identity):
            await self._seat(socket, response, station, version)

    async def _seat(
        self, socket: StationSocket, response: Response, station: ChargingStation, version: OcppVersion
    ) -> None:
        """Take the station over from any earlier connection, and open this one."""
        earlier = self.roster.find(station.identity)
        if earlier is not None:
            # What it is storing belongs into what is loaded for the new one.
            self.roster.replace(station.identity, socket.peer)
            await earlier.idle()
        for left in list(self._parting.get(station.identity, ())):
            # Its wire is gone, but what it had received may still be on its way into the store.
            await left.idle()
        state = await self._parts.desk.open(station, version, socket.peer)
        line = Line(socket)
        line.connection = Connection(self._parts, state, line)
        hold = await self._courier.hold(station.identity, line.connection.command, state.epoch)
        if socket.is_gone or self._doorkeeper.is_closed:
            await hold.release()
            self._refuse(socket, Refusal(503, "Not ready.\n", STORE_AWAY_S))
            return
        line.hold = hold
        self._let_in(socket)
        socket.line, socket.deliver = line, line.connection.feed
        self.roster.join(line)
        self._sweeper.add(line)
        self._parts.stats.handshakes["opened"] += 1
        socket.respond(response)
        self._own(self._greet(state))

    async def _greet(self, state: StationState) -> None:
        """Note that the station came; it is served whether that can be written or not."""
        try:
            await self._parts.desk.connected(state)
        except StoreError as exc:
            log.warning("connect_not_noted", station=state.station.identity, error=str(exc))

    async def _part(self, line: Line, code: int, reason: str) -> None:
        """Let what was received be stored, then note that the station went."""
        if line.hold is not None:
            await line.hold.release()
        await self._let_finish(line.connection)
        try:
            await self._parts.desk.disconnected(line.connection.state, code, reason)
        except StaleEpoch:
            return  # it is connected again, here or elsewhere
        except StoreError as exc:
            log.warning("disconnect_not_noted", station=line.connection.identity, error=str(exc))

    async def _let_finish(self, connection: Connection) -> None:
        """Wait for what a parted station had sent, as long as one message may take."""
        try:
            async with asyncio.timeout(self._parts.handler_limit_s):
                await connection.idle()
        except TimeoutError:
            log.error("message_overran", station=connection.identity)
            connection.cancel()
            await connection.idle()
        parting = self._parting[connection.identity]
        parting.remove(connection)
        if not parting:
            del self._parting[connection.identity]

    def _refuse(self, socket: StationSocket, refusal: Refusal) -> None:
        self._let_in(socket)
        self._parts.stats.handshakes[str(refusal.status)] += 1
        response = socket.protocol.reject(refusal.status, refusal.text)
        response.headers.update(Headers(refusal.headers()))
        socket.respond(response)

    def _say_no_version(self, socket: StationSocket, request: Request, station: ChargingStation) -> None:
        """H27: the handshake is complete, without a subprotocol; the connection ends at once."""
        if not socket.is_open:
            return
        offered = request.headers.get_all("Sec-WebSocket-Protocol")
        self._parts.stats.handshakes["no_subprotocol"] += 1
        log.warning("no_common_subprotocol", station=station.identity, offered=offered)
        socket.close(NO_SUBPROTOCOL, "no common subprotocol")

    def _let_in(self, socket: StationSocket) -> None:
        """The socket is no longer one that has shown nothing."""
        if socket in self._knocking:
            self._knocking.discard(socket)
            self._parts.admission.leave(address_key(socket.peer))

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.error("gateway_task_failed", exc_info=exc)
