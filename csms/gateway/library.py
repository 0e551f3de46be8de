"""What we ask of the WebSocket library, in one place: subprotocol, compression, limits. No connection."""

from collections.abc import Sequence
from dataclasses import dataclass

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from csms.config import GatewaySettings
from csms.domain.assets import OcppVersion
from csms.gateway import fastpath

VERSIONS = frozenset(version.value for version in OcppVersion)

# 12 bits of window and less memory per state: about 14 kB a connection instead of 64.
DEFLATE = ServerPerMessageDeflateFactory(
    server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
)


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Bounds of every connection of one listener; times in seconds, sizes in bytes."""

    message: int
    write_buffer: int
    open_s: float
    close_s: float
    send_s: float
    fast_path: bool

    @classmethod
    def of(cls, settings: GatewaySettings) -> "SocketLimits":
        """As configured; without the fast path where the library is not the one it was written for."""
        return cls(
            message=settings.max_message_bytes,
            write_buffer=settings.write_buffer_bytes,
            open_s=settings.open_timeout_s,
            close_s=settings.close_timeout_s,
            send_s=settings.send_timeout_s,
            fast_path=settings.fast_path and fastpath.is_supported(),
        )


class StationProtocol(ServerProtocol):
    """The server side of a handshake as OCPP-J wants it."""

    def __init__(self, max_message: int, deflate: bool) -> None:
        """`max_message` in bytes; `deflate`: compress when the station offers it."""
        super().__init__(max_size=max_message, extensions=[DEFLATE] if deflate else None)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The first we know: the station's order is its preference (part 4, 3.1.2).

        None when there is none; the handshake is completed all the same (3.3).
        """
        return next((offered for offered in subprotocols if offered in VERSIONS), None)
