"""The door for charging stations, as the rest of the program sees it: in this process or in workers."""

from collections import Counter
from typing import Protocol

from csms.cluster.courier import Courier
from csms.gateway.stats import GatewayStats
from csms.station_side import StationSide
from csms.store.commit_tallies import CommitTallies


class Door(Protocol):
    """What is asked of it."""

    stats: GatewayStats
    commits: CommitTallies
    port: int

    @property
    def workers(self) -> int:
        """Processes that let stations in; 0: nobody is let in."""

    def connections(self) -> Counter[tuple[str, str]]:
        """Open sockets by (OCPP version, state)."""

    def messages_dropped(self) -> int:
        """Entries of the message log that could not be kept."""

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""

    async def stop(self) -> None:
        """Take no more stations, finish what is handled, part with everyone."""


class OwnDoor:
    """The gateway in this process."""

    def __init__(self, side: StationSide, courier: Courier, node: str) -> None:
        self._side = side
        self._gateway, self.stats = side.gateway(courier, node)
        self.commits = side.commits
        self.port = self._gateway.port

    @property
    def workers(self) -> int:
        return int(self._gateway.is_open)

    def connections(self) -> Counter[tuple[str, str]]:
        count = self._gateway.roster.count()
        return Counter({(str(version), state): number for (version, state), number in count.items()})

    def messages_dropped(self) -> int:
        return self._side.messages.dropped

    async def start(self) -> None:
        await self._gateway.start()
        self.port = self._gateway.port

    async def stop(self) -> None:
        await self._gateway.stop()
