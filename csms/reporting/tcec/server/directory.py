"""What a query's ConnectorID means: the place in OCPP, and how it fares."""

from datetime import datetime
from typing import NamedTuple, Protocol

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.wording import Place


class Outlet(NamedTuple):
    """A connector that the platform may ask about. `since`: when its status was last told."""

    connector_id: str
    station_id: int
    identity: str
    evse: int
    connector: int
    is_online: bool
    status: ConnectorStatus
    since: datetime | None


class Directory(Protocol):
    """Finds what a platform may know of."""

    async def outlet(self, platform: Inbound, connector_id: str) -> Outlet | None:
        """The connector of that name; None where there is none, or the platform is not told of it."""

    async def place(
        self, platform: Inbound, station: ChargingStation, evse: int, connector: int
    ) -> Place | None:
        """What the platform calls a connector and what it belongs to; None: it is not told of it."""
