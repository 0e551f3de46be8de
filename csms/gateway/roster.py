"""Which station is connected here, and through which socket. Knows no OCPP message.

The newest authenticated connection of an identity wins. Whoever leaves is compared with who is listed, so
that the end of a replaced connection never removes its replacement.
"""

from collections import Counter
from collections.abc import Iterable

import structlog

from csms.cluster.courier import Hold
from csms.domain.assets import OcppVersion
from csms.gateway.connection import TAKEN_OVER, Connection
from csms.gateway.desk import Parts
from csms.gateway.socket import Pause, StationSocket

log = structlog.get_logger()

REMOVED = 1008


class Line:
    """The wire between an actor and its socket."""

    __slots__ = ("connection", "hold", "slot", "socket")

    def __init__(self, socket: StationSocket) -> None:
        self.socket = socket
        self.connection: Connection
        self.hold: Hold | None = None
        self.slot = -1
        """Where the sweeper keeps it."""

    def send(self, frame: bytes) -> None:
        """A text message."""
        self.socket.send(frame)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self.socket.close(code, reason)

    def pause(self) -> None:
        """Leave the station's bytes where they are."""
        self.socket.pause(Pause.OWNER)

    def resume(self) -> None:
        """Read again."""
        self.socket.resume(Pause.OWNER)


class Roster:
    """The stations of this node."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lines: dict[str, Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, identity: str) -> bool:
        return identity in self._lines

    def lines(self) -> Iterable[Line]:
        """All of them."""
        return self._lines.values()

    def find(self, identity: str) -> Connection | None:
        """The station's connection, if it is connected here."""
        line = self._lines.get(identity)
        return line.connection if line is not None else None

    def join(self, line: Line) -> None:
        """List an authenticated connection."""
        self._lines[line.connection.identity] = line

    def replace(self, identity: str, address: str) -> None:
        """Close the station's connection, because the same station has come again from `address`."""
        old = self._lines.pop(identity)
        self._parts.stats.takeovers += 1
        if self._parts.admission.taken_over(identity):
            self._parts.stats.takeover_alarms += 1
            log.warning("station_taken_over_often", station=identity, addresses=[old.socket.peer, address])
        old.connection.end(TAKEN_OVER, "a newer connection is open")

    def leave(self, line: Line) -> bool:
        """Take the connection off the list, if it is the one that is listed."""
        identity = line.connection.identity
        if self._lines.get(identity) is not line:
            return False
        del self._lines[identity]
        return True

    def drop(self, identity: str, reason: str = "no longer registered", code: int = REMOVED) -> bool:
        """Close the connection of a station that was disabled, deleted or changed; False if it has none."""
        line = self._lines.get(identity)
        if line is None:
            return False
        log.info("station_dropped", station=identity, reason=reason)
        line.connection.end(code, reason)
        return True

    def count(self) -> Counter[tuple[OcppVersion, str]]:
        """Connections by version and boot status, for metrics."""
        states = (line.connection.state for line in self._lines.values())
        return Counter((state.dialect.version, state.station.boot_status.value) for state in states)
